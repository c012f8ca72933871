import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { published } from '../../src/api/schemas.ts';
import type { Running } from '../../src/server/start.ts';
import { postJson, send, startServer } from '../support/server.ts';

let server: Running;
beforeAll(async () => {
  server = await startServer({ TEST_CLOCK: '1' });
}, 60_000);
afterAll(() => server.stop(), 60_000);

type Document = {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly operationId: string }>>>>;
};

describe('/openapi.json', () => {
  test('describes every address there is, and nothing else', async () => {
    const document = (await send(server.url, 'GET', '/openapi.json')).json<Document>();
    expect(document.openapi).toBe('3.1.0');
    const ids = new Set<string>();
    for (const [path, methods] of Object.entries(document.paths)) {
      const answer = await send(server.url, 'OPTIONS', path.replaceAll(/[{}]/g, 'x'));
      const allowed = String(answer.headers['allow'])
        .split(', ')
        .filter((method) => !['HEAD', 'OPTIONS'].includes(method));
      expect(allowed.sort(), path).toEqual(
        Object.keys(methods)
          .map((method) => method.toUpperCase())
          .sort(),
      );
      for (const { operationId } of Object.values(methods)) {
        expect(ids.has(operationId), operationId).toBe(false);
        ids.add(operationId);
      }
    }
    expect(ids.size).toBeGreaterThan(25);
  });

  test('refers only to what it holds', async () => {
    const { text } = await send(server.url, 'GET', '/openapi.json');
    const references = [...text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name ?? '');
    expect(references.length).toBeGreaterThan(20);
    for (const name of references) expect(Object.keys(published)).toContain(name);
  });

  test('tells the truth about problems', async () => {
    const check = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(published.problem);
    for (const answer of [
      await send(server.url, 'GET', '/v1/nothing'),
      await postJson(server.url, '/v1/workflows', {}),
      await postJson(server.url, '/v1/workflows', '{'),
      await postJson(server.url, '/v1/definitions/validate', {}),
    ])
      expect(check(answer.json()), JSON.stringify(check.errors)).toBe(true);
  });
});

describe('/v1/definitions/validate', () => {
  test('gives the tree and the participants of a good definition', async () => {
    const workflow =
      'define order\n  concurrence\n    stock\n    participant credit\n  shipping\n  define shipping\n    carrier';
    const answer = await postJson(server.url, '/v1/definitions/validate', { workflow });
    expect(answer.status).toBe(200);
    expect(answer.json()).toMatchObject({
      valid: true,
      tree: ['define', { order: null }, expect.any(Array)],
      errors: [],
      participants: ['carrier', 'credit', 'stock'],
    });
  });

  test('tells what is wrong with a bad one, and where', async () => {
    const answer = await postJson(server.url, '/v1/definitions/validate', { workflow: '<a>\n<b></a>' });
    expect(answer.status).toBe(200);
    expect(answer.json()).toMatchObject({
      valid: false,
      participants: [],
      errors: [{ message: expect.any(String), line: 2, column: expect.any(Number) }],
    });
  });
});
