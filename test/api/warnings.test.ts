import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { published } from '../../src/api/schemas.ts';
import { run } from '../../src/cli/run.ts';
import { Rota } from '../../src/client/index.ts';
import type { Running } from '../../src/server/start.ts';
import { type Answer, postForm, postJson, send, startServer } from '../support/server.ts';

/* What is taken and was probably not meant is told; what an address cannot do is said. */

const NOWHERE = 'http://127.0.0.1:1/callback';
const bpmn = (process: string, task = '', between = ''): string =>
  `<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL">${process}<startEvent id="a"/>${task}<endEvent id="z"/>${
    between === ''
      ? '<sequenceFlow id="f" sourceRef="a" targetRef="z"/>'
      : `<sequenceFlow id="f" sourceRef="a" targetRef="${between}"/><sequenceFlow id="g" sourceRef="${between}" targetRef="z"/>`
  }</process></definitions>`;
type Doubtful = {
  readonly workflow?: string;
  readonly callback?: string | undefined;
  readonly callbacks?: Readonly<Record<string, string>>;
  readonly feilds?: object;
  readonly pointer?: string;
};
/** A launch for each kind of warning. */
const KINDS: readonly (readonly [string, Doubtful])[] = [
  ['expression_misspelt', { workflow: 'define\n  sequense\n    alpha' }],
  ['attribute_misspelt', { workflow: "define\n  alpha timout: '2d'" }],
  ['children_ignored', { workflow: 'define\n  alpha\n    bravo' }],
  ['unreachable', { workflow: 'define\n  alpha\n  terminate\n  bravo' }],
  ['definition_unused', { workflow: 'define\n  alpha\n  define lost\n    bravo' }],
  ['null_condition', { workflow: "define\n  alpha if: '${owner} is null'" }],
  ['indentation_uneven', { workflow: 'define\n  sequence\n      alpha\n    bravo' }],
  ['quote_open', { workflow: "define\n  alpha task: 'x" }],
  ['executable_missing', { workflow: bpmn('<process id="p">') }],
  [
    'callback_missing',
    { workflow: 'define\n  alpha\n  beta', callback: undefined, callbacks: { alpha: 'http://127.0.0.1:1/' } },
  ],
  ['parameter_misspelt', { feilds: {}, pointer: '#/feilds' }],
];
const SEQUENSE = 'define\n  sequense\n    alpha';
let server: Running;
let folder = '';
/** The command line in this process. */
async function local(...args: readonly string[]): Promise<number | null> {
  return (await spoken(args)).code;
}
const rota = (...args: readonly string[]) => spoken([...args, '--url', server.url]);
async function spoken(args: readonly string[]): Promise<{ readonly code: number | null; readonly out: string }> {
  const out: string[] = [];
  const spy = vi.spyOn(console, 'log').mockImplementation((text) => out.push(String(text)));
  try {
    return { code: await run(args), out: out.join('\n') };
  } finally {
    spy.mockRestore();
  }
}
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'rota-warnings-'));
  // What is told on standard error is nobody's here.
  vi.spyOn(console, 'error').mockImplementation(() => {});
  server = await startServer({ BASE_URL: 'https://flow.example/rota', ALLOW_PRIVATE_TARGETS: '1' });
}, 120_000);
afterAll(async () => {
  vi.restoreAllMocks();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}, 120_000);

type Told = { readonly id: string; readonly warnings?: readonly { readonly code: string; readonly message: string }[] };
const launch = (body: Record<string, unknown>): Promise<Answer> =>
  postJson(server.url, '/v1/workflows', { workflow: 'define\n  alpha', callback: NOWHERE, ...body });

async function itemOf(id: string): Promise<{ readonly id: string; readonly path: string }> {
  const view = (await send(server.url, 'GET', `/v1/workflows/${id}`)).json<{ workitems: readonly { id: string }[] }>();
  const item = view.workitems[0]?.id ?? '';
  return { id: item, path: `/v1/workflows/${id}/workitems/${item}` };
}

describe('a launch', () => {
  test('says nothing beside the id when there is nothing to say', async () => {
    const answer = await launch({});
    expect(Object.keys(answer.json<Told>())).toEqual(['id']);
  });

  test('warns of a word near to one of the language, with its place', async () => {
    const answer = await launch({ workflow: SEQUENSE });
    expect(answer.status).toBe(201);
    expect(answer.json<Told>().warnings).toMatchObject([{ code: 'expression_misspelt', line: 2, column: 3 }]);
  });

  test('warns of a participant without a callback, each time for the callbacks given', async () => {
    const body = { workflow: 'define\n  bravo\n  charly', callback: undefined };
    for (const [callbacks, missing] of [
      [{ bravo: NOWHERE }, 1],
      [{ bravo: NOWHERE, charly: NOWHERE }, 0],
      [{ charly: NOWHERE }, 1],
    ] as const) {
      const warnings = (await launch({ ...body, callbacks })).json<Told>().warnings ?? [];
      expect(warnings.filter(({ code }) => code === 'callback_missing').length).toBe(missing);
    }
  });

  test('warns of a parameter whose name is near to a known one, and only of that', async () => {
    const answer = await launch({ feilds: { a: 1 }, 'x-trace': 'y' });
    expect(answer.json<Told>().warnings).toMatchObject([{ code: 'parameter_misspelt', pointer: '#/feilds' }]);
  });

  test.each([
    ['whose quote stays open', "define\n  alpha task: 'a&b=2'", 'b', 'unknown parameter'],
    ['whose rest is no name', "define\n  alpha if: '${a} && ${b}'", " ${b}'", 'unknown parameter'],
    ['in XML', '<define><alpha task="a&b=2"/></define>', 'b', 'workflow is invalid'],
  ])(
    'by a form with a definition %s, for a & was not encoded, is refused with the field and what to do',
    async (_, text, field, words) => {
      const form = `workflow=${text.replaceAll('\n', '%0A').replaceAll(' ', '+')}&callback=${encodeURIComponent(NOWHERE)}`;
      const answer = await postForm(server.url, '/v1/workflows', form);
      const { detail, error } = answer.json<{ detail: string; error: string }>();
      expect([answer.status, error]).toEqual([400, words]);
      expect(detail).toContain(`the field ${JSON.stringify(field)} is not known`);
      expect(detail).toContain('--data-urlencode workflow@file');
      const encoded = `workflow=${encodeURIComponent(text.startsWith('<') ? text.replace('&', '&amp;') : text)}&callback=${encodeURIComponent(NOWHERE)}`;
      expect((await postForm(server.url, '/v1/workflows', encoded)).status).toBe(201);
    },
  );

  test('by a form with a further field that nobody reads is taken', async () => {
    const form = `workflow=${encodeURIComponent("define\n  alpha task: 'a'")}&callback=${encodeURIComponent(NOWHERE)}&x-trace=y`;
    expect((await postForm(server.url, '/v1/workflows', form)).status).toBe(201);
  });

  test('that is strict refuses what it would warn of', async () => {
    const definition = await launch({ workflow: SEQUENSE, strict: true });
    expect(definition.json()).toMatchObject({ status: 400, code: 'workflow_invalid', error: 'workflow is invalid' });
    expect(definition.json<{ errors: unknown }>().errors).toMatchObject([
      { pointer: '#/workflow', line: 2, column: 3 },
    ]);
    const parameter = await launch({ feilds: {}, strict: true });
    expect(parameter.json()).toMatchObject({ status: 400, code: 'request_invalid' });
    expect((await launch({ strict: true })).status).toBe(201);
    const form = `workflow=${encodeURIComponent(SEQUENSE)}&callback=${encodeURIComponent(NOWHERE)}&strict=true`;
    expect((await postForm(server.url, '/v1/workflows', form)).status).toBe(400);
    expect((await launch({ strict: 'perhaps' })).json()).toMatchObject({ status: 400, error: 'strict is invalid' });
  });

  test.each(KINDS)(
    'tells %s, and refuses it where it is strict: over HTTP, by the client and by the command line',
    async (code, body) => {
      const { pointer = '', callback, ...asked } = { pointer: '', callback: NOWHERE as string | undefined, ...body };
      const whole = { ...(callback === undefined ? {} : { callback }), workflow: 'define\n  alpha', ...asked };
      const taken = await postJson(server.url, '/v1/workflows', whole);
      expect(taken.status, taken.text).toBe(201);
      expect(taken.json<Told>().warnings?.map((one) => one.code)).toContain(code);
      const wanted =
        code === 'callback_missing' ? 'participants_missing' : pointer === '' ? 'workflow_invalid' : 'request_invalid';
      const refused = await postJson(server.url, '/v1/workflows', { ...whole, strict: true });
      expect(refused.json(), refused.text).toMatchObject({ status: 400, code: wanted });
      const client = new Rota({ url: server.url, retry: false });
      await expect(client.launch({ ...whole, strict: true })).rejects.toMatchObject({ status: 400, code: wanted });
      if (pointer !== '') return;
      const file = join(folder, code);
      writeFileSync(file, String(whole.workflow));
      const callbacks = Object.entries(whole.callbacks ?? {}).map(([name, url]) => `${name}=${url}`);
      const words = [callback ?? [], callbacks].flat().flatMap((one) => ['--callback', one]);
      expect(await rota('launch', file, ...words)).toMatchObject({ code: 0 });
      expect(await rota('launch', file, ...words, '--strict')).toMatchObject({ code: 1, out: '' });
      if (code === 'callback_missing') return;
      expect(await local('check', file)).toBe(0);
      const told = await spoken(['check', '--strict', '--json', file]);
      expect(told.code).toBe(1);
      expect(JSON.parse(told.out)).toMatchObject({ file, valid: false, warnings: [{ code }] });
    },
  );

  test('names those who have no callback, of a diagram its tasks', async () => {
    const callbacks = { alpha: NOWHERE };
    const strict = await postJson(server.url, '/v1/workflows', {
      workflow: 'define\n  alpha\n  beta',
      callbacks,
      strict: true,
    });
    expect(strict.json()).toMatchObject({
      ...{ status: 400, code: 'participants_missing', error: 'callbacks is invalid' },
      errors: [{ pointer: '#/callbacks', detail: expect.stringContaining('beta'), line: 3 }],
    });
    const diagram = bpmn('<process id="p" isExecutable="true">', '<userTask id="pack"/>', 'pack');
    const taken = await postJson(server.url, '/v1/workflows', { workflow: diagram, callbacks });
    expect(taken.json<Told>().warnings).toMatchObject([
      { code: 'callback_missing', element: 'pack', participant: 'pack' },
    ]);
    for (const named of [{ pack: NOWHERE }, { '/^pa/': NOWHERE }]) {
      const good = await postJson(server.url, '/v1/workflows', { workflow: diagram, callbacks: named, strict: true });
      expect(good.status, good.text).toBe(201);
    }
    await send(server.url, 'PUT', '/v1/definitions/packing', {
      headers: { 'Content-Type': 'application/bpmn+xml' },
      body: diagram,
    });
    const run = await postJson(server.url, '/v1/definitions/packing/run', { strict: true, callbacks });
    expect(run.json()).toMatchObject({
      status: 400,
      code: 'participants_missing',
      detail: expect.stringContaining('pack'),
    });
  });

  test('says in the history how long that may become, where it says so', async () => {
    const { id } = (await launch({ history_max: 1_500 })).json<{ id: string }>();
    const { history } = (await send(server.url, 'GET', `/v1/workflows/${id}/history`)).json<{ history: unknown[] }>();
    expect(history[0]).toMatchObject({ kind: 'workflow.launched', history_max: 1_500 });
  });

  test('names an address below the path of BASE_URL', async () => {
    const answer = await launch({});
    expect(answer.headers['location']).toBe(`/rota/v1/workflows/${answer.json<Told>().id}`);
  });

  test('refuses a number that a double would change, with its place', async () => {
    const text = '["define", {}, [\n ["alpha", {"n": 12345678901234567890}, []]]]';
    const answer = await launch({ workflow: text });
    expect(answer.json()).toMatchObject({ code: 'workflow_invalid', errors: [{ line: 2, column: 18 }] });
    const radial = await launch({ workflow: 'define\n  alpha n: 12345678901234567890' });
    expect(radial.json()).toMatchObject({ code: 'workflow_invalid', errors: [{ line: 2, column: 12 }] });
  });
});

describe('a validation', () => {
  test('has the warnings of a launch, and errors instead where it is strict', async () => {
    const path = '/v1/definitions/validate';
    const loose = (await postJson(server.url, path, { workflow: SEQUENSE })).json();
    expect(loose).toMatchObject({ valid: true, warnings: [{ code: 'expression_misspelt', line: 2, column: 3 }] });
    const strict = (await postJson(server.url, path, { workflow: SEQUENSE, strict: true })).json();
    expect(strict).toMatchObject({ valid: false, errors: [{ line: 2, column: 3 }] });
    const missing = (
      await postJson(server.url, path, { workflow: 'define\n  bravo', callbacks: { x: NOWHERE } })
    ).json();
    expect(missing).toMatchObject({ valid: true, warnings: [{ code: 'callback_missing' }] });
  });
});

test('a cancel says which of its parameters are not read, and takes "true" for a rehearsal in JSON as well', async () => {
  const { id } = (await launch({})).json<Told>();
  const path = `/v1/workflows/${id}/cancel`;
  expect((await postJson(server.url, path, { dry_run: 'true' })).status).toBe(200);
  const answer = await postJson(server.url, path, { dryrun: true, reason: 'a slip' });
  expect([answer.status, answer.text]).toEqual([201, 'OK']);
  expect(answer.headers['rota-warning']).toBe('the parameter "dryrun" is not read');
});

describe('a proceed', () => {
  test('whose parameters are not read is OK, with a header that says so', async () => {
    const { path } = await itemOf((await launch({})).json<Told>().id);
    const answer = await postForm(server.url, `${path}/proceed`, 'status=x');
    expect([answer.status, answer.text]).toEqual([201, 'OK']);
    expect(answer.headers['rota-warning']).toMatch(/"status" is not read.*fields/);
  });

  test('has no such header when all is read', async () => {
    const { path } = await itemOf((await launch({})).json<Told>().id);
    const answer = await postForm(server.url, `${path}/proceed`, 'fields[status]=x');
    expect(answer.headers).not.toHaveProperty('rota-warning');
  });

  test('of a closed workitem has a code of its own; of one that never was it has not', async () => {
    const { path, id } = await itemOf((await launch({})).json<Told>().id);
    await postJson(server.url, `${path}/proceed`, {});
    const again = (await postJson(server.url, `${path}/proceed`, {})).json();
    expect(again).toMatchObject({ status: 400, code: 'already_proceeded', error: 'workitem_id not found' });
    const nowhere = '20200101-0000-baba-bebe';
    const stranger = `${id.slice(0, id.lastIndexOf('!'))}!${nowhere}`;
    const never = await postJson(server.url, `/v1/workflows/${nowhere}/workitems/${stranger}/proceed`, {});
    expect(never.json()).toMatchObject({ status: 400, code: 'workitem_not_found', error: 'workitem_id not found' });
  });
});

describe('a response', () => {
  test('hands a workitem back by its id alone, the second is a conflict', async () => {
    const workflow = (await launch({})).json<Told>().id;
    const { id } = await itemOf(workflow);
    const first = await postJson(server.url, `/v1/workitems/${id}/respond`, { fields: { a: 1 } });
    expect([first.status, first.text]).toEqual([201, 'OK']);
    const view = (await send(server.url, 'GET', `/v1/workflows/${workflow}`)).json();
    expect(view).toMatchObject({ status: 'completed', fields: { a: 1 } });
    const second = await postJson(server.url, `/v1/workitems/${id}/respond`, {});
    expect(second.json()).toMatchObject({ status: 409, code: 'already_proceeded' });
    // One that was made up cannot be told from one that is gone, and is not said to have been proceeded.
    const madeUp = await postJson(server.url, `/v1/workitems/0_0!${'0'.repeat(32)}!${workflow}/respond`, {});
    expect(madeUp.json()).toMatchObject({ status: 409, detail: expect.stringContaining('or never was') });
    const none = await postJson(server.url, '/v1/workitems/nonsense/respond', {});
    expect(none.json()).toMatchObject({ status: 404, code: 'workitem_not_found' });
  });
});

describe('an Accept that leaves JSON out', () => {
  test('is refused where JSON would be the answer', async () => {
    for (const accept of ['text/csv', 'image/png, text/html', 'application/json;q=0']) {
      const answer = await send(server.url, 'GET', '/v1/workflows', { headers: { accept } });
      expect(answer.json(), accept).toMatchObject({ status: 406, code: 'not_acceptable' });
    }
    for (const accept of ['*/*', 'application/*', 'text/html, */*;q=0.1', 'application/problem+json'])
      expect((await send(server.url, 'GET', '/v1/workflows', { headers: { accept } })).status, accept).toBe(200);
  });

  test('is taken for what the operation answers: an EventSource accepts nothing but a stream', async () => {
    const { id } = (await launch({})).json<Told>();
    await postJson(server.url, `/v1/workflows/${id}/kill`, {});
    // Its head is enough: what happened is told for some seconds more.
    const watch = async (accept: string): Promise<Response> => {
      const answer = await fetch(`${server.url}/v1/workflows/${id}/events?after=0`, { headers: { accept } });
      await answer.body?.cancel();
      return answer;
    };
    expect((await watch('text/event-stream')).headers.get('content-type')).toContain('text/event-stream');
    expect((await watch('application/json')).status).toBe(406);
  });

  test('does not matter to the fixed calls', async () => {
    const body = JSON.stringify({ workflow: 'define\n  alpha', callback: NOWHERE });
    const headers = { accept: 'text/csv', 'content-type': 'application/json' };
    expect((await send(server.url, 'POST', '/v1/workflows', { body, headers })).status).toBe(201);
  });
});

test('health is told under other names, too', async () => {
  for (const path of ['/health/live', '/health/ready']) {
    const answer = await send(server.url, 'GET', path);
    expect([answer.status, answer.text], path).toEqual([200, 'ok']);
  }
});

test('a node that only works says so to whoever asks it for workflows', async () => {
  const worker = await startServer({ ROLE: 'worker', BASE_URL: 'http://127.0.0.1:1' });
  try {
    const answer = await send(worker.url, 'GET', '/v1/workflows');
    expect(answer.json<{ detail: string }>().detail).toContain('ROLE=worker');
    expect(answer.status).toBe(404);
  } finally {
    await worker.stop();
  }
}, 120_000);

test('warnings have the published shape', () => {
  expect(published.launched).toMatchObject({ properties: { warnings: { type: 'array' } } });
});
