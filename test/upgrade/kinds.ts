/*
 * Workflows of many kinds, each brought to a place in its middle where an upgrade may find it. They are played over HTTP (play.ts), against whichever
 * release.
 */

export type Kind = {
  /** Radial, which every release reads. */
  readonly workflow: string;
  /** Answers that are given before the upgrade, always to whoever is first by name. */
  readonly answers?: number;
  /** What is done to the workflow then. */
  readonly then?: 'pause' | 'cancel';
  readonly retry?: Readonly<Record<string, unknown>>;
  readonly fields?: Readonly<Record<string, unknown>>;
  /** Releases that have no events from outside are not given it. */
  readonly since?: 'events';
};

/** Participants that refuse before the upgrade. */
export const REFUSING: readonly string[] = ['flaky', 'broken'];

export const KINDS: Readonly<Record<string, Kind>> = {
  waiting: { workflow: 'define waiting\n  sequence\n    alpha\n    beta\n    gamma', answers: 1 },
  branches: {
    workflow: "define branches\n  concurrence merge_type: 'mix'\n    alpha\n    beta\n    gamma\n  join",
    answers: 2,
  },
  quorum: {
    workflow: "define quorum\n  concurrence count: 2, remaining: 'forget'\n    alpha\n    beta\n    gamma\n  join",
    answers: 1,
  },
  list: {
    workflow: "define list\n  iterator on: 'a, b, c', to_f: 'item'\n    worker task: '${f:item}'\n  last",
    answers: 1,
  },
  lists: {
    workflow:
      "define lists\n  concurrent_iterator on: 'a, b, c', to_v: 'item', merge_type: 'mix'\n    participant 'worker_${v:item}'\n  last",
    answers: 2,
  },
  cursor: {
    workflow: "define cursor\n  cursor\n    alpha\n    beta\n    rewind if: '${f:again} == yes'\n    gamma\n  last",
    answers: 1,
    fields: { again: 'no' },
  },
  loop: {
    workflow: "define loop\n  set 'v:n': 0\n  repeat\n    alpha\n    inc 'v:n'\n    break if: '${v:n} > 2'\n  last",
    answers: 1,
  },
  forgotten: { workflow: 'define forgotten\n  sequence\n    forget\n      ghost\n    alpha\n    beta', answers: 1 },
  timer: { workflow: "define timer\n  wait '45s'\n  alpha" },
  timeout: { workflow: "define timeout\n  alpha timeout: '45s', on_timeout: 'boss'\n  beta" },
  reminders: { workflow: "define reminders\n  alpha timers: '45s: reminder, 9y: error'\n  beta" },
  cron: { workflow: "define cron\n  concurrence count: 1\n    cron '* * * * *'\n      ticker\n    alpha\n  last" },
  every: { workflow: "define every\n  concurrence count: 1\n    every '50s'\n      ticker\n    alpha\n  last" },
  awaiting: {
    workflow:
      "define awaiting\n  concurrence\n    sequence\n      await left_tag: 'stage'\n      gamma\n    sequence tag: 'stage'\n      alpha\n  last",
  },
  listener: {
    workflow:
      "define listener\n  concurrence\n    listen to: 'alpha', upon: 'reply'\n    sequence\n      alpha\n      beta\n  last",
  },
  mutex: {
    workflow: "define mutex\n  concurrence\n    reserve 'm'\n      alpha\n    reserve 'm'\n      beta\n  last",
  },
  parts: {
    workflow:
      "define parts\n  define part\n    alpha task: '${v:what}'\n  part what: 'one'\n  part what: 'two'\n  last",
    answers: 1,
  },
  variables: {
    workflow:
      "define variables\n  set 'v:colour': 'green'\n  alpha\n  beta colour: '${v:colour}'\n  gamma if: '${v:colour} == green'",
  },
  choice: {
    workflow: "define choice\n  alpha\n  given '${f:kind}'\n    of 'x'\n      beta\n    otherwise\n      gamma\n  last",
    fields: { kind: 'x' },
  },
  handled: {
    workflow:
      "define handled\n  define mend\n    mender\n  sequence on_error: 'mend'\n    error 'bad'\n    alpha\n  last",
  },
  failed: { workflow: 'define failed\n  broken\n  mended', retry: { delays: [] } },
  retried: { workflow: 'define retried\n  flaky\n  last', retry: { delays: [45, 45, 45] } },
  paused: { workflow: 'define paused\n  alpha\n  beta', answers: 1, then: 'pause' },
  cleaning: {
    workflow: "define cleaning\n  define clean\n    cleaner\n  sequence on_cancel: 'clean'\n    alpha\n",
    then: 'cancel',
  },
  paid: {
    workflow: "define paid\n  await event: 'order.paid', key: '${f:order}', to: 'payment'\n  alpha",
    fields: { order: 'A-1' },
    since: 'events',
  },
  undone: {
    workflow: "define undone\n  alpha undo: 'undoer'\n  compensate\n  last",
    answers: 1,
    since: 'events',
  },
};
