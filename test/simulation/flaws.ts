/**
 * Bugs that can be planted into a simulated world, to see that they are found. They are wrapped around the real parts; nothing in them
 * knows.
 */
export type Flaw = PlainFlaw | HeardFlaw;

export type PlainFlaw =
  /** A message is claimed although somebody else's lease on it lasts. */
  | 'skip the lease check'
  /** A claim that is not ours any more is taken for renewed. */
  | 'believe the lease'
  /** A message is sent, and then the step that owes it is saved. */
  | 'post before the commit'
  /** The rows are loaded before the workflow is locked. */
  | 'load before the lock'
  /** Now and then what a participant acknowledged is not written down. */
  | 'drop an ack'
  /** A notice is free to go while a try of its workitem is under way. */
  | 'notice without waiting'
  /** A step that worked with remembered rows is saved without a look at what the database holds by now. */
  | 'believe the memory'
  /** A commit whose answer does not come is taken for one that was refused. */
  | 'take silence for a no';

/** Those that show where events and schedules are (heard.ts). */
export type HeardFlaw =
  /** Who begins to wait looks at what is kept, and then writes its row. */
  | 'look before the row'
  /** An event looks at who waits, and then is stored. */
  | 'receive without a lock'
  /** An event that was handed to somebody who waits no more is not given back. */
  | 'give nothing back'
  /** A schedule is decided upon, and written without a look at who else has decided. */
  | 'decide twice';

export const FLAWS: readonly PlainFlaw[] = [
  'skip the lease check',
  'believe the lease',
  'post before the commit',
  'load before the lock',
  'drop an ack',
  'notice without waiting',
  'believe the memory',
  'take silence for a no',
];

export const HEARD_FLAWS: readonly HeardFlaw[] = [
  'look before the row',
  'receive without a lock',
  'give nothing back',
  'decide twice',
];
