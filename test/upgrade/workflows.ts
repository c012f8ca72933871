/* The workflows of the recordings in this folder, by name: each stands somewhere in the middle. */

type Tree = readonly [string, Readonly<Record<string, unknown>>, readonly Tree[]];
const ask = (ref: string, more: Readonly<Record<string, unknown>> = {}): Tree => ['participant', { ref, ...more }, []];

/** Stands in a recording where the address of the participants goes. */
export const PARTICIPANT = 'http://participant.invalid/callbacks';

export const WORKFLOWS: Readonly<
  Record<string, { readonly children: readonly Tree[]; readonly retry?: Readonly<Record<string, unknown>> }>
> = {
  /** An open workitem. */
  open: { children: [ask('first'), ask('second')] },
  /** A timer that is long due when the recording is opened. */
  timer: { children: [['wait', { for: '45s' }, []], ask('waker')] },
  /** A timer that is not. */
  future: { children: [['wait', { until: '2999-12-31 00:00:00 UTC' }, []], ask('never')] },
  /** A participant that has timed out meanwhile. */
  timeout: { children: [ask('sleeper', { timeout: '45s' }), ask('successor')] },
  /** Two branches, of which one is through. */
  branches: {
    children: [['concurrence', { merge_type: 'union' }, [ask('left'), ask('right')]], ask('join', { task: '${left}' })],
  },
  /** A list of which one is through; variables and tags. */
  list: {
    children: [
      ['set', { var: 'colour', value: 'green' }, []],
      ['iterator', { on: 'red,blue', to_v: 'item', tag: 'picking' }, [ask('picker', { item: '${v:item}' })]],
      ask('painter', { colour: '${v:colour}' }),
    ],
  },
  /** Paused, with an answer that is kept. */
  paused: { children: [ask('before'), ask('after')] },
  /** In error: all tries are spent. */
  failed: { children: [ask('broken'), ask('mended')], retry: { delays: [] } },
  /** Its next try is due. */
  retried: { children: [ask('flaky')], retry: { delays: [45, 45, 45] } },
  /** Over; a notice is owed. */
  cancelled: { children: [ask('stubborn')], retry: { notice_delays: [45, 45, 45] } },
};
