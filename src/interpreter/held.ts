import type { ExpressionId } from '../model/ids.ts';
import type { Fields, Json } from '../model/json.ts';
import { ownValue, withoutKeys } from '../model/json.ts';
import type { WorkitemRow } from '../model/rows.ts';
import { NOT_DELIVERED } from './fields.ts';
import type { Node } from './state.ts';

/*
 * The fields of an open workitem of the root strand live in the workitem's row alone: what its expression was applied with, and the
 * params, are there, word for word. The strand leaves them out and, when it is read, looks for them only once somebody wants to know:
 * most steps of a workflow that waits elsewhere do not, and a proceed has loaded the row anyway. Other strands keep their own copy, so
 * that cancelling a fork of thousands need not load thousands of workitems.
 */

/** What the row of an open workitem says of its expression. */
export type Held = { readonly applied: Fields; readonly participant: Json; readonly params: Json };

/** What of it the expression has among its data. */
export const HELD_DATA = ['participant', 'params'] as const;

export type HeldOf = (id: ExpressionId) => Held;

/** For those who only look at what expressions there are. */
export const heldNowhere: HeldOf = (id) => {
  throw new Error(`Broken assumption: nobody asks here with which fields ${id} was applied`);
};

/** What the row says; `delivered` is what its `fields` say, in which the params come last. */
export const heldIn = (row: WorkitemRow, delivered: Fields): Held => ({
  applied: withoutKeys(delivered, 'params'),
  participant: row.participant,
  params: JSON.parse(row.params) as Json,
});

/** What a workitem will say that is opened for `node` for this participant and with these params; null when there is more to know. */
export function heldBy(node: Node, participant: string, params: Json): Held | null {
  const { applied } = node;
  return ['params', ...NOT_DELIVERED].some((key) => ownValue(applied, key) !== undefined)
    ? null
    : { applied, participant, params };
}

/** Reads what was left unread: from now on the expression keeps it itself. */
export function readAll(node: Node): void {
  for (const [owner, key] of [[node, 'applied'], ...HELD_DATA.map((key) => [node.data, key] as const)] as const)
    if (isUnread(owner, key)) Reflect.get(owner, key);
}

export const isUnread = (owner: object, key: string): boolean =>
  Object.getOwnPropertyDescriptor(owner, key)?.get !== undefined;

/** Makes a part be looked for when it is first read. */
export function lazily<Owner extends object, Key extends keyof Owner & string>(
  owner: Owner,
  key: Key,
  look: () => Owner[Key],
): void {
  const settle = (value: Owner[Key]): Owner[Key] => {
    Object.defineProperty(owner, key, { value, writable: true, enumerable: true, configurable: true });
    return value;
  };
  Object.defineProperty(owner, key, { get: () => settle(look()), set: settle, enumerable: true, configurable: true });
}
