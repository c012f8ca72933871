import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { FromChild, Point, ToChild } from '../crash/child.ts';
import { QUICK } from './child.ts';
import { compiled } from './compiled.ts';

/** What test/crash/child.ts says when it begins to loop. */
export const LOOPS = 'loops for ever';

/* Servers in processes of their own (test/crash/child.ts), to be killed, frozen and started again. */

export type ChildServer = {
  readonly url: string;
  readonly pid: number;
  /** Everything it has written, the last of it; for complaints. */
  readonly output: () => string;
  /** It is to kill itself when it passes this point for the n-th time from now. */
  readonly arm: (point: Point, passages: number) => void;
  readonly signal: (signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT' | 'SIGTERM') => void;
  readonly mend: () => void;
  readonly fillTheDisk: () => void;
  /** Resolves when it loops for ever in the middle of a step, which may be before it is ready. */
  readonly loops: Promise<void>;
  /** Resolves when the process has ended, however it did: with its exit code, or null when it was killed. */
  readonly ended: Promise<number | null>;
};

export type ChildServers = {
  /** @throws with everything it has said when it ends before it is ready */
  readonly start: (settings: Readonly<Record<string, string>>) => Promise<ChildServer>;
  /** Kills whatever still runs. */
  readonly close: () => Promise<void>;
};

const OUTPUT_MAX = 20_000;

export function makeChildServers(): ChildServers {
  const folder = compiled();
  const entry = join(folder, 'test/crash/child.js');
  const living = new Set<ChildServer>();

  return {
    start: async (settings) => {
      const child = spawn(process.execPath, [...QUICK, entry], {
        cwd: folder,
        // Settings of whoever runs the tests must not leak in.
        env: {
          PATH: process.env['PATH'] ?? '',
          HOME: process.env['HOME'] ?? '',
          PORT: '0',
          LOG_LEVEL: 'warn',
          ...settings,
        },
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      });
      const server = await ready(child);
      living.add(server);
      void server.ended.then(() => living.delete(server));
      return server;
    },
    close: async () => {
      for (const server of living) server.signal('SIGKILL');
      await Promise.all([...living].map((server) => server.ended));
    },
  };
}

async function ready(child: ChildProcess): Promise<ChildServer> {
  let output = '';
  let tellLoops = (): void => {};
  const loops = new Promise<void>((resolve) => {
    tellLoops = resolve;
  });
  const hear = (chunk: Buffer): void => {
    output = (output + chunk.toString('utf8')).slice(-OUTPUT_MAX);
    if (output.includes(LOOPS)) tellLoops();
  };
  child.stdout?.on('data', hear);
  child.stderr?.on('data', hear);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const url = await new Promise<string>((resolve, reject) => {
    child.once('message', (message: FromChild) => {
      if (message.kind === 'ready') resolve(message.url);
      else reject(new Error(`A server did not start: ${message.why}\n${output}`));
    });
    // It will never be ready.
    void loops.then(() => resolve(''));
    void ended.then(() => reject(new Error(`A server ended before it was ready\n${output}`)));
  });
  return {
    url,
    pid: child.pid ?? 0,
    output: () => output,
    arm: (point, passages) => {
      const message: ToChild = { kind: 'arm', point, passages };
      // It may have died a moment ago; then it is started again anyway.
      child.send(message, () => {});
    },
    mend: () => {
      const message: ToChild = { kind: 'mend' };
      child.send(message);
    },
    fillTheDisk: () => {
      const message: ToChild = { kind: 'fill the disk' };
      child.send(message);
    },
    loops,
    signal: (signal) => {
      child.kill(signal);
    },
    ended,
  };
}
