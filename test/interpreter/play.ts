import { readDefinition } from '../../src/definition/read.ts';
import type { Fields } from '../../src/model/json.ts';
import type { Status } from '../../src/model/rows.ts';
import { type Driver, drive } from '../properties/driver.ts';

/* Plays small definitions for tests: participants answer at once, but for those that are said to wait. */

export type Outcome = {
  /** Participants in the order they were given workitems, and notices as `cancel sp`. */
  readonly seen: readonly string[];
  readonly status: Status | null;
  readonly fields: Fields;
  /** `class: message` of the errors that wait. */
  readonly errors: readonly string[];
  readonly driver: Driver;
};

export type Play = {
  readonly fields?: Fields;
  /** What participants answer with; the first answer first, the last one again and again. */
  readonly answers?: { readonly [participant: string]: readonly Fields[] };
  /** Participants that give up with `no`. */
  readonly failing?: readonly string[];
  /** How often time passes up to the next due moment once nobody is left to answer. */
  readonly time?: number;
};

/** Names that begin with `sp` wait; all others answer at once. */
const waits = (participant: string): boolean => participant.startsWith('sp');
const ROUNDS_MAX = 60;

export function play(text: string, { fields = {}, answers = {}, failing = [], time = 5 }: Play = {}): Outcome {
  const read = readDefinition(text);
  if (!read.ok) throw new Error(JSON.stringify(read.errors));
  const driver = drive(read.tree, { fields });
  const times = new Map<string, number>();
  let left = time;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const rows = driver.world.whole(driver.id).workitems;
    const next = [...rows.values()].find((row) => row.state === 'open' && !waits(row.participant));
    if (next === undefined) {
      if (left-- <= 0 || driver.world.firstDue() === null) break;
      driver.act({ do: 'time', pick: 0, fields: {} });
      continue;
    }
    const nth = times.get(next.participant) ?? 0;
    times.set(next.participant, nth + 1);
    const given = answers[next.participant] ?? [{}];
    if (failing.includes(next.participant))
      driver.stimulate({ kind: 'fail', workitem: next.id, class: 'RuntimeError', message: 'no' });
    else driver.stimulate({ kind: 'proceed', workitem: next.id, fields: given[Math.min(nth, given.length - 1)] ?? {} });
    driver.settle();
  }
  return outcome(driver);
}

/** Where a workflow stands. */
export function outcome(driver: Driver): Outcome {
  return {
    seen: driver
      .delivered()
      .map(({ status, participant }) => (status === 'active' ? participant : `${status} ${participant}`)),
    status: driver.status(),
    fields: driver.result(),
    errors: [...driver.world.whole(driver.id).errors.values()].map((row) => `${row.class}: ${row.message}`),
    driver,
  };
}
