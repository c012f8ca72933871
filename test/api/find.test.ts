import Router from '@koa/router';
import { expect, test } from 'vitest';
import { routersOf } from '../../src/api/middleware/find.ts';
import type { Operation } from '../../src/api/operation.ts';

const OPERATIONS = (
  [
    ['get', '/'],
    ['get', '/metrics'],
    ['get', '/docs/:file'],
    ['get', '/docs/help'],
    ['get', '/v1/workflows'],
    ['post', '/v1/workflows'],
    ['get', '/v1/workflows/:workflow_id'],
    ['delete', '/v1/workflows/:workflow_id'],
    ['get', '/v1/workflows/counts'],
    ['post', '/v1/workflows/:workflow_id/workitems/:workitem_id/proceed'],
    ['get', '/v1/workitems/:workitem_id'],
    ['get', '/v1/:kind'],
  ] as const
).map(([method, path]) => ({ method, path }) as Operation);

test('few patterns are tried for an address, and what fits is what all of them together would say', () => {
  const one = new Router();
  for (const { method, path } of OPERATIONS) one[method](path, () => {});
  const routerFor = routersOf(OPERATIONS);
  const filled = OPERATIONS.map(({ path }) => path.replaceAll(/:\w+/g, 'x%2Fy'));
  const paths = [
    ...filled.flatMap((path) => [path, `${path}/`, path.toUpperCase(), `${path}/more`, `${path}//`, path.slice(1)]),
    ...['/v1', '/v1/', '/v1/workflows/Counts/', '/v1/constructor', '/docs/__proto__', '/'.repeat(5_000), ''],
  ];
  for (const path of paths)
    for (const method of ['GET', 'HEAD', 'POST', 'DELETE', 'PUT']) {
      const [ours, whole] = [routerFor(path).match(path, method), one.match(path, method)];
      const told = ({ path: all, pathAndMethod }: typeof ours) =>
        [all, pathAndMethod].map((layers) => layers.map(({ path: own, methods }) => [own, methods]));
      expect([method, path, told(ours)]).toEqual([method, path, told(whole)]);
    }
  expect(routerFor('/v1/workflows/x').stack.length).toBeLessThan(5);
});
