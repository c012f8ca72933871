import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FIELD_SHOWN_BYTES_MAX } from '../../src/api/abridged.ts';
import { type LargeNotes, makeLargeNotes } from '../../src/api/large.ts';
import { PAGE_BYTES_MAX } from '../../src/api/page.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { manualTime } from '../../src/runtime/process-time.ts';
import type { Running } from '../../src/server/start.ts';
import { postJson, send, startServer } from '../support/server.ts';

/* Answers are bounded in bytes: pages end early, and many workitems tell their large fields by size and hash. */

/** What stands around the items of a page: the fields of the workflow, its tree, its expressions. */
const HEAD_BYTES_MAX = 300_000;
const NOWHERE = 'http://127.0.0.1:1/callback';
let server: Running;
beforeAll(async () => {
  server = await startServer({ PAYLOAD_WARN: '0.2' });
}, 120_000);
afterAll(() => server.stop(), 120_000);

type Item = {
  readonly id: string;
  readonly workflow_id: string;
  readonly fields: Record<string, unknown>;
  readonly large_fields?: Record<string, { readonly bytes: number; readonly sha256: string }>;
};
type Page = { readonly workitems: readonly Item[]; readonly next_cursor: string | null };
type View = {
  readonly fields: Record<string, unknown>;
  readonly expressions: readonly { readonly id: string }[];
  readonly workitems: readonly Item[];
  readonly expressions_cursor: string | null;
};

async function launch(workflow: string, fields: Record<string, unknown>): Promise<string> {
  const answer = await postJson(server.url, '/v1/workflows', { workflow, callback: NOWHERE, fields });
  expect(answer.status, answer.text).toBe(201);
  return answer.json<{ id: string }>().id;
}

async function pagesOf<P>(path: string, nextOf: (page: P) => string | null): Promise<readonly P[]> {
  const pages: P[] = [];
  for (let cursor: string | null = null, more = true; more; more = cursor !== null) {
    const separator = path.includes('?') ? '&' : '?';
    const answer = await send(server.url, 'GET', cursor === null ? path : `${path}${separator}cursor=${cursor}`);
    expect(answer.status, answer.text.slice(0, 500)).toBe(200);
    expect(answer.text.length).toBeLessThanOrEqual(PAGE_BYTES_MAX + HEAD_BYTES_MAX);
    const page = answer.json<P>();
    pages.push(page);
    cursor = nextOf(page);
  }
  return pages;
}

test('what is near to a small bound is told in kilobytes', () => {
  const parts = { share: 0.5, meter: { large: () => {} }, log: silentLog, time: manualTime() };
  const { note, header } = makeLargeNotes(parts).begin('default' as Parameters<LargeNotes['begin']>[0]);
  note('fields', 12_000, 20_000);
  note('expressions', 30_000, 50_000);
  expect(header()).toBe('fields 12.0 kB of 20.0 kB; expressions 30000 of 50000');
});

test('what is near to its bound is said in the answer, and counted; what is beyond is told with its size', async () => {
  const text = 'x'.repeat(900_000);
  const body = { workflow: 'define\n  alpha', callback: NOWHERE, fields: { text } };
  const answer = await postJson(server.url, '/v1/workflows', body);
  expect(answer.status).toBe(201);
  expect(answer.headers['rota-warning']).toBe('body 0.9 MB of 4.2 MB; fields 0.9 MB of 4.0 MB');
  const { workitems } = (
    await send(server.url, 'GET', `/v1/workflows/${answer.json<{ id: string }>().id}`)
  ).json<View>();
  const at = `/v1/workflows/${workitems[0]?.workflow_id}/workitems/${workitems[0]?.id}`;
  const small = await postJson(server.url, `${at}/proceed`, { fields: { text: '' } });
  expect([small.text, small.headers['rota-warning']]).toEqual(['OK', undefined]);
  const long = `define\n  alpha note: '${'n'.repeat(300_000)}'`;
  const defined = await postJson(server.url, '/v1/workflows', { workflow: long, callback: NOWHERE });
  expect(defined.headers['rota-warning']).toBe('definition 0.3 MB of 1.0 MB');
  const figures = (await send(server.url, 'GET', '/metrics')).text;
  for (const what of ['body', 'fields', 'definition'])
    expect(figures).toMatch(new RegExp(`^rota_payload_warnings_total\\{what="${what}"\\} 1$`, 'm'));
  const beyond = await postJson(server.url, '/v1/workflows', { fields: { text: 'x'.repeat(4_200_000) } });
  expect(beyond.json()).toMatchObject({
    status: 413,
    detail: expect.stringMatching(/has 42\d{5} bytes, more than 4194304$/),
  });
});

describe('a workitem among others', () => {
  test('tells a large field by size and hash; alone it has it whole', async () => {
    const large = 'é'.repeat(FIELD_SHOWN_BYTES_MAX / 2);
    const id = await launch('define\n  alpha', { small: 'x', large });
    const json = JSON.stringify(large);
    const told = { large: { bytes: Buffer.byteLength(json), sha256: createHash('sha256').update(json).digest('hex') } };

    const list = (await send(server.url, 'GET', `/v1/workitems?workflow_id=${id}`)).json<Page>();
    expect(list.workitems).toMatchObject([{ fields: { small: 'x', params: {} }, large_fields: told }]);
    expect(list.workitems[0]?.fields).not.toHaveProperty('large');
    const view = (await send(server.url, 'GET', `/v1/workflows/${id}`)).json<View>();
    expect(view.workitems).toMatchObject([{ fields: { small: 'x', params: {} }, large_fields: told }]);
    expect(view.fields['large']).toBe(large);

    const alone = (
      await send(server.url, 'GET', `/v1/workflows/${id}/workitems/${list.workitems[0]?.id}`)
    ).json<Item>();
    expect(alone.fields['large']).toBe(large);
    expect(alone).not.toHaveProperty('large_fields');
  });

  test('stands in the view of its workflow without its fields where that is asked for', async () => {
    const id = await launch('define\n  alpha', { small: 'x' });
    const at = `/v1/workflows/${id}`;
    const [whole] = (await send(server.url, 'GET', at)).json<View>().workitems;
    const [bare] = (await send(server.url, 'GET', `${at}?omit=workitem_fields`)).json<View>().workitems;
    expect(bare).toEqual({ ...whole, fields: {}, fields_omitted: true });
    const other = (await send(server.url, 'GET', `${at}?omit=fields`)).json();
    expect(other).toMatchObject({ status: 400, code: 'query_invalid', detail: 'omit must be workitem_fields' });
  });

  test('has no large_fields where there are none', async () => {
    const id = await launch('define\n  alpha', { small: 'x'.repeat(1_000) });
    const { workitems } = (await send(server.url, 'GET', `/v1/workitems?workflow_id=${id}`)).json<Page>();
    expect(workitems[0]).not.toHaveProperty('large_fields');
    expect(workitems[0]?.fields['small']).toBe('x'.repeat(1_000));
  });
});

describe('a fork whose branches share much', () => {
  const fields = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`f${i}`, 'x'.repeat(1_000)]));
  /** As many as one turn makes, so that all are there once the launch is answered. */
  const BRANCHES = 90;
  const fork = `define\n  citerator times: ${BRANCHES}\n    alpha\n`;

  test('is listed in pages that end early, each workitem once', async () => {
    const id = await launch(fork, fields);
    const pages = await pagesOf<Page>(`/v1/workitems?workflow_id=${id}&limit=1000`, (page) => page.next_cursor);
    expect(pages.length).toBe(2);
    const ids = pages.flatMap((page) => page.workitems.map((item) => item.id));
    expect(ids.length).toBe(BRANCHES);
    expect(new Set(ids).size).toBe(BRANCHES);
  });

  test('is shown in pages that end early, each expression and workitem once', async () => {
    const id = await launch(fork, fields);
    const pages = await pagesOf<View>(`/v1/workflows/${id}`, (page) => page.expressions_cursor);
    expect(pages.length).toBe(2);
    const items = pages.flatMap((page) => page.workitems.map((item) => item.id));
    expect(items.length).toBe(BRANCHES);
    expect(new Set(items).size).toBe(BRANCHES);
    const expressions = pages.flatMap((page) => page.expressions.map((expression) => expression.id));
    expect(new Set(expressions).size).toBe(expressions.length);
    for (const item of items) expect(expressions).toContain(item.slice(0, item.lastIndexOf('!')));
  });

  test('tells what they share by size and hash, each with its own params', async () => {
    const large = 'x'.repeat(FIELD_SHOWN_BYTES_MAX);
    const id = await launch('define\n  citerator times: 5\n    alpha\n', { large });
    const { workitems } = (await send(server.url, 'GET', `/v1/workitems?workflow_id=${id}`)).json<Page>();
    expect(workitems.length).toBe(5);
    for (const item of workitems) {
      expect(item.large_fields?.['large']?.bytes).toBe(large.length + 2);
      expect(item.fields).toHaveProperty('params');
      expect(item.fields).not.toHaveProperty('large');
    }
  });
});
