import type { Random } from './scheduler.ts';
import type { CommitFate } from './store.ts';

/**
 * What can go wrong in one world, and how often. Every seed has a mixture of its own: some worlds have one kind of trouble only, so that
 * no kind hides behind another.
 */
export type Chaos = {
  /** Per commit: the node dies before it arrives, or after it was written and before its answer is there. */
  readonly crashAtCommit: number;
  /** Per minute: nodes that die anywhere, stand still for a while, are told to stop. */
  readonly crashes: number;
  readonly freezes: number;
  readonly stops: number;
  /** Per minute: the database cannot be reached for some seconds. */
  readonly outages: number;
  /** Per question to the database. */
  readonly questionsLost: number;
  readonly answersLost: number;
  readonly commitsOdd: number;
  /** Per message of a commit, from the first look to the last answer: from here on the database answers a node nothing, for 1 to 60 seconds. */
  readonly silences: number;
  /** Per hint of one node to the others. */
  readonly hintsLost: number;
  /** Per call of a client: its answer gets lost. */
  readonly callsLost: number;
  /** Per request to a participant: it does not get there. */
  readonly requestsLost: number;
  /** Per minute: the clock of a node is set to another time. */
  readonly clockJumps: number;
  /** Per minute: an operator does something. */
  readonly operators: number;
};

export const NO_CHAOS: Chaos = {
  crashAtCommit: 0,
  crashes: 0,
  freezes: 0,
  stops: 0,
  outages: 0,
  questionsLost: 0,
  answersLost: 0,
  commitsOdd: 0,
  silences: 0,
  hintsLost: 0,
  callsLost: 0,
  requestsLost: 0,
  clockJumps: 0,
  operators: 0,
};

export const makeChaos = (random: Random): Chaos => ({
  crashAtCommit: random.pick([0, 0, 0.01, 0.04]),
  crashes: random.pick([0, 0, 1, 3]),
  freezes: random.pick([0, 0, 1, 3]),
  stops: random.pick([0, 0, 1]),
  outages: random.pick([0, 0, 0, 1]),
  questionsLost: random.pick([0, 0, 0.002, 0.02]),
  answersLost: random.pick([0, 0, 0.002, 0.02]),
  commitsOdd: random.pick([0, 0, 0.02, 0.1]),
  silences: 0,
  hintsLost: random.pick([0, 0.5, 1]),
  callsLost: random.pick([0, 0.1, 0.3]),
  requestsLost: random.pick([0, 0.05, 0.2]),
  clockJumps: random.pick([0, 0, 1, 4]),
  operators: random.pick([0, 2, 6, 15]),
});

/** Every fourth world knows silences; the others stay as they were before there were any. */
export const silencesOf = (seed: number): number => (seed % 4 === 3 ? 0.01 : 0);

const ODD: readonly CommitFate[] = ['conflict', 'answer lost', 'never came', 'unknown, kept', 'unknown, gone'];
export const fateOfCommit = (chaos: Chaos, random: Random): CommitFate =>
  random.chance(chaos.commitsOdd) ? random.pick(ODD) : 'kept';
