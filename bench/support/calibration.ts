import type { Bench, Calibration } from './bench.ts';
import type { Loop } from './calibrate.ts';
import type { Database } from './database.ts';
import { type Helper, hire } from './processes.ts';
import { median } from './statistics.ts';

/** Runs the calibration loops between the rounds of a load, so that both see the same machine. */
export type Calibrator = {
  /** One round of all loops. */
  round(seconds: number): Promise<void>;
  /** Medians of the rounds so far. */
  result(): Calibration;
  stop(): Promise<void>;
};

const IN_FLIGHT_STEP = 4;
const IN_FLIGHT_POST = 16;

export async function makeCalibrator(bench: Bench): Promise<Calibrator> {
  const helper: Helper = hire(new URL('calibrate.ts', import.meta.url));
  const database: Database | null = (await bench.postgres?.make()) ?? null;
  if (database !== null) await helper.ask('prepare', { url: database.url });
  const rounds: Calibration[] = [];
  return {
    round: async (seconds) => {
      const cpu = bench.postgres?.cpu() ?? 0;
      const wal = (await database?.counters())?.walBytes ?? 0;
      const step = database === null ? null : await helper.ask<Loop>('step', { seconds, inFlight: IN_FLIGHT_STEP });
      const turns = (step?.perSecond ?? Number.NaN) * seconds;
      rounds.push({
        step: {
          perSecond: step?.perSecond ?? Number.NaN,
          us: step?.us ?? Number.NaN,
          databaseUs: ((bench.postgres?.cpu() ?? 0) - cpu) / turns,
          walBytes: (((await database?.counters())?.walBytes ?? 0) - wal) / turns,
        },
        post: await helper.ask<Loop>('post', { seconds, inFlight: IN_FLIGHT_POST, url: bench.callbackUrl }),
        json: await helper.ask<Loop>('json', { seconds: seconds / 4 }),
      });
    },
    result: () => {
      const mid = (of: (round: Calibration) => number): number => median(rounds.map(of));
      const loop = (of: (round: Calibration) => Loop): Loop => ({
        perSecond: mid((round) => of(round).perSecond),
        us: mid((round) => of(round).us),
      });
      return {
        step: {
          ...loop(({ step }) => step),
          databaseUs: mid(({ step }) => step.databaseUs),
          walBytes: mid(({ step }) => step.walBytes),
        },
        post: loop(({ post }) => post),
        json: loop(({ json }) => json),
      };
    },
    stop: async () => {
      await helper.ask('close');
      await helper.stop();
      await database?.drop();
    },
  };
}
