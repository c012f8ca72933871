/**
 * # continue_as_new
 *
 * Ends this workflow as completed, and begins a new one in its place, so that what goes on for ever has no history that grows for ever. A participant
 * or sub-process called `continue_as_new` that the launch names stays what it is.
 *
 * Attributes
 * - `fields`: a comma list of fields that the new one begins with, or an object; without it all fields but `params`.
 * - `definition`: a stored definition, `order` or `order@3`, that it runs; without it the same tree.
 *
 * ```radial
 * define watch
 *   inspector
 *   continue_as_new fields: 'machine, count'
 * ```
 *
 * The new workflow has the callbacks, the options of the launch (its `timeout` begins anew), the tenant, the business key and the `meta` of this one. This one is
 * `completed`, with `continued_as`; the new one has `continued_from`. Both are told to those who subscribe. All that is still at work here ends as by a kill:
 * participants at work are told `cancel`, no `on_cancel` is looked for, and what was done is not undone any more.
 *
 * Replies: never. In a workflow that is being cancelled it does nothing but reply.
 *
 * Errors: there is no such definition, or its `input_schema` does not take the fields (`ArgumentError`); 100,000 workflows that followed each other while
 * nothing happened from outside (`LimitExceeded`).
 */
import { LanguageError } from '../../../language/language-error.ts';
import { lookup } from '../../../language/lookup.ts';
import { isObject, type Json, type JsonObject, withoutKeys } from '../../../model/json.ts';
import { readOptions } from '../../../model/participants.ts';
import type { Callbacks, Launch, StoredVersion } from '../../../model/stimulus.ts';
import { treeToStored } from '../../../model/tree.ts';
import { attribute, commaList, toText } from '../../life/attributes.ts';
import { refOf } from '../../life/branches.ts';
import { checkInput } from '../../life/inputs.ts';
import { replyToParent } from '../../life/life.ts';
import { plainReply, ROOT } from '../../state/state.ts';
import type { Acting, Expression, World } from '../../state/world.ts';

/** Workflows that may follow each other while nothing happens from outside: more are a loop that nobody meant. */
const ROUNDS_MAX = 100_000;

export const continueAsNew: Expression = {
  names: ['continue_as_new'],
  yields: true,
  apply: (x) => {
    const { node, world } = x;
    const { header } = world;
    if (header.cancelled || header.killed) {
      replyToParent(x, node.applied);
      return;
    }
    // One that has just been launched is written first, and takes its turn: those that follow each other at once do so one step after the other.
    if (world.stimulus.event.kind === 'launch') world.rests = true;
    world.send(plainReply(refOf(x), node.id, node.applied));
  },
  reply: (x) => {
    const { world } = x;
    const { header } = world;
    if (header.cancelled || header.killed) {
      replyToParent(x, x.node.applied);
      return;
    }
    if (header.rounds >= ROUNDS_MAX)
      throw new LanguageError(
        'LimitExceeded',
        `${ROUNDS_MAX} workflows have followed each other while nothing happened from outside; this is taken for a loop`,
      );
    const fields = fieldsOf(x);
    const reference = toText(attribute(x, 'definition'));
    const stored = reference === '' ? null : world.stored(reference);
    if (reference !== '' && stored === null)
      throw new LanguageError('ArgumentError', `there is no stored definition '${reference}'`);
    if (stored !== null) checkInput(world, stored, fields);
    world.spendCopy(fields);
    const root = world.strand(ROOT);
    if (root !== null) root.reply = fields;
    world.successor = successorOf(world, stored, fields);
  },
};

function fieldsOf(x: Acting): JsonObject {
  const { applied } = x.node;
  const given = attribute(x, 'fields');
  if (given === null) return withoutKeys(applied, 'params');
  if (isObject(given)) return given;
  const kept = commaList(given).flatMap((name): readonly (readonly [string, Json])[] => {
    const value = lookup(applied, name);
    return value === undefined ? [] : [[name, value]];
  });
  return Object.fromEntries(kept);
}

/** The launch of the one that follows. Throws Wanting. */
function successorOf(world: World, stored: StoredVersion | null, fields: JsonObject): Launch {
  const { header, row } = world;
  const hash = stored?.hash ?? row.definition;
  const tree = world.tree({ root: hash, path: '' });
  const meta: JsonObject = row.meta == null ? {} : (JSON.parse(row.meta) as JsonObject);
  const timeout = timeoutOf(world);
  const named = stored ?? storedOf(row);
  return {
    id: world.freshWorkflowId(),
    tenant: row.tenant,
    ...{ tree, hash, text: JSON.stringify(treeToStored(tree)) },
    name: stored === null ? row.name : stored.name,
    revision: stored === null ? header.revision : null,
    fields,
    callbacks: JSON.parse(row.callbacks) as Callbacks | readonly Callbacks[],
    retry: row.retry === null ? null : (JSON.parse(row.retry) as Json),
    ...(row.options != null && { options: readOptions(row.options) }),
    trace: row.trace,
    businessKey: row.businessKey,
    source: stored === null ? row.source : stored.source,
    ...(named !== null && { stored: { name: named.name, version: named.version } }),
    meta: { ...meta, continued_from: row.id },
    ...(timeout !== null && { timeout }),
    hops: world.hops,
    ...(header.historyMax !== null && { historyMax: header.historyMax }),
    ...(row.retainDays != null && { retainDays: row.retainDays }),
    ...(header.labels !== null && { tags: header.labels }),
    follows: { workflow: row.id, rounds: header.rounds + 1 },
  };
}

const storedOf = ({
  definitionName: name,
  definitionVersion: version,
}: World['row']): Pick<StoredVersion, 'name' | 'version'> | null =>
  name == null || version == null ? null : { name, version };

/** What the launch said of the time of the whole workflow; null: nothing. */
function timeoutOf(world: World): string | number | null {
  const [, timeout] = world.strand(ROOT)?.nodes[0]?.added.find(([key]) => key === 'timeout') ?? [];
  return typeof timeout === 'string' || typeof timeout === 'number' ? timeout : null;
}
