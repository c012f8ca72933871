import { expect, test } from 'vitest';
import { withWholeName } from '../../src/api/middleware/names.ts';
import { nameComplaint, readReference } from '../../src/registry/names.ts';

/* Names of stored definitions, in bodies and in addresses. */

test('a name has one part or two, and no word that addresses need', () => {
  for (const name of ['order', 'shop/order', '_x', '0', 'a.b-c', 'simpleSubProcess', 'order_run'])
    expect(nameComplaint(name), name).toBe(null);
  for (const name of [
    '',
    '/',
    'a/',
    '/a',
    'a/b/c',
    '-a',
    '.a',
    'run',
    'RUN',
    'a/Versions',
    'ä',
    'a b',
    'order@3',
    'a'.repeat(65),
  ])
    expect(nameComplaint(name), name).not.toBe(null);
});

test('a reference may name a version', () => {
  expect(readReference('order')).toEqual({ name: 'order', version: null });
  expect(readReference('shop/order@12')).toEqual({ name: 'shop/order', version: 12 });
  for (const text of ['@3', 'order@', 'order@x', 'order@3@4', 'order@-1', 'run@1'])
    expect(readReference(text), text).toBe(null);
});

test('in an address the part behind a namespace belongs to the name, unless it is one of those words', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['/v1/definitions/order', '/v1/definitions/order'],
    ['/v1/definitions/order/run', '/v1/definitions/order/run'],
    ['/v1/definitions/shop/order', '/v1/definitions/shop%2Forder'],
    ['/v1/definitions/shop/order/run', '/v1/definitions/shop%2Forder/run'],
    ['/v1/definitions/shop%2Forder/versions/3', '/v1/definitions/shop%2Forder/versions/3'],
    ['/v1/definitions/shop/order/versions/3/activate', '/v1/definitions/shop%2Forder/versions/3/activate'],
    ['/v1/definitions/validate', '/v1/definitions/validate'],
    ['/v1/definitions/convert/x', '/v1/definitions/convert/x'],
    ['/v1/workflows/a/b', '/v1/workflows/a/b'],
    ['/v1/participants/shop/pay', '/v1/participants/shop%2Fpay'],
    ['/v1/participants/pay', '/v1/participants/pay'],
    ['/v1/forms/shop/pay', '/v1/forms/shop%2Fpay'],
    ['/v1/schedules/shop/order:nightly/run', '/v1/schedules/shop%2Forder:nightly/run'],
    ['/v1/schedules/shop/order%3Anightly', '/v1/schedules/shop%2Forder%3Anightly'],
    ['/v1/schedules/order:nightly/run', '/v1/schedules/order:nightly/run'],
    ['/v1/schedules/order%3Anightly/run', '/v1/schedules/order%3Anightly/run'],
    ['/v1/schedules/shop%2Forder:nightly', '/v1/schedules/shop%2Forder:nightly'],
  ];
  for (const [path, whole] of cases) expect(withWholeName(path), path).toBe(whole);
});
