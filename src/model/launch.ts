import type { WorkflowId } from './ids.ts';
import type { Fields, Json, JsonObject } from './json.ts';
import type { LaunchOptions } from './participants.ts';
import type { Tenant } from './tenant.ts';
import type { Tree } from './tree.ts';

/* What is launched: asked for from outside, or by a workflow that another goes on for. */

/** One URL for all participants, or participant name → URL. */
export type Callbacks = string | { readonly [participant: string]: string };

export type Launch = {
  readonly id: WorkflowId;
  readonly tenant: Tenant;
  /** Already reorganised (definition/reorganise.ts). */
  readonly tree: Tree;
  /** Content hash of `tree` and its stored text (model/tree.ts, treeToStored). */
  readonly hash: string;
  readonly text: string;
  readonly name: string | null;
  readonly revision: string | null;
  readonly fields: Fields;
  readonly callbacks: Callbacks | readonly Callbacks[];
  readonly retry: Json;
  /** Left out: none was taken. */
  readonly options?: LaunchOptions;
  /** Left out, or null: none. */
  readonly trace?: string | null;
  readonly businessKey?: string | null;
  /** The hash of its text as it was posted. */
  readonly source?: string | null;
  /** The stored definition it is a version of; left out, or null: none. */
  readonly stored?: { readonly name: string; readonly version: number } | null;
  /** What started it; the workflow sees it as its variable `meta`. Left out, or null: nothing is told. */
  readonly meta?: JsonObject | null;
  /** When the whole workflow times out, as the attribute `timeout` has it; left out, or null: as its definition says. */
  readonly timeout?: string | number | null;
  /** How many events led to it, one by way of the other; left out: none. */
  readonly hops?: number;
  /** Entries its history may have; left out: as the server says (worker/history-fold.ts). */
  readonly historyMax?: number;
  /** Days it is kept once it is over; left out, or null: as the server says. */
  readonly retainDays?: number | null;
  /** Tags it has from its beginning to its end, whatever is entered meanwhile; left out: none. */
  readonly tags?: readonly string[];
  /** The workflow it goes on for (continue_as_new), and how many have followed each other while nothing happened from outside; left out: none. */
  readonly follows?: { readonly workflow: WorkflowId; readonly rounds: number };
  /** The workflow it is another try of; left out: none. */
  readonly retryOf?: WorkflowId;
  /** Where it begins: the index of a child of its root, of that child's child and so on. Left out: at its beginning. */
  readonly enter?: readonly number[];
};
