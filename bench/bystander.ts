/*
 * How long somebody waits who does nothing bad, beside workflows that do. Each bomb is launched on a server of its own; beside it a bystander goes
 * through three steps again and again, and `/livez` is asked. Run with `npx tsx bench/bystander.ts [part of a name] [--seconds 10]`; on two quiet
 * cores the bystander's steps stay below 250 ms at p99.
 */

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { wait } from './support/processes.ts';
import { build, startRota } from './support/rota.ts';
import { median, percentile } from './support/statistics.ts';

type Bomb = { readonly name: string; readonly workflow: string; readonly fields?: object };

const args = process.argv.slice(2);
const secondsAt = args.indexOf('--seconds');
const SECONDS = secondsAt < 0 ? 10 : Number(args[secondsAt + 1]);
const only = args.find((arg, i) => !arg.startsWith('--') && i !== secondsAt + 1) ?? '';
/** What a bystander's three steps may take, at p99. */
const GOAL_MS = 250;
const STEPS_MS_MAX = 60_000;

const rules = Array.from({ length: 2_000 }, (_, i) => ({ field: `/^field_.*${i}$/`, type: 'object' }));
const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`field_${i}`, { a: i }]));
const long = Array.from({ length: 200_000 }, (_, i) => i);
const timers = Array.from({ length: 900 }, (_, i) => `${i + 1}h: reminder`).join(', ');
const merge = (type: string): string =>
  `define\n  repeat\n    concurrence merge_type: '${type}'\n      sequence\n      sequence\n`;

const BOMBS: readonly Bomb[] = [
  { name: 'none', workflow: 'define\n  stall\n' },
  { name: 'concat doubles', workflow: merge('concat'), fields: { a: ['x'] } },
  { name: 'stack doubles', workflow: merge('stack'), fields: { a: ['x'] } },
  { name: 'a list of itself', workflow: "define\n  repeat\n    set 'f:a': ['$f:a']\n", fields: { a: 1 } },
  {
    name: 'variables grow',
    workflow: "define\n  repeat\n    sequence\n      inc 'f:i'\n      set 'v:x${f:i}': '$f:a'\n",
    fields: { a: 'x'.repeat(900_000), i: 0 },
  },
  { name: 'a filter', workflow: `define\n  repeat\n    filter in: ${JSON.stringify(rules)}\n`, fields: many },
  { name: 'a loop over a long field', workflow: "define\n  iterator on: '$f:a'\n    noop\n", fields: { a: long } },
  { name: 'many timers', workflow: `define\n  concurrence\n${`    stall timers: '${timers}'\n`.repeat(20)}` },
  { name: '40,000 branches', workflow: 'define\n  citerator times: 40000\n    stall\n' },
  { name: '40,000 participants', workflow: 'define\n  citerator times: 40000\n    far\n' },
  { name: 'a loop', workflow: 'define\n  repeat\n    noop\n' },
];

async function post(url: string, body: object): Promise<{ readonly status: number; readonly id: string }> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  const id = /"id": *"([^"]+)"/.exec(text)?.[1] ?? '';
  return { status: response.status, id };
}

/** Participants at an address of their own, so that they count as a host. */
function participants(
  host: string,
  hear: (message: { readonly proceed_url: string; readonly workflow_id: string }) => void,
) {
  return new Promise<Server & { readonly url: string }>((resolve) => {
    const server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        response.writeHead(204).end();
        hear(JSON.parse(Buffer.concat(parts).toString()));
      });
    });
    server.listen(0, host, () =>
      resolve(Object.assign(server, { url: `http://${host}:${(server.address() as AddressInfo).port}` })),
    );
  });
}

async function measure(bomb: Bomb): Promise<{ readonly steps: readonly number[]; readonly livez: readonly number[] }> {
  const rota = await startRota({ DATA_DIR: 'memory:', LOG_LEVEL: 'error' });
  const over = new Map<string, { left: number; readonly done: () => void }>();
  const near = await participants('127.0.0.3', ({ proceed_url, workflow_id }) => {
    void post(proceed_url, {}).then(() => {
      const one = over.get(workflow_id);
      if (one === undefined) return;
      one.left -= 1;
      if (one.left === 0) one.done();
    });
  });
  const far = await participants('127.0.0.2', () => {});
  let isOver = false;
  const livez: number[] = [];
  const asking = (async () => {
    while (!isOver) {
      const begun = performance.now();
      await fetch(`${rota.url}/livez`).then((response) => response.text());
      livez.push(performance.now() - begun);
      await wait(20);
    }
  })();
  try {
    await post(`${rota.url}/v1/workflows`, { workflow: bomb.workflow, callback: far.url, fields: bomb.fields ?? {} });
    const steps: number[] = [];
    const end = performance.now() + SECONDS * 1_000;
    while (performance.now() < end) {
      const begun = performance.now();
      const { status, id } = await post(`${rota.url}/v1/workflows`, {
        workflow: 'define\n  sequence\n    near\n    near\n    near\n',
        callback: near.url,
      });
      if (status !== 201) throw new Error(`A bystander was refused beside ${bomb.name}: ${status}`);
      const isDone = new Promise<void>((resolve) => over.set(id, { left: 3, done: resolve }));
      await Promise.race([isDone, wait(STEPS_MS_MAX)]);
      over.delete(id);
      steps.push(performance.now() - begun);
    }
    return { steps, livez };
  } finally {
    isOver = true;
    // What was asked last may be cut off by the end; the figures are in.
    await asking.catch(() => {});
    await rota.child.kill();
    near.close();
    far.close();
  }
}

build();
console.log('beside                        rounds   p50 ms   p99 ms   worst ms   /livez worst ms');
for (const bomb of BOMBS.filter(({ name }) => name.includes(only))) {
  const { steps, livez } = await measure(bomb);
  const p99 = percentile(steps, 0.99);
  const cells = [median(steps), p99, Math.max(...steps)].map((ms) => ms.toFixed(0).padStart(8));
  console.log(
    `${bomb.name.padEnd(28)} ${String(steps.length).padStart(7)} ${cells.join(' ')}   ${Math.max(...livez)
      .toFixed(0)
      .padStart(8)}${p99 > GOAL_MS ? '   too long' : ''}`,
  );
}
process.exit();
