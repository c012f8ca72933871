import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { readConfig } from '../src/server/config.ts';
import { start } from '../src/server/start.ts';

/*
 * `npm run demo`: a server that keeps nothing, a few participants, and the examples, one after the other. Everything goes
 * through HTTP as it would between machines; only that all of it lives in this one process.
 */

/** The examples take some seconds; whoever waits this long waits for nothing. */
const DEMO_MS_MAX = 120_000;
/** How often is looked whether something has come. */
const LOOK_MS = 50;
/** How long a participant thinks. */
const THINKING_MS = 300;

type Fields = Readonly<Record<string, unknown>>;
type Callback = {
  readonly workflow_id: string;
  readonly participant: string;
  readonly status: string;
  readonly fields: Fields & { readonly params?: { readonly task?: string; readonly element_name?: string } };
  readonly proceed_url: string;
};

/** What each participant answers, by how often it has been asked; null: it never does. */
const answers: Readonly<Record<string, (turn: number) => Fields | null>> = {
  stock: () => ({ in_stock: true, shelf: 'B7' }),
  credit: () => ({ creditworthy: true }),
  shipping: () => ({ parcel: 'R-2047' }),
  sales: () => ({ explained: true }),
  author: (turn) => ({ version: turn }),
  reviewer: (turn) => (turn === 1 ? { verdict: 'revise', remark: 'the ending!' } : { verdict: 'accept', remark: '' }),
  publisher: () => ({ published: true }),
  clerk: () => null,
  boss: () => ({ answer: 'yes, of course' }),
  customer: () => ({ pleased: true }),
  'validate-order': () => ({ valid: true }),
  'send-bill': () => ({}),
  'send-friendly-reminder': () => ({ reminded: true }),
  'update-accounting': () => ({}),
  'package-and-deliver': () => ({ parcel: 'R-2048' }),
};

/** What happens from outside while an example runs. */
type Meanwhile = (id: string) => Promise<void>;

/** Nobody pays for five minutes, which take no time here; then somebody does. */
const latePayment: Meanwhile = async (id) => {
  await answered('send-bill');
  tell('clock', 'five minutes pass');
  await post(`${server.url}/v1/test/clock`, { advance: 301 });
  await answered('send-friendly-reminder');
  tell('customer', 'pays');
  await post(`${server.url}/v1/workflows/${id}/messages/payment-received`, { amount: 5 });
};

const examples: readonly (readonly [string, string, Fields, Meanwhile?])[] = [
  ['order.xml', 'an order with parallel checks and a merge', { customer: 'Ada', goods: 'a wheel' }],
  ['review.json', 'a document review with a loop', { document: 'the manual' }],
  ['escalation.radial', 'an escalation on timeout', { customer: 'Ada' }],
  ['ordering/ordering-items-workflow.bpmn', 'an order on a BPMN diagram, which is paid late', {}, latePayment],
];

setTimeout(() => {
  console.error('The demo did not come to an end in time.');
  process.exit(1);
}, DEMO_MS_MAX).unref();

console.log('Starting a server that keeps nothing (this takes a few seconds)…');
const server = await start(
  readConfig({
    ...{ DATA_DIR: 'memory:', HOST: '127.0.0.1', PORT: '0', TEST_CLOCK: '1' },
    LOG_LEVEL: process.env['LOG_LEVEL'] ?? 'error',
  }),
);
console.log(`The server listens at ${server.url}`);
const participants = await listen(createServer(onCallback));
const callback = `http://127.0.0.1:${(participants.address() as AddressInfo).port}/callback`;
console.log(`The participants listen at ${callback}`);

const turns = new Map<string, number>();
/** Who has answered in this example. */
const done = new Set<string>();
let begun = 0;
for (const [file, about, fields, meanwhile] of examples) await run(file, about, fields, meanwhile);

participants.close();
await server.stop();
console.log('\nAll four have ended.');
process.exit(0);

async function run(file: string, about: string, fields: Fields, meanwhile?: Meanwhile): Promise<void> {
  console.log(`\n${file}: ${about}`);
  const workflow = readFileSync(new URL(`../examples/${file}`, import.meta.url), 'utf8');
  turns.clear();
  done.clear();
  begun = performance.now();
  const { id } = await post<{ readonly id: string }>(`${server.url}/v1/workflows`, { workflow, callback, fields });
  tell('rota', `launched ${id}${withFields(fields)}`);
  const outside = meanwhile?.(id);
  for (;;) {
    const response = await fetch(`${server.url}/v1/workflows/${id}`);
    const state = (await response.json()) as { status: string; fields: Fields; errors: readonly { message: string }[] };
    if (state.status === 'error') throw new Error(`${file} failed: ${state.errors[0]?.message}`);
    if (state.status !== 'running') {
      tell('rota', `${state.status} with ${shown(state.fields)}`);
      await outside;
      return;
    }
    await pause(LOOK_MS);
  }
}

/** Looks again and again; the demo has a time limit of its own. */
async function answered(participant: string): Promise<void> {
  while (!done.has(participant)) await pause(LOOK_MS);
}

async function onCallback(request: IncomingMessage, response: { end(): void }): Promise<void> {
  let body = '';
  for await (const chunk of request) body += chunk;
  // Taken; whatever the work, it is not done within this request.
  response.end();
  const { participant, status, fields, proceed_url: proceedUrl } = JSON.parse(body) as Callback;
  if (status !== 'active') {
    tell(participant, `is told to stop: ${status}`);
    return;
  }
  const turn = (turns.get(participant) ?? 0) + 1;
  turns.set(participant, turn);
  const answer = answers[participant]?.(turn) ?? null;
  tell(
    participant,
    `it is your turn: ${fields.params?.task ?? fields.params?.element_name ?? 'no task'}${answer === null ? ' (and does nothing)' : ''}`,
  );
  if (answer === null) return;
  await pause(THINKING_MS);
  tell(participant, `proceeds${withFields(answer)}`);
  await post(proceedUrl, { fields: answer });
  done.add(participant);
}

async function post<Answer>(url: string, body: unknown): Promise<Answer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text}`);
  return (text === 'OK' ? null : JSON.parse(text)) as Answer;
}

function tell(who: string, what: string): void {
  const seconds = ((performance.now() - begun) / 1000).toFixed(1).padStart(5);
  console.log(`${seconds} s  ${who.padEnd(10)} ${what}`);
}

const withFields = (fields: Fields): string => (Object.keys(fields).length === 0 ? '' : ` with ${shown(fields)}`);

function shown(fields: Fields): string {
  const { params: _params, ...others } = fields;
  return Object.entries(others)
    .filter(([name]) => !name.startsWith('wf_') && !name.startsWith('__'))
    .map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
    .join(', ');
}

function listen(one: Server): Promise<Server> {
  return new Promise((resolve) => one.listen(0, '127.0.0.1', () => resolve(one)));
}
