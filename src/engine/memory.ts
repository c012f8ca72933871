import { bareView, endsBatch, rowsAlone, weightOfRows } from '../model/changes.ts';
import type { WorkflowId } from '../model/ids.ts';
import type { Changes } from '../model/rows.ts';
import { isOver } from '../model/rows.ts';
import { type Loaded, needKey } from '../model/stimulus.ts';
import { makeBoundedMap } from '../runtime/bounded.ts';
import { type Entry, firstNeeds } from './entry.ts';

/*
 * What this node remembers of the workflows it has just stepped: their rows, as the last batch left them. The next step of such a
 * workflow can do without loading, for its save proves that nobody has stepped it since (store.ts, saveAtOnce). Nothing here is ever
 * believed without that proof, and nothing is missed when it is gone.
 */

/** Characters of text that are remembered in all; a workflow of the usual size takes some two thousand. */
export const REMEMBERED_CHARACTERS_MAX = 4_000_000;
/** A workflow with more than this, such as a wide fork with large fields, is loaded each time. */
const ONE_CHARACTERS_MAX = 200_000;
/** What a row takes beside its texts. */
const ROW_CHARACTERS = 300;
/**
 * When saves prove stale again and again (other nodes step the same workflows), for up to so many batches rows are looked at that are remembered; and
 * when what was looked at proves stale, they are locked.
 */
export const DISTRUST_BATCHES_MAX = 64;

/** What rows a save has worked with: some that were remembered, or none but what was looked at just before. */
export type Proven = 'remembered' | 'looked at';

export type Memory = {
  /** Those workflows of a batch whose rows are remembered as far as it needs them first; null when rows should be locked instead. */
  recall(batch: ReadonlyMap<WorkflowId, readonly Entry[]>): ReadonlyMap<WorkflowId, Loaded> | null;
  /** After a commit. `view`: the rows as they are now, `changes`: how they came to be so. */
  remember(workflow: WorkflowId, view: Loaded, changes: Changes): void;
  forget(workflow: WorkflowId): void;
  /** Whether workflows listened to others when last asked: then their listeners have to be known to the steps, and nothing is guessed. */
  heard(hears: boolean): void;
  /** An entry changes nothing, so that no save proves what it is to be told: the batch it comes with next has its rows locked. */
  doubt(entry: Entry): void;
  /** How a save went that locked nothing. */
  proved(as: 'true' | 'stale', rows: Proven): void;
};

/** What proves wrong is not done for a while, longer each time, and again once it has proved right. */
function makeDistrust(): { readonly rests: () => boolean; readonly proved: (as: 'true' | 'stale') => void } {
  let level = 0;
  let batchesLeft = 0;
  return {
    /** Whether it is not done for this batch, which is counted. */
    rests: () => {
      if (batchesLeft === 0) return false;
      batchesLeft -= 1;
      return true;
    },
    proved: (as) => {
      level = as === 'true' ? Math.floor(level / 2) : Math.min(DISTRUST_BATCHES_MAX, level * 2 + 1);
      batchesLeft = as === 'true' ? 0 : level;
    },
  };
}

/** @param isShared whether other nodes step the same workflows */
export function makeMemory(isShared: () => boolean = () => false): Memory {
  const rows = makeBoundedMap<Loaded>(REMEMBERED_CHARACTERS_MAX);
  /** Not known at first. */
  let hears = true;
  const remembering = makeDistrust();
  const looking = makeDistrust();
  const doubted = new WeakSet<Entry>();

  const known = (workflow: WorkflowId, entries: readonly Entry[], remembers: boolean): Loaded | null => {
    if (entries.every(isLaunch)) return bareView(null);
    // The end of a try comes alone because no step of its workflow has come here: it was taken elsewhere, if there are others.
    if (!remembers || (isShared() && entries.every(isEnd))) return null;
    const found = rows.get(workflow);
    if (found === undefined || entries.some((entry) => isBehind(found, entry))) return null;
    const needs = entries.flatMap(firstNeeds);
    return needs.every((need) => found.answered.has(needKey(need))) ? found : null;
  };

  return {
    recall: (batch) => {
      if (hears || looking.rests()) return null;
      const remembers = !remembering.rests();
      const recalled = new Map<WorkflowId, Loaded>();
      for (const [workflow, entries] of batch) {
        if (entries.some((entry) => doubted.has(entry))) return null;
        const found = known(workflow, entries, remembers);
        if (found !== null) recalled.set(workflow, found);
      }
      return recalled;
    },
    remember: (workflow, view, changes) => {
      // Only the database knows what a pause or a sweep has done to the rows.
      if (isOver(changes.workflow.status) || endsBatch(changes)) return rows.delete(workflow);
      const weight = weightOf(view);
      if (weight > ONE_CHARACTERS_MAX) return rows.delete(workflow);
      rows.set(workflow, rowsAlone(view), weight);
    },
    forget: (workflow) => rows.delete(workflow),
    heard: (now) => {
      hears = now;
    },
    doubt: (entry) => void doubted.add(entry),
    proved: (as, rows) => (rows === 'remembered' ? remembering : looking).proved(as),
  };
}

/**
 * A claim counts the try of a node that stopped, in the database alone: no step, so that no proof tells (store/claimed.ts). The try that was
 * made by that claim has a higher number than these rows know of; against them its outcome would be that of another message.
 */
function isBehind({ workitems }: Loaded, entry: Entry): boolean {
  if (entry.kind !== 'outcome') return false;
  const row = workitems.get(entry.outcome.workitem);
  return row !== undefined && entry.outcome.number > row.tries + 1;
}

const isEnd = (entry: Entry): boolean => entry.kind === 'outcome';

const isLaunch = (entry: Entry): boolean => entry.kind === 'stimulus' && entry.stimulus.event.kind === 'launch';

function weightOf(view: Loaded): number {
  const { workflow } = view;
  const own = workflow === null ? 0 : workflow.callbacks.length + workflow.state.length + workflow.fields.length;
  return ROW_CHARACTERS + own + weightOfRows(view, ROW_CHARACTERS);
}
