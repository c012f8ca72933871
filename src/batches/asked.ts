import type { Inside } from '../engine/search.ts';
import type { JsonObject } from '../model/json.ts';
import type { ObjectState, WorkflowsQuery } from '../store/store.ts';

/* What a batch is asked for, as it is kept in its row. */

export const BATCH_ACTIONS = ['cancel', 'kill', 'pause', 'resume', 'replay', 'redeliver', 'proceed'] as const;
export type BatchAction = (typeof BATCH_ACTIONS)[number];

/** What an item of an action is. */
export const objectOf = (action: BatchAction): 'workflow' | 'error' | 'workitem' =>
  action === 'replay' ? 'error' : action === 'redeliver' || action === 'proceed' ? 'workitem' : 'workflow';

/** Which workflows, and which of their errors or workitems. */
export type Search = {
  readonly query: Omit<WorkflowsQuery, 'tenant' | 'limit' | 'after'>;
  readonly inside: Inside | null;
  /** Of a replay: errors of this class. */
  readonly errorClass: string | null;
  /** Of a redelivery: messages that stand so. */
  readonly state: ObjectState | null;
};

/** `filter`: as it was said, `search`: as it was read; or how many ids were named. */
export type Asked =
  | { readonly filter: JsonObject; readonly search: Search }
  | { readonly filter: null; readonly ids: number };

/** `tree` as it is stored (model/tree.ts). */
export type BatchParams = {
  readonly fields: JsonObject | null;
  readonly tree: JsonObject[string] | null;
  /** Of a replay: `fields` are merged over those of each; left out: they take their place. */
  readonly merge?: boolean;
};

/** Items that one batch has at most; one that finds more does nothing. */
export const BATCH_ITEMS_MAX = 1_000_000;
/** Batches of one tenant that are not over. */
export const BATCHES_OPEN_MAX = 20;
