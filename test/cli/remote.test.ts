import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { run } from '../../src/cli/run.ts';
import type { Running } from '../../src/server/start.ts';
import { type Participant, startParticipant, startServer } from '../support/server.ts';

/* Commands that speak to a server, called in this process: what they print where, and their exit codes. */

let server: Running;
let alpha: Participant;
let folder = '';
beforeAll(async () => {
  server = await startServer();
  alpha = await startParticipant();
  folder = mkdtempSync(join(tmpdir(), 'rota-cli-'));
}, 60_000);
afterAll(async () => {
  await alpha.stop();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

type Called = { readonly code: number | null; readonly out: string; readonly err: string };

async function rota(...args: readonly string[]): Promise<Called> {
  const [out, err]: [string[], string[]] = [[], []];
  const spies = [
    vi.spyOn(console, 'log').mockImplementation((text) => out.push(String(text))),
    vi.spyOn(console, 'error').mockImplementation((text) => err.push(String(text))),
  ];
  try {
    const hasUrl = args.includes('--url');
    const code = await run([...args, ...(hasUrl ? [] : ['--url', server.url])]);
    return { code, out: out.join('\n'), err: err.join('\n') };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const launch = async (text: string, ...more: readonly string[]): Promise<string> => {
  const { code, out } = await rota('launch', file('flow.radial', text), '--callback', alpha.url, ...more);
  expect(code).toBe(0);
  return out;
};
const UNKNOWN = '20151005-1247-kogadeso-gekunute';

describe('rota', { timeout: 120_000 }, () => {
  test('launches a file with fields, and shows how it stands until it is done', async () => {
    const fields = file('fields.json', '{"who":"Bob","n":1}');
    const id = await launch(
      'define x\n  alpha\n',
      '--fields',
      `@${fields}`,
      '--field',
      'who=Ada',
      '--field',
      'm:={"a":[1]}',
    );
    expect(id).toMatch(/^\d{8}-\d{4}-\w+-\w+$/);
    const { body } = await alpha.next();
    expect(body.fields).toMatchObject({ who: 'Ada', n: 1, m: { a: [1] } });

    const shown = await rota('show', id);
    expect(shown.out).toContain(`${id}  running  x`);
    expect(shown.out).toMatch(/ {2}define x {2}<- active\n {4}alpha {2}<- active {2}0_0!\w+!/);
    expect(JSON.parse((await rota('show', id, '--json')).out)).toMatchObject({ id, status: 'running' });
    expect((await rota('list', '--where', 'who=Ada')).out).toContain(`${id}  running`);
    expect((await rota('workitems', '--workflow', id)).out).toContain(body.workitem_id);

    expect(await rota('proceed', body.proceed_url, '--field', 'done:=true')).toEqual({ code: 0, out: 'OK', err: '' });
    const waited = await rota('wait', id, '--json');
    expect(waited.code).toBe(0);
    expect(JSON.parse(waited.out)).toMatchObject({ status: 'completed', fields: { done: true } });
    const kinds = (await rota('history', id, '--json')).out.split('\n').map((line) => JSON.parse(line).kind);
    expect(kinds[0]).toBe('workflow.launched');
    expect((await rota('history', id, '--kinds', 'workflow.*')).out).toMatch(/^1 \S+ workflow\.launched/);
  });

  test('waits for the outcome: 0 when it completed, 1 when it is in error, 5 when the time is over', async () => {
    const nobody = file('nobody.radial', 'define x\n  nobody\n');
    const stuck = await rota('launch', nobody, '--wait');
    expect(stuck.code).toBe(1);
    expect(stuck.out).toContain('MissingCallbackUrl');
    expect(stuck.err).toMatch(/^\d{8}-/m);
    const done = await rota('launch', file('empty.radial', 'define x\n  echo "hi"\n'), '--wait', '--json');
    expect(done.code).toBe(0);
    expect(JSON.parse(done.out)).toMatchObject({ status: 'completed' });
    const id = await launch('define x\n  alpha\n');
    await alpha.next();
    expect(await rota('wait', id, '--timeout', '0.05')).toMatchObject({ code: 5, out: '' });
    expect(await rota('cancel', id, '--quiet')).toEqual({ code: 0, out: '', err: '' });
    expect((await alpha.next()).body.status).toBe('cancel');
  });

  test('tells each kind of failure by its exit code, with the sentence on standard error', async () => {
    const missing = await rota('show', UNKNOWN);
    expect(missing).toMatchObject({ code: 4, out: '' });
    expect(missing.err).toContain(UNKNOWN);
    expect(await rota('cancel', UNKNOWN)).toMatchObject({ code: 4 });
    expect(await rota('run-away')).toMatchObject({ code: 2 });
    const broken = await rota('launch', file('broken.xml', '<define name="x"><alpha></define>'));
    expect(broken.code).toBe(1);
    expect(broken.err).toMatch(/line 1, column \d+/);
    expect(await rota('list', '--url', 'http://127.0.0.1:1')).toMatchObject({ code: 3, out: '' });
  });

  test.each([
    [['list', '--limit', 'many']],
    [['launch', '/nowhere/at-all.xml', '--callback', 'no address']],
    [['launch', '-', '--callback', 'http://a', '--callback', 'b=http://b']],
    [['fail', '0_0!x!y']],
    [['events', 'send']],
    [['batch', 'cancel']],
    [['schedules', 'fly']],
    [['definitions', 'get']],
    [['proceed', 'x', '--field', 'novalue']],
    [['wait', 'x', '--timeout', '-1']],
  ])('%j is called wrongly: 2, and nothing on standard output', async (args) => {
    const { code, out } = await rota(...args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
  });

  test('fails a workitem, lists what is in error, and replays it; of several errors it wants to know which', async () => {
    const id = await launch('define x\n  concurrence\n    alpha\n    alpha\n');
    const [one, two] = [await alpha.next(), await alpha.next()];
    for (const { body } of [one, two])
      expect((await rota('fail', body.workitem_id, '--message', 'no paper', '--class', 'Printer')).code).toBe(0);
    expect((await rota('errors', '--class', 'Printer')).out).toContain('Printer: no paper');
    const ambiguous = await rota('replay', id);
    expect(ambiguous.code).toBe(2);
    expect(ambiguous.err.match(/no paper/g)?.length).toBe(2);
    const expression = one.body.workitem_id.split('!').slice(0, 2).join('!');
    expect((await rota('replay', id, expression, '--field', 'again=yes')).code).toBe(0);
    expect((await alpha.next()).body.fields['again']).toBe('yes');
    expect((await rota('replay', id)).code).toBe(0);
    const again = await alpha.next();
    expect((await rota('redeliver', again.body.workitem_id)).code).toBe(0);
    expect((await alpha.next()).body.workitem_id).toBe(again.body.workitem_id);

    expect((await rota('pause', id, UNKNOWN, '--reason', 'lunch')).code).toBe(4);
    expect((await rota('list', '--status', 'paused', '--json')).out).toContain(id);
    expect((await rota('resume', id)).code).toBe(0);
    expect((await rota('kill', id)).code).toBe(0);
    const seen = await rota('tail', id, '--kinds', 'workflow.*', '--json');
    expect(seen.out.split('\n').map((line) => JSON.parse(line).kind)).toEqual([
      'workflow.launched',
      'workflow.paused',
      'workflow.resumed',
      'workflow.killed',
    ]);
  });

  test('goes on from a step, as itself or as another workflow, and says which', async () => {
    const id = await launch('define x\n  alpha task: "one"\n  alpha task: "two"\n');
    // Others may still have been sent something.
    const nextOf = async (workflow: string) => {
      for (;;) {
        const { body } = await alpha.next();
        if (body.workflow_id === workflow) return body;
      }
    };
    const first = await nextOf(id);
    expect((await rota('retry', id)).code).toBe(1);
    expect((await rota('fail', first.workitem_id, '--message', 'no paper')).code).toBe(0);
    const again = await rota('retry', id, '--field', 'paper=yes', '--reason', 'there is some');
    expect(again).toEqual({ code: 0, out: `${id}  from 0_0`, err: '' });
    expect((await nextOf(id)).fields).toMatchObject({ paper: 'yes', params: { task: 'one' } });
    expect((await rota('retry', id, '--from', '0_1')).out).toBe(`${id}  from 0_1`);
    const [one, two] = [await nextOf(id), await nextOf(id)];
    const [notice, asked] = one.status === 'cancel' ? [one, two] : [two, one];
    expect([notice.status, asked.status]).toEqual(['cancel', 'active']);
    expect(asked.fields).toMatchObject({ paper: 'yes', params: { task: 'two' } });
    expect((await rota('kill', id)).code).toBe(0);
    const over = await rota('retry', id, '--from', '0_1');
    expect([over.code, over.out]).toEqual([1, '']);
    expect(over.err).toContain('"fork": true');
    const forked = await rota('retry', id, '--from', '0_1', '--fork', '--json');
    expect(forked.code).toBe(0);
    const other = JSON.parse(forked.out) as { readonly id: string };
    expect(other).toEqual({ id: expect.not.stringMatching(id), from: '0_1', retry_of: id });
    expect((await nextOf(other.id)).fields['params']).toEqual({ ref: 'alpha', task: 'two' });
    expect((await rota('retry', UNKNOWN)).code).toBe(4);
    expect((await rota('retry')).code).toBe(2);
  });

  test('makes secrets, and completes words in three shells', async () => {
    const made = await rota('secrets', 'create');
    expect(made.out).toMatch(/^whsec_/);
    expect((await rota('secrets', '--json')).out).toContain('"kind":"webhook"');
    const scripts = await Promise.all(['bash', 'zsh', 'fish'].map((shell) => run0('completion', shell)));
    for (const script of scripts) expect(script).toMatch(/launch[\s\S]*definitions[\s\S]*callback/);
  });
});

async function run0(...args: readonly string[]): Promise<string> {
  const out: string[] = [];
  const spy = vi.spyOn(console, 'log').mockImplementation((text) => out.push(String(text)));
  try {
    expect(await run(args)).toBe(0);
  } finally {
    spy.mockRestore();
  }
  return out.join('\n');
}
