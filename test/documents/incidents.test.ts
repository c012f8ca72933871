import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeKey } from '../../src/identity/key-text.ts';
import type { Running } from '../../src/server/start.ts';
import { postJson, startServer } from '../support/server.ts';
import { until } from '../support/until.ts';

/* The incidents of docs/operating.md, run as they stand there: every block of sh is executed, and its answer held against the block behind it. */

const run = promisify(execFile);
const text = readFileSync(
  join(fileURLToPath(new URL('.', import.meta.url)), '..', '..', 'docs', 'operating.md'),
  'utf8',
);
const chapter = text.slice(text.indexOf('## Five incidents'), text.indexOf('## Sizes'));

type Step = { readonly command: string; readonly kind: 'json' | 'text'; readonly expected: string };
const incidents = new Map(
  chapter
    .split('\n### ')
    .slice(1)
    .map((part): readonly [string, readonly Step[]] => [
      part.slice(0, part.indexOf('\n')),
      [...part.matchAll(/```sh\n([\s\S]*?)```\n\n```(json|text)\n([\s\S]*?)```/g)].map(
        ([, command = '', kind = '', expected = '']) => ({
          command,
          kind: kind as Step['kind'],
          expected: expected.trim(),
        }),
      ),
    ]),
);

let server: Running;
let guarded: Running;
const admin = makeKey().text;
let lost = '';
beforeAll(async () => {
  [server, guarded] = await Promise.all([startServer({ TEST_CLOCK: '1' }), startServer({ ADMIN_KEY: admin })]);
  const headers = { Authorization: `Bearer ${admin}` };
  const made = await postJson(guarded.url, '/v1/keys', { name: 'shop', scopes: ['launch', 'read'] }, headers);
  lost = made.json<{ key: string }>().key;
}, 120_000);
afterAll(async () => {
  await Promise.all([server.stop(), guarded.stop()]);
}, 60_000);

const NOWHERE = 'http://127.0.0.1:1/callback';
async function launch(workflow: string, times: number, more: object = {}): Promise<void> {
  for (let i = 0; i < times; i++) {
    const answer = await postJson(server.url, '/v1/workflows', { workflow, callback: NOWHERE, ...more });
    expect(answer.status, answer.text).toBe(201);
  }
}
const advance = (seconds: number) => postJson(server.url, '/v1/test/clock', { advance: seconds });

/** What has happened before somebody is called. */
const before = new Map<string, () => Promise<unknown>>([
  [
    'A participant is down for a day',
    async () => {
      await launch('define order\n  stock\n', 3);
      await advance(300);
    },
  ],
  [
    'A wrong field in a hundred launches',
    () =>
      launch(
        "define shipping\n  sequence\n    error 'no such country', if: '${country} == Neuseeland'\n    stock\n",
        3,
        {
          fields: { country: 'Neuseeland' },
        },
      ),
  ],
  [
    'A branch that is stuck',
    () => launch("define order\n  concurrence\n    noop\n    wait for: '300d'\n", 1, { business_key: 'order-7' }),
  ],
  ['A definition that poisons', () => launch("define poison\n  error 'LimitExceeded'\n", 2)],
  ['A secret that is lost', async () => {}],
]);

/** Members of the answers so far, the latest first. `<wait>`, `<webhook>`: the id of what has that name or kind. */
function found(name: string, answers: readonly unknown[]): string {
  const hit = (value: unknown): string | null => {
    if (typeof value !== 'object' || value === null) return null;
    const own = value as { readonly [key: string]: unknown };
    if (typeof own[name] === 'string') return own[name];
    if ((own['name'] === name || own['kind'] === name) && typeof own['id'] === 'string') return own['id'];
    for (const inner of Object.values(own)) {
      const deeper = hit(inner);
      if (deeper !== null) return deeper;
    }
    return null;
  };
  for (const answer of answers) {
    const value = hit(answer);
    if (value !== null) return value;
  }
  throw new Error(`No answer so far has <${name}>`);
}

/** What is expected stands in what came; a list has something for each thing that is expected of it, and … is anything. */
function fits(came: unknown, expected: unknown): boolean {
  if (expected === '…') return came !== undefined && came !== null;
  if (Array.isArray(expected))
    return Array.isArray(came) && expected.every((one) => came.some((other) => fits(other, one)));
  if (typeof expected !== 'object' || expected === null) return came === expected;
  if (typeof came !== 'object' || came === null) return false;
  return Object.entries(expected).every(([key, value]) => fits((came as { [key: string]: unknown })[key], value));
}

test('every incident of the page is played', () => {
  expect([...incidents.keys()]).toEqual([...before.keys()]);
  for (const steps of incidents.values()) expect(steps.length).toBeGreaterThan(2);
});

test.each([...incidents])(
  '%s',
  async (name, steps) => {
    await before.get(name)?.();
    const answers: unknown[] = [];
    const env = {
      ...process.env,
      ...{ URL: name === 'A secret that is lost' ? guarded.url : server.url, KEY: admin, LOST: lost },
      IN_A_WEEK: new Date(Date.now() + 8 * 86_400_000).toISOString(),
    };
    for (const { command, kind, expected } of steps) {
      const filled = command.replaceAll(/<(\w+)>/g, (_all, part: string) => encodeURIComponent(found(part, answers)));
      let said = '';
      // A batch takes a moment, and asking twice does no harm; what does something is done once.
      const isQuestion = !/ -d /.test(filled);
      const look = async (): Promise<boolean> => {
        said = (await run('bash', ['-c', filled], { env })).stdout;
        return kind === 'text' ? said === expected : fits(JSON.parse(said), JSON.parse(expected));
      };
      const isSo = isQuestion ? await until(filled, look, 15_000).catch(() => false) : await look();
      if (!isSo) expect(said, filled).toBe(expected);
      if (kind === 'json') answers.unshift(JSON.parse(said));
    }
  },
  60_000,
);
