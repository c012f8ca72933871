import { type ExpressionId, expidOf } from '../../model/ids.ts';
import type { Fields, Json } from '../../model/json.ts';
import { isObject, ownValue, withoutKeys } from '../../model/json.ts';
import { makeTree } from '../../model/tree.ts';
import { OURS } from '../state/fields.ts';
import { ROOT } from '../state/state.ts';
import type { Acting, World } from '../state/world.ts';
import type { Of } from './birth.ts';
import { storedTree } from './handlers.ts';

/*
 * What participants have done and how it is undone (docs/definitions.md, compensate). Each that has proceeded leaves a row; the workflow's header
 * knows which there are, and which tags were entered, so that rows are read only to be used.
 */

/** The field that tells an undoing participant what it undoes. */
export const UNDO = '__undo__';
/** Records one workflow may have. */
export const UNDOS_MAX = 1_000;
export const UNDO_SCOPE = 'undo!' as ExpressionId;

type Done = { readonly participant: string; readonly undo: string; readonly expid: string; readonly fields: Fields };

const nameOf = (number: number): string => `u${String(number).padStart(9, '0')}`;

/** Leaves a record of what a participant has done. False: there are as many as there may be. */
export function recordDone(x: Acting, participant: string, undo: string, fields: Fields): boolean {
  const { node, world } = x;
  const { header } = world;
  // What undoes is not undone.
  if (ownValue(node.applied, UNDO) !== undefined) return true;
  if ((header.undos?.length ?? 0) >= UNDOS_MAX) return false;
  header.undoSeq++;
  const tags = ownValue(fields, '__tags__');
  const entered = Array.isArray(tags) ? (tags as readonly Json[]).map(String) : [];
  header.undos = [...(header.undos ?? []), [header.undoSeq, ...entered]];
  const done: Done = { participant, undo, expid: expidOf(node.id), fields: withoutKeys(fields, ...OURS) };
  const name = nameOf(header.undoSeq);
  world.variables.set(`${UNDO_SCOPE} ${name}`, {
    kind: 'put',
    row: { scope: UNDO_SCOPE, name, value: JSON.stringify(done) },
  });
  return true;
}

/** What was done last and is not undone, of a tag or of all (null); null: nothing. */
export function latestUndo(world: World, tag: string | null): { readonly number: number; readonly done: Done } | null {
  const entry = world.header.undos?.findLast(([, ...tags]) => tag === null || tags.includes(tag));
  if (entry === undefined) return null;
  const [number] = entry;
  const name = nameOf(number);
  const key = `${UNDO_SCOPE} ${name}`;
  const op = world.variables.get(key);
  const row = op?.kind === 'put' ? op.row : world.loaded.variables.get(key);
  if (row === undefined) world.want({ kind: 'variable', scope: UNDO_SCOPE, name });
  if (row === undefined) return null;
  world.noteRead(row.value.length);
  const done: unknown = JSON.parse(row.value);
  return isObject(done) ? { number, done: done as unknown as Done } : null;
}

/** It is undone, or was skipped. */
export function useUp(world: World, number: number): void {
  const left = (world.header.undos ?? []).filter(([each]) => each !== number);
  world.header.undos = left.length === 0 ? null : left;
  world.variables.set(`${UNDO_SCOPE} ${nameOf(number)}`, { kind: 'delete' });
}

/**
 * The root has ended while its workflow is being cancelled with what was done: what undoes all of it takes its place. Null: there is nothing to undo,
 * or that was what ended.
 */
export function undoingAfter(x: Acting, fields: Fields): Of<'apply'> | null {
  const { node, world } = x;
  const { header } = world;
  if (!header.compensating || header.killed || header.undos === null || node.kind === 'compensate') return null;
  return {
    kind: 'apply',
    parent: null,
    path: ROOT,
    fresh: null,
    id: world.freshId('0'),
    tree: { root: storedTree(makeTree('compensate', [['all', true]])), path: '' },
    fields,
    variables: new Map(),
    launch: false,
    flanking: false,
    place: { ...NOBODYS_PLACE, kind: 'compensate' },
  };
}

/** Whatever a launch calls its participants: this is the expression. */
const NOBODYS_PLACE = {
  trigger: null,
  added: [],
  scope: null,
  onReply: null,
  supplanted: null,
  from: '' as ExpressionId,
  tagFollows: false,
  forgotten: false,
  updated: false,
};
