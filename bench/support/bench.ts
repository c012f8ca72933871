import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Loop } from './calibrate.ts';
import type { Counters, Database, Postgres } from './database.ts';
import type { Seen } from './outside.ts';
import { type Helper, wait } from './processes.ts';
import { type Rota, startRota } from './rota.ts';

/* What all goals share: a server on a database, the world outside, loads that are warmed up and measured. */

export type Bench = {
  /** Null: only the embedded database is measured. */
  readonly postgres: Postgres | null;
  /** The server keeps its work in Postgres or, when asked for, in its own process. */
  readonly embedded: boolean;
  readonly quick: boolean;
  /** How many short slices of each server are compared; null: the rounds of turns.ts. */
  readonly slices: number | null;
  readonly outside: Helper;
  /** Where participants are called. */
  readonly callbackUrl: string;
  /** A folder of this run. */
  readonly folder: string;
};

/** One line of the table. */
export type Result = {
  readonly goal: number;
  readonly what: string;
  readonly figure: string;
  readonly wanted: string;
  /** Null: could not be measured, or has no bound. */
  readonly met: boolean | null;
  /** Against the calibration loops of the same run. */
  readonly ratio?: string;
  readonly note?: string;
};

export const THREE_STEPS = {
  definition: '<sequence><participant ref="auto a"/><participant ref="auto b"/><participant ref="auto c"/></sequence>',
  steps: 3,
};

/** A server with its database. */
export type Place = { readonly rota: Rota; readonly database: Database | null; readonly environment: Environment };
export type Environment = { readonly [name: string]: string };

/** Starts a server on an empty database, runs `work`, and removes both. */
export async function onFreshServer<Value>(
  bench: Bench,
  work: (place: Place) => Promise<Value>,
  settings: Environment = {},
  main?: string,
): Promise<Value> {
  const database = bench.embedded ? null : ((await bench.postgres?.make()) ?? null);
  const dataDir = mkdtempSync(join(bench.folder, 'data-'));
  const environment = { ...(database === null ? { DATA_DIR: dataDir } : { DATABASE_URL: database.url }), ...settings };
  try {
    const rota = await startRota(environment, main);
    try {
      await bench.outside.ask('meet', { servers: [rota.url] });
      return await work({ rota, database, environment });
    } finally {
      await rota.child.stop();
    }
  } finally {
    await database?.drop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

export const makeFolder = (): string => mkdtempSync(join(tmpdir(), 'rota-bench-'));

/** What one measured stretch cost. */
export type Cost = {
  readonly seen: Seen;
  /** Microseconds of CPU for one step. */
  readonly serverUs: number;
  readonly databaseUs: number;
  readonly numbered: number;
  readonly walBytes: number;
  readonly wholePages: number;
};

/** CPU so far of everything that serves, in microseconds, and the counters of the database. */
export type Reading = { readonly server: number; readonly database: number; readonly counters: Counters | null };

export async function reading(
  bench: Bench,
  servers: readonly Pick<Rota, 'cpu'>[],
  database: Database | null,
): Promise<Reading> {
  return {
    server: servers.reduce((sum, server) => sum + server.cpu(), 0),
    database: bench.postgres?.cpu() ?? 0,
    counters: (await database?.counters()) ?? null,
  };
}

export function costBetween(a: Reading, b: Reading, steps: number): Omit<Cost, 'seen'> {
  const per = (of: (counters: Counters) => number): number =>
    a.counters === null || b.counters === null ? Number.NaN : (of(b.counters) - of(a.counters)) / steps;
  return {
    serverUs: (b.server - a.server) / steps,
    databaseUs: (b.database - a.database) / steps,
    numbered: per(({ numbered }) => numbered),
    walBytes: per(({ walBytes }) => walBytes),
    wholePages: per(({ wholePages }) => wholePages),
  };
}

const LOOK_MS = 25;

/** Lets the load that is under way go on for so many steps, but no longer than so many seconds. */
export async function goOn(bench: Bench, steps: number, secondsMax: number): Promise<Seen> {
  const begun = performance.now();
  for (;;) {
    await wait(LOOK_MS);
    const soFar = await bench.outside.ask<number>('steps');
    if (soFar >= steps || performance.now() - begun > secondsMax * 1000) return bench.outside.ask<Seen>('mark');
  }
}

/** Measures the load that is under way. */
export async function measured(
  bench: Bench,
  servers: readonly Pick<Rota, 'cpu'>[],
  database: Database | null,
  extent: { readonly steps: number; readonly secondsMax: number },
): Promise<Cost> {
  await bench.outside.ask('mark');
  const before = await reading(bench, servers, database);
  const seen = await goOn(bench, extent.steps, extent.secondsMax);
  const after = await reading(bench, servers, database);
  return { seen, ...costBetween(before, after, Math.max(1, seen.steps)) };
}

/** The loops of calibrate.ts, as seen from outside. */
export type Calibration = {
  readonly step: Loop & { readonly databaseUs: number; readonly walBytes: number };
  readonly post: Loop;
  readonly json: Loop;
};

export const whole = (value: number): string => Math.round(value).toLocaleString('en');
export const fine = (value: number, digits = 2): string => value.toFixed(digits);
