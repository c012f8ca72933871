import { expect, test } from 'vitest';
import { expressionId, type WorkflowId } from '../../src/model/ids.ts';
import type { WorkitemRow } from '../../src/model/rows.ts';
import { DEFAULT_TENANT } from '../../src/model/tenant.ts';
import { callbackRequest } from '../../src/outbox/callback.ts';

const workflow = '20151005-1247-kogadeso-gekunute' as WorkflowId;
const row = {
  id: expressionId('0_0', '023abf5d398319b1c8fcbfaf70e7c780'),
  participant: 'alpha',
  send: 'active',
  tries: 0,
  url: 'http://localhost:1234/callbacks/alpha?token=s',
} as WorkitemRow;
const tenant = DEFAULT_TENANT;
const around = { baseUrl: 'http://core.dev/prefix', userAgent: 'rota/0.1.0', proceedToken: () => null };
const fields = { shared: '', own: '{"params":{"ref":"alpha"}}' };

test('the body has exactly the six keys of the contract, in their order', () => {
  const { body, url } = callbackRequest({ workflow, tenant, row }, fields, around);
  expect(url).toBe(row.url);
  expect(body).toBe(
    '{"workflow_id":"20151005-1247-kogadeso-gekunute",' +
      '"workitem_id":"0_0!023abf5d398319b1c8fcbfaf70e7c780!20151005-1247-kogadeso-gekunute",' +
      '"participant":"alpha","status":"active","fields":{"params":{"ref":"alpha"}},' +
      '"proceed_url":"http://core.dev/prefix/v1/workflows/20151005-1247-kogadeso-gekunute/workitems/' +
      '0_0!023abf5d398319b1c8fcbfaf70e7c780!20151005-1247-kogadeso-gekunute/proceed"}',
  );
});

test('a token stands in the URL that is answered at, and nowhere else', () => {
  const proceedToken = (of: string, id: string) => `${of}/${id.slice(0, 3)}`;
  const { body, headers } = callbackRequest({ workflow, tenant, row }, fields, { ...around, proceedToken });
  const { proceed_url, ...rest } = JSON.parse(String(body)) as { proceed_url: string };
  expect(proceed_url.endsWith('/proceed?token=default/0_0')).toBe(true);
  expect(JSON.stringify([rest, headers])).not.toContain('token');
});

test('names and fields of any kind are still JSON', () => {
  const odd = 'al"pha\\\n\u2028{}';
  const { body } = callbackRequest(
    { workflow, tenant, row: { ...row, participant: odd } },
    { shared: '', own: JSON.stringify({ [odd]: [odd, null, 1.5] }) },
    around,
  );
  expect(JSON.parse(String(body))).toMatchObject({ participant: odd, fields: { [odd]: [odd, null, 1.5] } });
});

test('what thousands of messages share is put in as it is, whatever their own part', () => {
  const shared = '{"list":["ä","é"]';
  for (const each of ['one', 'two']) {
    const own = `,"params":${JSON.stringify({ each })}}`;
    const { body } = callbackRequest({ workflow, tenant, row }, { shared, own }, around);
    const whole = callbackRequest({ workflow, tenant, row }, { shared: '', own: shared + own }, around);
    expect(String(body)).toBe(whole.body);
  }
});

test('a message tells which number it has, and one whose end is known already that it comes before that', () => {
  const of = (more: Partial<WorkitemRow>) =>
    callbackRequest({ workflow, tenant, row: { ...row, then: null, ...more } }, fields, around).headers[
      'rota-sequence'
    ];
  expect(of({})).toBeUndefined();
  expect(of({ entryN: 7, tries: 3 })).toBe('7');
  expect(of({ entryN: 9, then: 'cancel' })).toBe('8');
  expect(of({ entryN: 9, send: 'cancel' })).toBe('9');
});

test('every try of a message has the same id and its own number; a notice is another message', () => {
  const headers = (more: Partial<WorkitemRow>) =>
    callbackRequest({ workflow, tenant, row: { ...row, ...more } }, fields, around).headers;
  const first = headers({});
  expect(first).toEqual({
    'content-type': 'application/json',
    'user-agent': 'rota/0.1.0',
    'webhook-id': 'msg_0_0!023abf5d398319b1c8fcbfaf70e7c780!20151005-1247-kogadeso-gekunute_active',
    'rota-try': '1',
  });
  const later = headers({ tries: 11 });
  expect(later).toEqual({ ...first, 'rota-try': '12' });
  for (const send of ['timeout', 'error', 'cancel'] as const) {
    expect(headers({ send })['webhook-id']).not.toBe(first['webhook-id']);
    const { body } = callbackRequest({ workflow, tenant, row: { ...row, send } }, fields, around);
    expect(JSON.parse(String(body))).toMatchObject({ status: send });
  }
  expect(first['webhook-id']).not.toContain('.');
});
