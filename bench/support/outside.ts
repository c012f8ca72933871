import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { takeOrders } from './processes.ts';
import { percentile } from './statistics.ts';

/*
 * The world outside of the server, in a process of its own: participants and those who launch. A participant answers 200 first and
 * proceeds in a request of its own, as one does whose work takes time. Workitems of a participant whose name begins with `hold` are
 * kept until an order takes them up.
 */

const SOCKETS_MAX = 256;
/** What is still under way when a load ends has this long to end. */
const DRAIN_MS_MAX = 30_000;
const LOOK_MS = 5;
/** Fields are this big: with the ids and URLs around them a callback has about 1 KB. */
const FIELDS_BYTES = 450;
const LAUNCH_PATH = '/v1/workflows';

export type Work = {
  /** The definition to launch, and how many answers end one workflow. */
  readonly definition: string;
  readonly steps: number;
};

/** What was seen between two marks. Times are in milliseconds. */
export type Seen = {
  readonly seconds: number;
  readonly launched: number;
  readonly ended: number;
  readonly steps: number;
  /** From sending a proceed until the next callback of that workflow arrived. */
  readonly hopP50: number;
  readonly hopP99: number;
  /** From sending a launch until its last proceed was answered. */
  readonly wholeP50: number;
  readonly wholeP95: number;
  readonly refused: number;
  readonly callbackBytes: number;
};

export type Ended = { readonly unfinished: number; readonly doubled: number; readonly repeated: number };
export type Held = { readonly workflow: string; readonly workitem: string };
export type Lost = { readonly launches: number; readonly proceeds: number; readonly checked: number };

type Run = { readonly at: number; steps: number; hopAt: number; readonly seen: Set<string> };
type Callback = {
  readonly workflow_id: string;
  readonly workitem_id: string;
  readonly participant: string;
  readonly status: string;
  readonly fields: { readonly run?: string };
  readonly proceed_url: string;
};
type Load = { readonly work: Work; readonly inFlight: number; active: boolean; next: number };

const agent = new http.Agent({ keepAlive: true, maxSockets: SOCKETS_MAX });
const runs = new Map<string, Run>();
/** Held workitems by workflow, in order of arrival; a wide workflow has many. */
let held: Held[] = [];
let servers: readonly string[] = [];
let launchPath = LAUNCH_PATH;
/** How launches say who they are; proceeds use the URL they were given. */
let authorization: string | null = null;
let load: Load | null = null;
let callbackUrl = '';
let notices = 0;
let doubled = 0;
let repeated = 0;
let turning = false;
let turnsUnderWay = 0;
let remembering: { readonly launches: string[]; readonly proceeds: Held[] } | null = null;
let figures = fresh();

function fresh() {
  return {
    at: performance.now(),
    launched: 0,
    ended: 0,
    steps: 0,
    refused: 0,
    callbacks: 0,
    callbackBytes: 0,
    hops: [] as number[],
    wholes: [] as number[],
  };
}

const filler = 'wheel and roster, whose turn is it now? '.repeat(20);
/** Fields that are new with every step, as big as is usual. */
const fieldsOf = (run: string): object => {
  const at = Math.floor(Math.random() * 300);
  return { run, at: Date.now(), said: filler.slice(at, at + FIELDS_BYTES) };
};

type Answer = { readonly status: number; readonly text: string };

function request(url: string, method: string, body: string | null): Promise<Answer> {
  return new Promise((resolve) => {
    const sent = http.request(
      url,
      {
        method,
        agent,
        headers: {
          ...(body === null ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }),
          ...(authorization === null || url.includes('?token=') ? {} : { Authorization: authorization }),
        },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
        response.on('error', () => resolve({ status: 0, text: '' }));
      },
    );
    sent.on('error', () => resolve({ status: 0, text: '' }));
    sent.end(body ?? undefined);
  });
}

const participants = http.createServer((incoming, response) => {
  const arrivedAt = performance.now();
  const chunks: Buffer[] = [];
  incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
  incoming.on('end', () => {
    response.end();
    const body = Buffer.concat(chunks);
    figures.callbacks += 1;
    figures.callbackBytes += body.length;
    const callback = JSON.parse(body.toString()) as Callback;
    if (callback.status !== 'active') notices += 1;
    else if (Number(incoming.headers['rota-try'] ?? '1') > 1) {
      repeated += 1;
      take(callback, arrivedAt);
    } else take(callback, arrivedAt);
  });
});

function take(callback: Callback, arrivedAt: number): void {
  if (callback.participant.startsWith('hold')) {
    held.push({ workflow: callback.workflow_id, workitem: callback.workitem_id });
    return;
  }
  const run = runs.get(callback.fields.run ?? '');
  if (run === undefined) return;
  if (run.seen.has(callback.workitem_id)) {
    doubled += 1;
    return;
  }
  run.seen.add(callback.workitem_id);
  if (run.hopAt > 0) figures.hops.push(arrivedAt - run.hopAt);
  void proceed(callback, run);
}

async function proceed(callback: Callback, run: Run): Promise<void> {
  const name = callback.fields.run ?? '';
  const body = JSON.stringify({ fields: fieldsOf(name) });
  run.hopAt = performance.now();
  const { status } = await request(callback.proceed_url, 'POST', body);
  if (!isTaken(status)) {
    figures.refused += 1;
    return;
  }
  remembering?.proceeds.push({ workflow: callback.workflow_id, workitem: callback.workitem_id });
  figures.steps += 1;
  run.steps += 1;
  if (load === null || run.steps < load.work.steps) return;
  figures.ended += 1;
  figures.wholes.push(performance.now() - run.at);
  runs.delete(name);
  if (load.active) void launch(load);
}

async function launch(given: Load): Promise<void> {
  const name = String(given.next++);
  runs.set(name, { at: performance.now(), steps: 0, hopAt: 0, seen: new Set() });
  const { status, text } = await post(given.work.definition, fieldsOf(name));
  if (isTaken(status)) {
    figures.launched += 1;
    remembering?.launches.push((JSON.parse(text) as { readonly id: string }).id);
    return;
  }
  figures.refused += 1;
  runs.delete(name);
}

let turnOf = 0;
const server = (): string => servers[turnOf++ % servers.length] ?? '';
/** We answer 201, other engines as they please. */
const isTaken = (status: number): boolean => status >= 200 && status < 300;
const post = (workflow: string, fields: object): Promise<Answer> =>
  request(`${server()}${launchPath}`, 'POST', JSON.stringify({ workflow, callback: callbackUrl, fields }));
const pathOf = ({ workflow, workitem }: Held): string => `/v1/workflows/${workflow}/workitems/${workitem}`;

/** Does `count` pieces of work, so many at once. */
async function many(count: number, inFlight: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: Math.min(inFlight, count) }, worker));
}

/** Takes any one of the held workitems and proceeds it; its workflow comes round with another. */
async function turn(): Promise<void> {
  const index = Math.floor(Math.random() * held.length);
  const one = held[index];
  const last = held.pop();
  if (one === undefined || last === undefined) return;
  if (index < held.length) held[index] = last;
  const { status } = await request(
    `${server()}${pathOf(one)}/proceed`,
    'POST',
    JSON.stringify({ fields: fieldsOf('turn') }),
  );
  if (status === 201) figures.steps += 1;
  else figures.refused += 1;
}

async function turns(): Promise<void> {
  turnsUnderWay += 1;
  while (turning && held.length > 0) await turn();
  turnsUnderWay -= 1;
}

async function until(isSo: () => boolean, withinMs: number): Promise<boolean> {
  const end = performance.now() + withinMs;
  while (!isSo()) {
    if (performance.now() > end) return false;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return true;
}

function seen(): Seen {
  const { hops, wholes } = figures;
  const result: Seen = {
    seconds: (performance.now() - figures.at) / 1000,
    launched: figures.launched,
    ended: figures.ended,
    steps: figures.steps,
    hopP50: percentile(hops, 0.5),
    hopP99: percentile(hops, 0.99),
    wholeP50: percentile(wholes, 0.5),
    wholeP95: percentile(wholes, 0.95),
    refused: figures.refused,
    callbackBytes: figures.callbackBytes / Math.max(1, figures.callbacks),
  };
  figures = fresh();
  return result;
}

takeOrders({
  listen: async () => {
    await new Promise<void>((resolve) => participants.listen(0, '127.0.0.1', resolve));
    callbackUrl = `http://127.0.0.1:${(participants.address() as AddressInfo).port}/turn`;
    return callbackUrl;
  },
  /** Which servers to speak to, and nothing is known any more. */
  meet: (order: {
    readonly servers: readonly string[];
    readonly launchPath?: string;
    readonly authorization?: string;
  }) => {
    servers = order.servers;
    launchPath = order.launchPath ?? LAUNCH_PATH;
    authorization = order.authorization ?? null;
    held = [];
    runs.clear();
    doubled = 0;
    repeated = 0;
    notices = 0;
    load = null;
    remembering = null;
  },
  /** Speaks to other servers from now on. */
  turnTo: (order: { readonly servers: readonly string[] }) => {
    servers = order.servers;
  },
  /** From now on everything that is acknowledged is remembered, for `verify`. */
  remember: () => {
    remembering = { launches: [], proceeds: [] };
  },
  /** Keeps so many workflows under way, from launch to end, until `end`. */
  begin: (order: { readonly work: Work; readonly inFlight: number }) => {
    const begun: Load = { ...order, active: true, next: 0 };
    load = begun;
    figures = fresh();
    for (let i = 0; i < order.inFlight; i++) void launch(begun);
  },
  mark: seen,
  /** Steps since the last mark. */
  steps: () => figures.steps,
  /** No new launches; waits for what is under way. */
  end: async (order: { readonly withinMs?: number }): Promise<Ended> => {
    if (load !== null) load.active = false;
    await until(() => runs.size === 0, order.withinMs ?? DRAIN_MS_MAX);
    const unfinished = runs.size;
    runs.clear();
    return { unfinished, doubled, repeated };
  },
  /** Launches and leaves them to wait. Answers how many were taken, their ids and the milliseconds it took. */
  launch: async (order: {
    readonly definition: string;
    readonly count: number;
    readonly inFlight: number;
    readonly withinMs: number;
    readonly fields?: object;
  }) => {
    const begun = performance.now();
    const ids: string[] = [];
    await many(order.count, order.inFlight, async (index) => {
      if (performance.now() - begun > order.withinMs) return;
      const { status, text } = await post(order.definition, order.fields ?? fieldsOf(`waits ${index}`));
      if (status === 201) ids.push((JSON.parse(text) as { readonly id: string }).id);
      else figures.refused += 1;
    });
    return { ids, ms: performance.now() - begun };
  },
  held: async (order: { readonly count: number; readonly withinMs: number }) => {
    await until(() => held.length >= order.count, order.withinMs);
    return held.length;
  },
  notices: async (order: { readonly count: number; readonly withinMs: number }) => {
    await until(() => notices >= order.count, order.withinMs);
    return notices;
  },
  /** Workitems that are waiting already. */
  adopt: (order: { readonly items: readonly Held[] }) => {
    held.push(...order.items);
  },
  /** Proceeds the first so many of what is held (`of` one workflow, or `not` of it), each once. */
  proceedHeld: async (order: {
    readonly count: number;
    readonly inFlight: number;
    readonly of?: string;
    readonly not?: string;
  }) => {
    const fits = ({ workflow }: Held): boolean =>
      order.of === undefined ? workflow !== order.not : workflow === order.of;
    const taken = held.filter(fits).slice(0, order.count);
    const gone = new Set(taken);
    held = held.filter((one) => !gone.has(one));
    let refused = 0;
    const begun = performance.now();
    await many(taken.length, order.inFlight, async (index) => {
      const one = taken[index] as Held;
      const fields = JSON.stringify({ fields: fieldsOf('branch') });
      const { status } = await request(`${server()}${pathOf(one)}/proceed`, 'POST', fields);
      if (status !== 201) refused += 1;
    });
    return { steps: taken.length - refused, refused, ms: performance.now() - begun };
  },
  /** Keeps proceeding any of the held workitems, whose workflows are loops, until `stopTurning`. */
  beginTurning: (order: { readonly inFlight: number }) => {
    turning = true;
    figures = fresh();
    for (let i = 0; i < order.inFlight; i++) void turns();
  },
  stopTurning: async () => {
    turning = false;
    await until(() => turnsUnderWay === 0, DRAIN_MS_MAX);
  },
  cancel: async (order: { readonly workflow: string }) =>
    (await request(`${server()}/v1/workflows/${order.workflow}/cancel`, 'POST', null)).status,
  get: async (order: { readonly path: string; readonly times: number }) => {
    const took: number[] = [];
    for (let i = 0; i < order.times; i++) {
      const begun = performance.now();
      const { status } = await request(`${server()}${order.path}`, 'GET', null);
      if (status !== 200) throw new Error(`${order.path} was answered with ${status}`);
      took.push(performance.now() - begun);
    }
    return percentile(took, 0.5);
  },
  /** Looks whether everything that was answered with 201 is still so: launches are there, workitems cannot be proceeded again. */
  verify: async (order: { readonly inFlight: number }): Promise<Lost> => {
    const { launches, proceeds } = remembering ?? { launches: [], proceeds: [] };
    remembering = null;
    let lostLaunches = 0;
    let lostProceeds = 0;
    await many(proceeds.length, order.inFlight, async (index) => {
      const { status } = await request(`${server()}${pathOf(proceeds[index] as Held)}/proceed`, 'POST', '{}');
      if (status !== 400) lostProceeds += 1;
    });
    await many(launches.length, order.inFlight, async (index) => {
      const { status } = await request(`${server()}/v1/workflows/${launches[index]}`, 'GET', null);
      if (status !== 200) lostLaunches += 1;
    });
    return { launches: lostLaunches, proceeds: lostProceeds, checked: launches.length + proceeds.length };
  },
});
