import { type ChildProcess, fork, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';

/*
 * The processes of a run, and what the operating system says about them. Everything that was started here is ended here, by its
 * own number; whatever is left when this process ends goes with it.
 */

/** A clock tick of /proc in microseconds; 100 a second on every Linux there is. */
const TICK_US = 10_000;
/** How long a process gets to end in order. */
const STOP_MS_MAX = 20_000;
/** How long an order to a helper may take. */
const ORDER_MS_MAX = 600_000;

const living = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of living) if (child.pid !== undefined) tryTo(() => process.kill(child.pid as number, 'SIGKILL'));
});

export type Child = {
  readonly pid: number;
  /** What it wrote to standard error, the end of it. */
  readonly complaints: () => string;
  /** Its exit code; null when a signal ended it. */
  readonly exited: Promise<number | null>;
  send(message: object): void;
  onMessage(take: (message: object) => void): void;
  /** SIGTERM, and SIGKILL when that does not help. */
  stop(): Promise<void>;
  kill(): Promise<void>;
};

/** Starts a Node program of its own with a line to it; `environment` is all it gets besides PATH and HOME. */
export function startNode(given: {
  /** Another Node than ours. */
  readonly program?: string;
  readonly file: string;
  readonly args?: readonly string[];
  readonly nodeArgs?: readonly string[];
  readonly environment: { readonly [name: string]: string };
  /** Where it runs; here unless given. */
  readonly folder?: string;
}): Child {
  const { PATH = '', HOME = '' } = process.env;
  return watched(
    spawn(given.program ?? process.execPath, [...(given.nodeArgs ?? []), given.file, ...(given.args ?? [])], {
      env: { PATH, HOME, ...given.environment },
      cwd: given.folder ?? process.cwd(),
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    }),
  );
}

/** Starts any program; `environment` is all it gets besides PATH and HOME. */
export function startProgram(given: {
  readonly program: string;
  readonly args: readonly string[];
  readonly environment: { readonly [name: string]: string };
  readonly folder: string;
}): Child {
  const { PATH = '', HOME = '' } = process.env;
  return watched(
    spawn(given.program, given.args, {
      env: { PATH, HOME, ...given.environment },
      cwd: given.folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    }),
  );
}

function watched(child: ChildProcess): Child {
  living.add(child);
  let complaints = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    complaints = (complaints + chunk.toString()).slice(-4_000);
  });
  // A process that cannot be started, and a line that breaks when it is killed, both show in `exited`.
  child.on('error', () => {});
  const exited = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => {
      living.delete(child);
      resolve(code);
    });
  });
  const signal = (name: NodeJS.Signals): void => {
    if (living.has(child) && child.pid !== undefined) tryTo(() => process.kill(child.pid as number, name));
  };
  return {
    pid: child.pid ?? -1,
    complaints: () => complaints,
    exited,
    send: (message) => {
      if (child.connected) child.send(message);
    },
    onMessage: (take) => {
      child.on('message', take);
    },
    stop: async () => {
      signal('SIGTERM');
      const timer = setTimeout(() => signal('SIGKILL'), STOP_MS_MAX);
      await exited;
      clearTimeout(timer);
    },
    kill: async () => {
      signal('SIGKILL');
      await exited;
    },
  };
}

/** A process of ours that takes orders and answers each. */
export type Helper = Child & { ask<Answer>(what: string, order?: object): Promise<Answer> };

type Reply = { readonly id: number; readonly answer?: unknown; readonly error?: string };

/** Starts a helper from a file of this folder. */
export function hire(file: URL): Helper {
  const child = watched(fork(file, [], { serialization: 'advanced', stdio: ['ignore', 'inherit', 'pipe', 'ipc'] }));
  const waiting = new Map<number, { resolve: (answer: unknown) => void; reject: (error: Error) => void }>();
  let last = 0;
  child.onMessage((message) => {
    const { id, answer, error } = message as Reply;
    const one = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) one?.resolve(answer);
    else one?.reject(new Error(error));
  });
  void child.exited.then(() => {
    for (const { reject } of waiting.values()) reject(new Error(`A helper ended early: ${child.complaints()}`));
  });
  return {
    ...child,
    ask: <Answer>(what: string, order: object = {}) =>
      new Promise<Answer>((resolve, reject) => {
        const id = ++last;
        const timer = setTimeout(() => {
          waiting.delete(id);
          reject(new Error(`The order "${what}" took longer than ${ORDER_MS_MAX / 1000} s`));
        }, ORDER_MS_MAX);
        const done =
          <Value>(then: (value: Value) => void) =>
          (value: Value): void => {
            clearTimeout(timer);
            then(value);
          };
        waiting.set(id, { resolve: done(resolve as (answer: unknown) => void), reject: done(reject) });
        child.send({ id, what, order });
      }),
  };
}

/** The helper's side: takes orders until whoever hired it is gone. */
export function takeOrders(handlers: { readonly [what: string]: (order: never) => unknown }): void {
  process.on('disconnect', () => process.exit(0));
  process.on('message', (message) => {
    const { id, what, order } = message as { readonly id: number; readonly what: string; readonly order: never };
    const handle = handlers[what];
    const run = async (): Promise<unknown> => {
      if (handle === undefined) throw new Error(`There is no order "${what}"`);
      return handle(order);
    };
    run().then(
      (answer) => process.send?.({ id, answer }),
      (error: unknown) =>
        process.send?.({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
  });
}

type Stat = { readonly parent: number; readonly ownUs: number; readonly reapedUs: number };

function statOf(pid: number): Stat | null {
  const text = tryTo(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  if (text === null) return null;
  // The second field is the program's name in parentheses and may hold anything; the parent is the second after it.
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const at = (n: number): number => fields[n] ?? 0;
  return { parent: at(1), ownUs: (at(11) + at(12)) * TICK_US, reapedUs: (at(13) + at(14)) * TICK_US };
}

/** What the scheduler counted for a process, all threads it has now, in microseconds; null where the system does not tell. Ticks are too coarse for a second. */
function scheduledUs(pid: number): number | null {
  const threads = tryTo(() => readdirSync(`/proc/${pid}/task`)) ?? [];
  const each = threads.map((thread) => tryTo(() => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8')));
  const ns = each.reduce((sum, text) => sum + Number.parseInt(text ?? '0', 10), 0);
  return ns > 0 ? ns / 1_000 : null;
}

/** CPU a process has used so far, all its threads, in microseconds; 0 when it is gone. */
export const cpuOf = (pid: number): number => scheduledUs(pid) ?? statOf(pid)?.ownUs ?? 0;

/** CPU a process and its children have used so far, those that ended included, in microseconds. */
export function cpuOfFamily(pid: number): number {
  const own = statOf(pid);
  if (own === null) return 0;
  let sum = cpuOf(pid) + own.reapedUs;
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? statOf(Number(name)) : null;
    if (stat?.parent === pid) sum += cpuOf(Number(name));
  }
  return sum;
}

export const parentOf = (pid: number): number | null => statOf(pid)?.parent ?? null;
export const programOf = (pid: number): string | null => tryTo(() => readFileSync(`/proc/${pid}/comm`, 'utf8').trim());

/** Memory a process holds, in megabytes. */
export function residentMb(pid: number): number {
  const status = tryTo(() => readFileSync(`/proc/${pid}/status`, 'utf8')) ?? '';
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024;
}

export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });

export const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export function tryTo<Value>(look: () => Value): Value | null {
  try {
    return look();
  } catch {
    return null;
  }
}
