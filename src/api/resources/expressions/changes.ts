import type { JsonObject } from '../../../model/json.ts';
import type { Tree } from '../../../model/tree.ts';
import type { Call } from '../../operation.ts';
import type { Parts } from '../../parts.ts';
import { Problem } from '../../problem.ts';

/** The fields and the tree a body says an expression is to run again with. @throws Problem when the tree cannot be read */
export function changesOf(
  parts: Parts,
  call: Call,
): { readonly fields: JsonObject | null; readonly tree: Tree | null } {
  const { fields, tree } = call.body;
  return {
    fields: fields === undefined ? null : (fields as JsonObject),
    tree: tree === undefined ? null : treeOf(parts, tree),
  };
}

/** @param pointer where it stands in the body @throws Problem when it cannot be read */
export function treeOf(parts: Parts, value: Parameters<Parts['definitions']['read']>[0], pointer = '#/tree'): Tree {
  const read = parts.definitions.read(value);
  if (read.ok) return read.tree;
  throw new Problem('request_invalid', `tree: ${read.errors[0]?.message ?? 'cannot be read'}`, {
    complaints: read.errors.map(({ message }) => ({ detail: message, pointer })),
  });
}
