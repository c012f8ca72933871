import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Schema } from '../../src/api/schema.ts';
import { published } from '../../src/api/schemas.ts';
import type { Running } from '../../src/server/start.ts';
import { type Answer, postForm, postJson, send, startServer } from '../support/server.ts';

/** Nobody listens there: every try fails at once and is due again in 30 seconds, which no test waits for. */
const NOWHERE = 'http://127.0.0.1:1/callback';

type Workitem = {
  readonly id: string;
  readonly workflow_id: string;
  readonly expression_id: string;
  readonly participant: string;
  readonly status: string;
  readonly fields: Record<string, unknown>;
  readonly revision: number;
};
type Workflow = {
  readonly id: string;
  readonly status: string;
  readonly name: string | null;
  readonly fields: Record<string, unknown>;
  readonly tags: readonly string[];
  readonly expressions: readonly { readonly id: string; readonly name: string; readonly state: string }[];
  readonly workitems: readonly Workitem[];
  readonly errors: readonly { readonly expression_id: string; readonly class: string; readonly message: string }[];
  readonly timers: readonly { readonly due_at: string; readonly action: string }[];
};

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
const checks = new Map<Schema, ReturnType<typeof ajv.compile>>();
function expectShape(schema: Schema, value: unknown): void {
  const check = checks.get(schema) ?? ajv.compile(schema);
  checks.set(schema, check);
  expect(check(value), JSON.stringify(check.errors)).toBe(true);
}

/** What can be done over HTTP to workflows and all that is in them, on a server with these settings. */
export function describeWorkflows(
  open: () => Promise<{ settings: Record<string, string>; close: () => Promise<void> }>,
): void {
  let server: Running;
  let close = (): Promise<void> => Promise.resolve();
  beforeAll(async () => {
    const opened = await open();
    close = opened.close;
    server = await startServer({ TEST_CLOCK: '1', ...opened.settings });
  }, 120_000);
  afterAll(async () => {
    await server.stop();
    await close();
  }, 120_000);

  async function launch(workflow: unknown, fields: Record<string, unknown> = {}): Promise<string> {
    const answer = await postJson(server.url, '/v1/workflows', { workflow, callback: NOWHERE, fields });
    expect(answer.status, answer.text).toBe(201);
    return answer.json<{ id: string }>().id;
  }

  async function look(id: string): Promise<Workflow> {
    const answer = await send(server.url, 'GET', `/v1/workflows/${id}`);
    expect(answer.status, answer.text).toBe(200);
    expectShape(published.workflow, answer.json());
    return answer.json<Workflow>();
  }

  async function workitemOf(id: string, participant: string): Promise<Workitem> {
    const found = (await look(id)).workitems.find((workitem) => workitem.participant === participant);
    if (found === undefined) throw new Error(`It is not the turn of ${participant}`);
    return found;
  }

  const pathOf = (workitem: Workitem): string => `/v1/workflows/${workitem.workflow_id}/workitems/${workitem.id}`;
  const proceed = (workitem: Workitem, fields: Record<string, unknown> = {}): Promise<Answer> =>
    postJson(server.url, `${pathOf(workitem)}/proceed`, { fields });

  function expectOk(answer: Answer): void {
    expect([answer.status, answer.text]).toEqual([201, 'OK']);
    expect(answer.headers['content-type']).toMatch(/^text\/plain/);
  }
  function expectProblem(answer: Answer, status: number, code: string, error?: string): void {
    expect(answer.json()).toMatchObject({ status, code, ...(error === undefined ? {} : { error }) });
    expect(answer.status).toBe(status);
  }

  describe('the published example', () => {
    test('works as it is written', async () => {
      const launched = await postForm(
        server.url,
        '/v1/workflows',
        'workflow=<process-definition name="aaa"><participant ref="alpha" /></process-definition>&callbacks[alpha]=http://localhost:1234/callbacks/alpha',
      );
      expect(launched.status).toBe(201);
      expect(launched.text).toMatch(/^\{"id":"\d{8}-\d{4}-[a-z]+-[a-z]+"\}$/);
      const { id } = launched.json<{ id: string }>();
      expect(launched.headers['location']).toBe(`/v1/workflows/${id}`);

      const workitem = await workitemOf(id, 'alpha');
      expect(workitem.fields).toEqual({ params: { ref: 'alpha' } });
      expectOk(await postForm(server.url, `${pathOf(workitem)}/proceed`, 'fields[status]=successful'));
      expect(await look(id)).toMatchObject({ status: 'completed', name: 'aaa', fields: { status: 'successful' } });
      expectProblem(await proceed(workitem), 400, 'already_proceeded', 'workitem_id not found');
    });
  });

  describe('a launch', () => {
    test('takes forms with nested keys, every leaf a text', async () => {
      const body = `workflow=define%0A%20%20alpha&callback=${NOWHERE}&fields[a][b]=1&fields[c.d]=2&fields[list][]=x&fields[list][]=y`;
      const { id } = (await postForm(server.url, '/v1/workflows', body)).json<{ id: string }>();
      expect((await look(id)).fields).toEqual({ a: { b: '1' }, 'c.d': '2', list: ['x', 'y'] });
    });

    test('takes a tree in a JSON body', async () => {
      const id = await launch(['define', { name: 'tree' }, [['participant', { ref: 'alpha' }, []]]]);
      expect(await look(id)).toMatchObject({ name: 'tree', workitems: [{ participant: 'alpha' }] });
    });

    test('keeps every JSON value of its fields, but not those that are ours', async () => {
      const fields = {
        n: 1.5,
        b: true,
        x: null,
        l: [1, ['a']],
        o: { 'k.l': '' },
        callbacks: { a: 1 },
        '\n': '\u{1f60a}',
      };
      const id = await launch('define\n  alpha', { ...fields, params: { a: 1 }, dispatched_at: 'now' });
      expect((await workitemOf(id, 'alpha')).fields).toEqual({ ...fields, params: { ref: 'alpha' } });
    });

    test('of something that ends at once is completed at once', async () => {
      expect((await look(await launch('define', { a: 1 }))).status).toBe('completed');
    });
  });

  describe('a proceed', () => {
    test('merges fields one level deep, given ones win, those that are ours are ignored', async () => {
      const id = await launch('define\n  alpha\n  bravo', { a: { b: 1, c: 2 }, d: 3 });
      const given = { a: { e: 4 }, f: null, params: { ref: 'zulu' }, dispatched_at: 'never', callbacks: 'mine' };
      expectOk(await proceed(await workitemOf(id, 'alpha'), given));
      expect((await workitemOf(id, 'bravo')).fields).toEqual({
        a: { e: 4 },
        d: 3,
        f: null,
        callbacks: 'mine',
        params: { ref: 'bravo' },
      });
    });

    test('means the same with %21 as with !, with a body or without', async () => {
      const id = await launch('define\n  alpha\n  bravo');
      const alpha = await workitemOf(id, 'alpha');
      expectOk(await send(server.url, 'POST', `${pathOf(alpha).replaceAll('!', '%21')}/proceed`));
      expectOk(await postJson(server.url, `${pathOf(await workitemOf(id, 'bravo'))}/proceed`, ''));
      expect((await look(id)).status).toBe('completed');
    });

    test('through the address of another workflow is mismatched, of a workitem that is gone not found', async () => {
      const [one, two] = [await launch('define\n  alpha'), await launch('define\n  alpha')];
      const workitem = await workitemOf(one, 'alpha');
      for (const workflow_id of [two, 'no-such-workflow'])
        expectProblem(
          await proceed({ ...workitem, workflow_id }),
          400,
          'workflow_mismatched',
          'workflow_id is mismatched',
        );
      expectOk(await proceed(workitem));
      for (const workflow_id of [one, two, 'no-such-workflow'])
        expectProblem(
          await proceed({ ...workitem, workflow_id }),
          400,
          workflow_id === workitem.workflow_id ? 'already_proceeded' : 'workitem_not_found',
          'workitem_id not found',
        );
    });

    test.each([['a text'], [[1]], [null], [7]])('with fields %j is refused and changes nothing', async (fields) => {
      const workitem = await workitemOf(await launch('define\n  alpha'), 'alpha');
      const answer = await postJson(server.url, `${pathOf(workitem)}/proceed`, { fields });
      expectProblem(answer, 400, 'fields_invalid', 'fields is invalid');
      expectOk(await proceed(workitem));
    });

    test('of which fifty come at once is taken once', async () => {
      const id = await launch('define\n  alpha\n  bravo');
      const workitem = await workitemOf(id, 'alpha');
      const answers = await Promise.all(Array.from({ length: 50 }, () => proceed(workitem)));
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
      expect(answers.filter(({ status }) => status === 400)).toHaveLength(49);
      expect((await look(id)).workitems).toMatchObject([{ participant: 'bravo' }]);
    });
  });

  describe('a workflow', () => {
    test('can be cancelled once; DELETE is the same', async () => {
      const id = await launch('define\n  alpha');
      expectOk(await send(server.url, 'POST', `/v1/workflows/${id}/cancel`));
      expect((await look(id)).status).toBe('cancelled');
      expectProblem(
        await send(server.url, 'POST', `/v1/workflows/${id}/cancel`),
        400,
        'workflow_not_found',
        'workflow_id not found',
      );
      const other = await launch('define\n  alpha');
      expectOk(await send(server.url, 'DELETE', `/v1/workflows/${other}`));
      expect((await look(other)).status).toBe('cancelled');
      expectProblem(await send(server.url, 'DELETE', `/v1/workflows/${other}`), 404, 'workflow_not_found');
    });

    test('is cancelling while its on_cancel handlers run, and a second cancel ends those', async () => {
      const id = await launch('define\n  sequence on_cancel: bravo\n    alpha');
      expectOk(await send(server.url, 'POST', `/v1/workflows/${id}/cancel`));
      expect(await look(id)).toMatchObject({ status: 'cancelling', workitems: [{ participant: 'bravo' }] });
      expectOk(await send(server.url, 'POST', `/v1/workflows/${id}/cancel`));
      expect((await look(id)).status).toBe('cancelled');
    });

    test('can be killed', async () => {
      const id = await launch('define\n  sequence on_cancel: bravo\n    alpha');
      expectOk(await send(server.url, 'POST', `/v1/workflows/${id}/kill`));
      expect(await look(id)).toMatchObject({ status: 'killed', workitems: [] });
      expectProblem(await send(server.url, 'POST', `/v1/workflows/${id}/kill`), 409, 'workflow_over');
      expectProblem(await send(server.url, 'POST', '/v1/workflows/20151005-1247-a-b/kill'), 404, 'workflow_not_found');
    });

    test('shows a browser its page, and is sent nothing but objects', async () => {
      const id = await launch('define\n  alpha');
      const Accept = 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8';
      const page = await send(server.url, 'GET', `/v1/workflows/${id}`, { headers: { Accept } });
      expect([page.status, page.headers['location']]).toEqual([303, `/console/workflows/${id}`]);
      const none = await send(server.url, 'GET', '/v1/workflows/20151005-1247-a-b', { headers: { Accept } });
      expectProblem(none, 404, 'workflow_not_found');
      const statusFor = async (accept: string): Promise<number> =>
        (await send(server.url, 'GET', `/v1/workflows/${id}`, { headers: { Accept: accept } })).status;
      expect(await statusFor('*/*')).toBe(200);
      expect(await statusFor('text/html;q=0.5, application/json')).toBe(200);
      expect(await statusFor('text/html;q=0, */*')).toBe(200);
      expect(await statusFor('application/json;q=0.9, text/html')).toBe(303);
      expectProblem(await postJson(server.url, `/v1/workflows/${id}/messages/m`, [1]), 422, 'request_invalid');
    });

    test('keeps answers while it is paused and goes on when it is resumed', async () => {
      const id = await launch('define\n  alpha\n  bravo');
      const alpha = await workitemOf(id, 'alpha');
      expectOk(await send(server.url, 'POST', `/v1/workflows/${id}/pause`));
      expect((await look(id)).status).toBe('paused');
      expectOk(await proceed(alpha, { kept: 1 }));
      expectProblem(await proceed(alpha), 400, 'already_proceeded');
      expectOk(await send(server.url, 'POST', `/v1/workflows/${id}/resume`));
      expect(await workitemOf(id, 'bravo')).toMatchObject({ fields: { kept: 1 } });
    });

    test('shows its tags and timers', async () => {
      const id = await launch("define\n  sequence tag: phase_one\n    alpha timeout: '2d'");
      const shown = await look(id);
      expect(shown.tags).toEqual(['phase_one']);
      expect(shown.timers).toMatchObject([{ action: 'timeout', due_at: expect.stringMatching(/^20\d\d-.*Z$/) }]);
    });

    test('with more than a thousand expressions is shown a page at a time, each expression once', async () => {
      const nested = Array.from({ length: 9 }, (_, depth) => `${' '.repeat(depth + 4)}sequence\n`).join('');
      const id = await launch(`define\n  citerator times: 120\n${nested}${' '.repeat(14)}alpha`);
      // So many branches are opened in several turns.
      expect((await postJson(server.url, '/v1/test/clock', { advance: 0 })).status).toBe(200);
      const ids: string[] = [];
      let cursor: string | null = null;
      do {
        const path = `/v1/workflows/${id}${cursor === null ? '' : `?cursor=${cursor}`}`;
        const page: { expressions: readonly { id: string }[]; expressions_cursor: string | null } = (
          await send(server.url, 'GET', path)
        ).json();
        expect(page.expressions.length).toBeLessThanOrEqual(1000);
        ids.push(...page.expressions.map((expression) => expression.id));
        cursor = page.expressions_cursor;
      } while (cursor !== null);
      expect(new Set(ids).size).toBe(ids.length);
      expect(ids.length).toBe(2 + 120 * 10);
      expectOk(await send(server.url, 'POST', `/v1/workflows/${id}/kill`));
    }, 60_000);
  });

  describe('a history', () => {
    test('is numbered without gaps and read page by page', async () => {
      const id = await launch('define\n  alpha');
      await proceed(await workitemOf(id, 'alpha'));
      const entries: { n: number; kind: string }[] = [];
      let after: number | null = 0;
      while (after !== null) {
        const answer = await send(server.url, 'GET', `/v1/workflows/${id}/history?after=${after}&limit=3`);
        expectShape(published.history, answer.json());
        const page: { history: { n: number; kind: string }[]; first_kept: number; next_after: number | null } =
          answer.json();
        expect(page.first_kept).toBe(1);
        expect(page.history.length).toBeLessThanOrEqual(3);
        entries.push(...page.history);
        after = page.next_after;
      }
      expect(entries.map(({ n }) => n)).toEqual(entries.map((_, i) => i + 1));
      const kinds = entries.map(({ kind }) => kind);
      for (const kind of ['workflow.launched', 'workitem.opened', 'workitem.proceeded', 'workflow.completed'])
        expect(kinds.filter((one) => one === kind)).toHaveLength(1);
      expectProblem(await send(server.url, 'GET', `/v1/workflows/${id}/history?after=-1`), 400, 'query_invalid');
      expectProblem(
        await send(server.url, 'GET', '/v1/workflows/20151005-1247-a-b/history'),
        404,
        'workflow_not_found',
      );
    });
  });

  describe('the list of workflows', () => {
    test('goes newest first, page by page, without repeating or leaving out', async () => {
      const launched: string[] = [];
      for (let i = 0; i < 7; i++) launched.push(await launch('define paged\n  alpha', { i }));
      const listed: string[] = [];
      let cursor: string | null = null;
      do {
        const path = `/v1/workflows?name=paged&limit=3${cursor === null ? '' : `&cursor=${cursor}`}`;
        const answer = await send(server.url, 'GET', path);
        expectShape(published.workflows, answer.json());
        const page: { workflows: { id: string }[]; next_cursor: string | null } = answer.json();
        listed.push(...page.workflows.map(({ id }) => id));
        cursor = page.next_cursor;
      } while (cursor !== null);
      expect([...listed].sort()).toEqual([...launched].sort());
    });

    test('filters by status, name, participant, tag and fields', async () => {
      const one = await launch('define wanted\n  sequence tag: here\n    yankee', { a: { b: [5] }, c: 'x' });
      const two = await launch('define wanted\n  zulu', { a: { b: [6] }, c: 'x' });
      const listed = async (query: string): Promise<readonly string[]> => {
        const answer = await send(server.url, 'GET', `/v1/workflows?${query}`);
        expect(answer.status, answer.text).toBe(200);
        return answer.json<{ workflows: { id: string }[] }>().workflows.map(({ id }) => id);
      };
      expect(new Set(await listed('name=wanted'))).toEqual(new Set([one, two]));
      expect(await listed('participant=yankee')).toEqual([one]);
      expect(await listed('participant=zulu&status=running')).toEqual([two]);
      expect(await listed('participant=zulu&status=completed')).toEqual([]);
      expect(await listed('tag=here')).toEqual([one]);
      expect(await listed('name=wanted&field.a.b.0=5')).toEqual([one]);
      expect(await listed('name=wanted&field.c=x&field.a.b=[6]')).toEqual([two]);
      expect(await listed('name=wanted&field.constructor=x')).toEqual([]);
    });

    test('looks on page after page for the few that fit, each once', async () => {
      const launched: string[] = [];
      for (let i = 0; i < 25; i++) launched.push(await launch('define sifted\n  alpha', { gold: i % 8 === 0 }));
      const gold = launched.filter((_, i) => i % 8 === 0);
      const found: string[] = [];
      for (let cursor: string | null = '', pages = 0; cursor !== null; pages++) {
        expect(pages).toBeLessThan(4);
        const more = cursor === '' ? '' : `&cursor=${cursor}`;
        const answer = await send(server.url, 'GET', `/v1/workflows?name=sifted&field.gold=true&limit=2${more}`);
        const page: { workflows: { id: string }[]; next_cursor: string | null } = answer.json();
        found.push(...page.workflows.map(({ id }) => id));
        cursor = page.next_cursor;
      }
      expect([...found].sort()).toEqual([...gold].sort());
    });
  });

  describe('a workitem', () => {
    test('is shown with an ETag and edited only by whoever has seen it as it is', async () => {
      const id = await launch('define\n  alpha\n  bravo', { a: 1, b: 2 });
      const path = pathOf(await workitemOf(id, 'alpha'));
      const shown = await send(server.url, 'GET', path);
      expectShape(published.workitem, shown.json());
      const etag = String(shown.headers['etag']);
      expect(etag).toMatch(/^"\d+"$/);
      const edit = (headers: Record<string, string>, fields: unknown = { b: 3 }): Promise<Answer> =>
        send(server.url, 'PATCH', path, {
          headers: { 'Content-Type': 'application/json', ...headers },
          body: JSON.stringify({ fields }),
        });
      expectProblem(await edit({}), 428, 'precondition_required');
      expectProblem(await edit({ 'If-Match': '"999"' }), 412, 'precondition_failed');
      expectProblem(await edit({ 'If-Match': `W/${etag}` }), 412, 'precondition_failed');
      expectProblem(await edit({ 'If-Match': etag }, 'b=3'), 422, 'request_invalid');
      const edited = await edit({ 'If-Match': `"999", ${etag}` });
      expect(edited.status, edited.text).toBe(200);
      expect(edited.json<Workitem>().fields).toEqual({ a: 1, b: 3, params: { ref: 'alpha' } });
      expect(edited.headers['etag']).not.toBe(etag);
      expectProblem(await edit({ 'If-Match': etag }), 412, 'precondition_failed');
      expect((await edit({ 'If-Match': '*' }, { c: 4 })).status).toBe(200);
      expectOk(await proceed(await workitemOf(id, 'alpha')));
      expect((await workitemOf(id, 'bravo')).fields).toEqual({ a: 1, b: 3, c: 4, params: { ref: 'bravo' } });
      expectProblem(await edit({ 'If-Match': '*' }), 404, 'workitem_not_found');
    });

    test('is listed by participant and workflow', async () => {
      const id = await launch('define\n  concurrence\n    lister\n    other');
      const answer = await send(server.url, 'GET', '/v1/workitems?participant=lister');
      expectShape(published.workitems, answer.json());
      expect(answer.json()).toMatchObject({
        workitems: [{ participant: 'lister', workflow_id: id }],
        next_cursor: null,
      });
      const { workitems } = (await send(server.url, 'GET', `/v1/workitems?workflow_id=${id}`)).json<{
        workitems: readonly Workitem[];
      }>();
      expect(workitems.map(({ participant }) => participant).sort()).toEqual(['lister', 'other']);
      expectProblem(await send(server.url, 'GET', '/v1/workitems?status=closed'), 400, 'query_invalid');
    });

    test('that is given up puts the workflow in error, and can be replayed, or proceeded all the same', async () => {
      const id = await launch('define\n  alpha\n  bravo');
      const alpha = await workitemOf(id, 'alpha');
      expectOk(await postJson(server.url, `${pathOf(alpha)}/fail`, { message: 'no paper', class: 'PrinterError' }));
      const failed = await look(id);
      expect(failed).toMatchObject({
        status: 'error',
        errors: [{ class: 'PrinterError', message: expect.stringContaining('no paper') }],
        workitems: [{ participant: 'alpha', status: 'failed' }],
      });
      const { errors } = (await send(server.url, 'GET', '/v1/errors')).json<{ errors: { workflow_id: string }[] }>();
      expect(errors.filter(({ workflow_id }) => workflow_id === id)).toHaveLength(1);

      const expression = failed.errors[0]?.expression_id ?? '';
      const replay = (body: unknown): Promise<Answer> =>
        postJson(server.url, `/v1/workflows/${id}/errors/${expression}/replay`, body);
      expectProblem(await replay({ tree: ['a'] }), 422, 'request_invalid');
      expectProblem(await replay({ tree: ['a', {}, [1]] }), 422, 'request_invalid');
      expectOk(await replay({ fields: { paper: true } }));
      expectProblem(await replay({}), 404, 'error_not_found');
      const again = await workitemOf(id, 'alpha');
      expect(again.fields).toMatchObject({ paper: true });
      // It is the same turn of the same participant, only tried again.
      expect(again.id).toBe(alpha.id);

      expectOk(await postJson(server.url, `${pathOf(again)}/fail`, { message: 'still none' }));
      expect((await look(id)).errors).toMatchObject([{ class: 'RuntimeError' }]);
      expectOk(await proceed(again));
      expect(await look(id)).toMatchObject({ status: 'running', errors: [], workitems: [{ participant: 'bravo' }] });
    });

    test('that is given up with retry stays with its participant', async () => {
      const workitem = await workitemOf(await launch('define\n  alpha'), 'alpha');
      expectOk(await postJson(server.url, `${pathOf(workitem)}/fail`, { message: 'busy', retry: true }));
      const answer = await send(server.url, 'GET', `${pathOf(workitem)}/deliveries`);
      expectShape(published.deliveries, answer.json());
      const { deliveries } = answer.json<{ deliveries: readonly Record<string, unknown>[] }>();
      expect(deliveries.at(-1)).toMatchObject({ message: 'active', error: expect.stringContaining('busy') });
      expectOk(await postJson(server.url, `${pathOf(workitem)}/redeliver`, ''));
      expectOk(await proceed(workitem));
      expectProblem(await postJson(server.url, `${pathOf(workitem)}/redeliver`, ''), 404, 'workitem_not_found');
      expectProblem(
        await postJson(server.url, `${pathOf(workitem)}/fail`, { message: 'x' }),
        404,
        'workitem_not_found',
      );
    });
  });

  describe('an expression', () => {
    test('can be cancelled, killed and applied again', async () => {
      const id = await launch('define\n  alpha\n  bravo\n  charly');
      const act = (expression: string, what: string, body: unknown = ''): Promise<Answer> =>
        postJson(server.url, `/v1/workflows/${id}/expressions/${expression}/${what}`, body);
      const alpha = await workitemOf(id, 'alpha');
      expectOk(await act(alpha.expression_id, 'reapply', { fields: { again: 1 } }));
      const again = await workitemOf(id, 'alpha');
      expect(again.id).not.toBe(alpha.id);
      expect(again.fields).toMatchObject({ again: 1 });
      expectProblem(await act(alpha.expression_id, 'cancel'), 404, 'expression_not_found');
      expectOk(await act(again.expression_id.replace('!', '%21'), 'cancel'));
      expectOk(await act((await workitemOf(id, 'bravo')).expression_id, 'kill'));
      expectOk(await proceed(await workitemOf(id, 'charly')));
      expect((await look(id)).status).toBe('completed');
      expectProblem(await act('0_0', 'cancel'), 404, 'expression_not_found');
    });
  });

  describe('a retry', () => {
    const retry = (id: string, body: unknown): Promise<Answer> =>
      postJson(server.url, `/v1/workflows/${id}/retry`, body);
    const turnsOf = async (id: string): Promise<readonly string[]> =>
      (await look(id)).workitems.map(({ participant }) => participant);
    const TEXT = 'define\n  alpha\n  bravo tag: "second"\n  sequence\n    charly\n    alpha task: "again"\n';

    test('goes on with what is in error, or from a step, with fields merged; only later steps are asked again', async () => {
      const id = await launch(TEXT, { kept: 1, country: 'Neuseeland' });
      expectProblem(await retry(id, {}), 409, 'conflict');
      expectOk(await proceed(await workitemOf(id, 'alpha')));
      const bravo = await workitemOf(id, 'bravo');
      expectOk(await postJson(server.url, `${pathOf(bravo)}/fail`, { message: 'no such country' }));
      expect((await look(id)).status).toBe('error');
      const rehearsed = await retry(id, { dry_run: true });
      expect([rehearsed.status, rehearsed.json<{ opened: unknown }>().opened]).toMatchObject([
        200,
        [{ participant: 'bravo' }],
      ]);
      const replayed = await retry(id, { fields: { country: 'NZ' }, reason: 'it was a name' });
      expect([replayed.status, replayed.json()]).toEqual([201, { id, from: '0_1' }]);
      expectShape(published['workflow-retried'], replayed.json());
      expect((await workitemOf(id, 'bravo')).fields).toMatchObject({ kept: 1, country: 'NZ' });
      expectOk(await proceed(await workitemOf(id, 'bravo')));
      expect(await turnsOf(id)).toEqual(['charly']);
      // Back by a tag, forward by a place.
      expect((await retry(id, { from: 'second' })).json()).toEqual({ id, from: '0_1' });
      expect(await turnsOf(id)).toEqual(['bravo']);
      expect((await retry(id, { from: '0_2_1', fields: { country: 'AU' } })).status).toBe(201);
      expect(await turnsOf(id)).toEqual(['alpha']);
      expect((await workitemOf(id, 'alpha')).fields).toMatchObject({
        kept: 1,
        country: 'AU',
        params: { task: 'again' },
      });
      expectProblem(await retry(id, { from: 'alpha' }), 422, 'request_invalid');
      expectProblem(await retry(id, { from: '0_9' }), 422, 'request_invalid');
      expectOk(await proceed(await workitemOf(id, 'alpha')));
      expect((await look(id)).status).toBe('completed');
      expectProblem(await retry(id, { from: '0_1' }), 409, 'workflow_over');
      expectProblem(await retry('20151005-1247-nobody-nothing', {}), 404, 'workflow_not_found');
    });

    test('makes another workflow of one that is over, or in error, with fork', async () => {
      const id = await launch(TEXT, { kept: 1 });
      expectOk(await proceed(await workitemOf(id, 'alpha'), { set: 'by alpha' }));
      expectOk(await postJson(server.url, `${pathOf(await workitemOf(id, 'bravo'))}/fail`, { message: 'no' }));
      const forked = await retry(id, { fork: true, fields: { kept: 2 } });
      const { id: other } = forked.json<{ id: string }>();
      expect(other).not.toBe(id);
      expect([forked.status, forked.json()]).toEqual([201, { id: other, from: '0_1', retry_of: id }]);
      expect(forked.headers['location']).toBe(`/v1/workflows/${other}`);
      expect((await workitemOf(other, 'bravo')).fields).toMatchObject({ kept: 2, set: 'by alpha' });
      expect(await look(other)).toMatchObject({ retry_of: id });
      expect((await look(id)).status).toBe('error');
      expectOk(await postJson(server.url, `/v1/workflows/${id}/kill`, ''));
      const last = (await retry(id, { fork: true, from: 'charly' })).json<{ id: string }>();
      expect(await turnsOf(last.id)).toEqual(['charly']);
      // The old one leads to the new ones, the newest first.
      const tries = await send(server.url, 'GET', `/v1/workflows?retry_of=${id}`);
      expect(tries.json<{ workflows: { id: string }[] }>().workflows.map((one) => one.id)).toEqual([last.id, other]);
      expect((await send(server.url, 'GET', `/v1/workflows/count?retry_of=${other}`)).json()).toEqual({ count: 0 });
      expectProblem(await retry(id, { fork: true, from: '0', dry_run: true }), 422, 'request_invalid');
    });
  });

  describe('an Idempotency-Key', () => {
    const launchWith = (key: string, body: unknown): Promise<Answer> =>
      postJson(server.url, '/v1/workflows', body, { 'Idempotency-Key': key });
    const body = { workflow: 'define once\n  alpha', callback: NOWHERE };

    test('repeats the first answer to the same request, and launches once', async () => {
      const first = await launchWith('"launch-1"', body);
      const second = await launchWith('launch-1', body);
      expect(first.status).toBe(201);
      expect([second.status, second.text]).toEqual([first.status, first.text]);
      expect(second.headers['location']).toBe(first.headers['location']);
      expect(first.headers['idempotent-replayed']).toBeUndefined();
      expect(second.headers['idempotent-replayed']).toBe('true');
      const { workflows } = (await send(server.url, 'GET', '/v1/workflows?name=once')).json<{ workflows: unknown[] }>();
      expect(workflows).toHaveLength(1);
    });

    test('of another request is refused', async () => {
      await launchWith('launch-2', body);
      expectProblem(await launchWith('launch-2', { ...body, fields: { a: 1 } }), 422, 'idempotency_key_reused');
    });

    test('repeats complaints as well', async () => {
      const first = await launchWith('launch-3', {});
      const second = await launchWith('launch-3', {});
      expect([second.status, second.text]).toEqual([400, first.text]);
      expect(second.headers['content-type']).toMatch(/^application\/problem\+json/);
    });

    test('that is under way is refused, and many at once launch once', async () => {
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => launchWith('launch-4', { ...body, workflow: 'define many\n  alpha' })),
      );
      for (const answer of answers) expect([201, 409]).toContain(answer.status);
      expect(new Set(answers.filter(({ status }) => status === 201).map(({ text }) => text)).size).toBe(1);
      const { workflows } = (await send(server.url, 'GET', '/v1/workflows?name=many')).json<{ workflows: unknown[] }>();
      expect(workflows).toHaveLength(1);
    });

    test('makes a proceed say OK twice', async () => {
      const workitem = await workitemOf(await launch('define\n  alpha'), 'alpha');
      const again = (): Promise<Answer> =>
        postJson(server.url, `${pathOf(workitem)}/proceed`, {}, { 'Idempotency-Key': 'proceed-1' });
      expectOk(await again());
      expectOk(await again());
      expectProblem(await proceed(workitem), 400, 'already_proceeded');
    });

    test.each(['', '""', 'a b', 'x'.repeat(300)])('%j is refused or no key', async (key) => {
      const answer = await launchWith(key, body);
      if (key === '') expect(answer.status).toBe(201);
      else expectProblem(answer, 400, 'idempotency_key_invalid');
    });
  });
}
