import { answers } from '../../answers.ts';
import { type Call, jsonReply, type Operation, type Reply, textReply } from '../../operation.ts';
import type { Parts } from '../../parts.ts';
import { Problem } from '../../problem.ts';
import { timeView } from '../../time.ts';
import { ClockAdvance, ClockAdvanced, Nodes, Ping } from './schemas.ts';
import { nodeView } from './view.ts';

/** Longest wait for the database before it counts as not reachable. */
const PING_MS_MAX = 2_000;

/** The server itself: is it there, is it well, who else is there, what time is it. */
export function serverOperations(parts: Parts): readonly Operation[] {
  const { testClock } = parts;
  return [
    {
      id: 'ping',
      method: 'get',
      path: '/v1/ping',
      summary: 'Is anybody there?',
      access: 'open',
      probe: true,
      answers: answers(200, 'Yes', Ping),
      handle: () => jsonReply(200, { ping: 'pong' }),
    },
    alive('livez', '/livez'),
    alive('healthLive', '/health/live'),
    ready(parts, 'readyz', '/readyz'),
    ready(parts, 'healthReady', '/health/ready'),
    {
      id: 'listNodes',
      method: 'get',
      path: '/v1/nodes',
      summary: 'The server processes that share the database',
      access: 'read',
      answers: answers(200, 'Those heard of lately; for principals of all tenants', Nodes, 403),
      handle: async ({ principal }) => {
        if (principal.everywhere !== true)
          throw new Problem('scope_missing', 'The nodes of this server are for principals of all tenants');
        return jsonReply(200, { nodes: (await parts.nodes()).map(nodeView) });
      },
    },
    ...(testClock === null
      ? []
      : [
          {
            id: 'advanceClock',
            method: 'post',
            path: '/v1/test/clock',
            summary: 'Move business time forward, from due time to due time, waiting for quiet at each',
            access: 'operate',
            patient: true,
            body: { schema: ClockAdvance, checked: 'here' },
            answers: answers(200, 'It is quiet', ClockAdvanced, 409, 422),
            handle: async (call: Call) => {
              // A form's text has become a number in the check.
              const seconds = Number(call.body['advance']);
              await testClock.advance(seconds);
              return jsonReply(200, { advanced: seconds, now: timeView(parts.clock.now()) });
            },
          } satisfies Operation,
        ]),
  ];
}

const alive = (id: string, path: string): Operation => ({
  id,
  method: 'get',
  path,
  summary: 'Is the process alive? Looks at nothing else',
  access: 'open',
  probe: true,
  query: PROBE_QUERY,
  answers: { 200: { description: 'ok' } },
  handle: () => textReply(200, 'ok'),
});

const ready = (parts: Parts, id: string, path: string): Operation => ({
  id,
  method: 'get',
  path,
  summary: 'Should it be given requests?',
  access: 'open',
  probe: true,
  query: PROBE_QUERY,
  answers: { 200: { description: 'ok' }, 503: { description: 'Not now' } },
  handle: (call) => readyz(parts, call),
});

const PROBE_QUERY = [
  { name: 'verbose', description: '1: lists the checks' },
  { name: 'exclude', description: 'The name of a check to leave out' },
];

async function readyz(parts: Parts, call: Call): Promise<Reply> {
  const checks: readonly (readonly [string, () => boolean | Promise<boolean>])[] = [
    ['serving', () => !parts.isStopping()],
    // The schema was brought up to date before this app was built; see server/start.ts.
    ['database', () => reaches(parts)],
  ];
  const exclude = call.query.get('exclude');
  const results: { readonly name: string; readonly good: boolean }[] = [];
  for (const [name, check] of checks) if (name !== exclude) results.push({ name, good: await check() });
  const status = results.every(({ good }) => good) ? 200 : 503;
  if (!call.query.has('verbose')) return textReply(status, status === 200 ? 'ok' : 'not ready');
  return textReply(status, results.map(({ name, good }) => `[${good ? '+' : '-'}] ${name}\n`).join(''));
}

async function reaches(parts: Parts): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), PING_MS_MAX);
  });
  const answered = parts.store.ping().then(
    () => true,
    () => false,
  );
  try {
    return await Promise.race([answered, late]);
  } finally {
    clearTimeout(timer);
  }
}
