import type { Fields } from '../../model/json.ts';
import type { Place, TreeRef, Trigger } from '../state/state.ts';
import type { Acting } from '../state/world.ts';
import { writtenAttributes } from './attributes.ts';
import type { Of } from './birth.ts';
import { refOf } from './branches.ts';
import { removeExpression } from './leaving.ts';
import { ownVariables, parentOf } from './variables.ts';

/** Puts another expression in the place of this one: same expid, fresh subid, so that a late answer to the old one is refused. */
export function replace(
  x: Acting,
  next: {
    readonly on: Trigger;
    readonly tree: TreeRef | NonNullable<Acting['node']['supplanted']> | null;
    readonly fields: Fields;
    readonly enter?: readonly number[];
  },
): void {
  const { node, strand, world } = x;
  const above = parentOf(x);
  const id = world.freshId(node.expid);
  const former = next.tree !== null && 'applied' in next.tree ? next.tree : null;
  const same = next.tree === null;
  const inherited = [...writtenAttributes(x)].filter(
    ([key]) => (key.startsWith('on_') && key !== next.on) || key === 'tag',
  );
  const place: Place = {
    trigger: next.on,
    added: same ? node.added : former !== null ? former.added : inherited,
    scope: node.scope === null ? null : [...ownVariables(x, node.scope)],
    onReply: node.onReply,
    supplanted: { tree: node.tree, name: node.name, kind: node.kind, added: node.added, applied: node.applied },
    kind: same && node.kind === 'sequence' ? 'sequence' : former?.kind === 'sequence' ? 'sequence' : null,
    from: node.id,
    tagFollows: node.tag !== null,
    forgotten: node.forgotten,
    // A consumed retry list is part of the tree from now on; the parent learns of it with the reply.
    updated: node.updated && same,
    ...(next.enter !== undefined && { enter: next.enter }),
  };
  const message: Of<'apply'> = {
    kind: 'apply',
    parent: above === null ? null : refOf(above),
    path: strand.path,
    fresh: null,
    id,
    tree: former !== null ? former.tree : next.tree === null ? node.tree : (next.tree as TreeRef),
    fields: next.fields,
    variables: null,
    launch: next.on === 'on_re_apply' || next.on === 'on_reply',
    flanking: node.flanking,
    place,
  };
  world.record({
    kind: 'expression.cancelled',
    expid: node.expid,
    expression_id: node.id,
    name: node.name,
    handler: next.on,
  });
  removeExpression(x, true);
  if (above?.node.child === node.id) above.node.child = id;
  if (above !== null) above.strand.touched = true;
  world.send(message);
}
