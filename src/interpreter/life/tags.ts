/**
 * # tag
 *
 * A name for a part of the workflow while it runs, so that others can wait for it (`await`, `listen`), cancel it (`undo`), do it again
 * (`redo`) or command it (`rewind ref: 'x'`).
 *
 * Attributes: `tag`: the name; blank is none. On entry the variable of that name, and at the top the variable `outer/inner` (all tags
 * around, joined by slashes), stand for the expression (a sub-process or another value of that name is found again when the tag is left, and
 * can be called meanwhile); the tag is added to the field `__tags__`. On leaving both variables go, the tag
 * is taken off `__tags__`, the field `__left_tag__` says which it was, and the variable `__past_tags__` of the top gets one more entry: the
 * full tag, the workitem's id, how it ended (`cancelled`, `killed`; `failed` or `timed out` when a handler took its place; else nothing),
 * when, and its variables. Of those entries the last 200 are kept, and of them the last 500,000 characters. A handler that runs in the place
 * of the expression stays within the tag.
 *
 * ```radial
 * sequence
 *   sequence tag: 'draft'
 *     alice
 *   bob after: '${f:__left_tag__}'
 * ```
 *
 * Errors: none of its own.
 */

import { utcStamp } from '../../language/when.ts';
import { workitemId } from '../../model/ids.ts';
import type { Fields, Json } from '../../model/json.ts';
import { ownValue, withKey } from '../../model/json.ts';
import { Tagged } from '../state/state.ts';
import type { Acting, World } from '../state/world.ts';
import { attribute, toText } from './attributes.ts';
import { bindTagged, checkName, topOf, unbindTagged, variablesToJson } from './variables.ts';

/** Live tags shown with the workflow; further ones work, but are not listed. */
const TAGS_SHOWN_MAX = 100;

/** The tags a workitem carries, outermost first. */
export const tagsOf = (fields: Fields): readonly Json[] => {
  const tags = ownValue(fields, '__tags__');
  return Array.isArray(tags) ? (tags as readonly Json[]) : [];
};

/** Enters the expression's tag, if it has one: variables, `__tags__`, the event (docs/definitions.md, tag). */
export function enterTag(x: Acting): void {
  const { node, world } = x;
  const tag = toText(attribute(x, 'tag'));
  if (tag.trim() === '') return;
  checkName(world, 'a tag', tag);
  const carried = tagsOf(node.applied);
  node.tag = tag;
  if (node.trigger !== null) {
    // A handler, or the same expression applied again, stays within the tag it was entered with.
    node.fullTag = carried.map(toText).join('/');
    return;
  }
  node.fullTag = [...carried, tag].map(toText).join('/');
  checkName(world, 'a tag with those around it', node.fullTag);
  bindTag(x);
  node.applied = withKey(node.applied, '__tags__', [...carried, tag]);
  countTag(world, node.fullTag, 1);
  world.send({
    kind: 'tag',
    event: 'entered_tag',
    ref: { path: x.strand.path, id: node.id },
    tag,
    fullTag: node.fullTag,
    fields: node.applied,
  });
}

/** Binds the variables of a tag to where its expression is now. */
export function bindTag(x: Acting): void {
  const { node } = x;
  if (node.tag === null || node.fullTag === null) return;
  const value = new Tagged({ path: x.strand.path, id: node.id });
  bindTagged(x, node.tag, value);
  bindTagged(x, `/${node.fullTag}`, value);
}

/** Leaves the tag and answers the fields that go on from here. */
export function leaveTag(x: Acting, fields: Fields): Fields {
  const { node, world } = x;
  if (node.tag === null || node.fullTag === null) return fields;
  unbindTagged(x, node.tag);
  const tags = [...tagsOf(fields)];
  const at = tags.lastIndexOf(node.tag);
  if (at >= 0) tags.splice(at, 1);
  const left = withKey(
    Object.hasOwn(fields, '__tags__') ? withKey(fields, '__tags__', tags) : fields,
    '__left_tag__',
    node.tag,
  );
  countTag(world, node.fullTag, -1);
  world.send({
    kind: 'tag',
    event: 'left_tag',
    ref: { path: x.strand.path, id: node.id },
    tag: node.tag,
    fullTag: node.fullTag,
    fields: left,
  });
  rememberTag(x, node.fullTag);
  return left;
}

/**
 * One more or one less of a tag among those shown with the workflow. Tags are strangers' words, `constructor` and
 * `__proto__` included: only own keys count.
 */
function countTag(world: World, fullTag: string, change: 1 | -1): void {
  const { tags } = world.header;
  const known = Object.hasOwn(tags, fullTag) ? (tags[fullTag] as number) : undefined;
  if (known === undefined && (change < 0 || Object.keys(tags).length >= TAGS_SHOWN_MAX)) return;
  const others = Object.entries(tags).filter(([tag]) => tag !== fullTag);
  const count = (known ?? 0) + change;
  // fromEntries makes own keys of whatever comes.
  world.header.tags = Object.fromEntries(count > 0 ? [...others, [fullTag, count]] : others);
}

function rememberTag(x: Acting, fullTag: string): void {
  const top = topOf(x);
  if (top.node.scope === null) return;
  unbindTagged(top, `/${fullTag}`);
  const past = top.node.scope.own.get('__past_tags__');
  const entry: Json = [
    fullTag,
    workitemId(x.node.id, x.world.row.id),
    endedAs(x),
    utcStamp(x.world.now),
    x.node.scope === null ? null : variablesToJson(x, x.node.scope),
  ];
  const { pastTags } = x.world.context.limits;
  const kept = Array.isArray(past) ? (past as readonly Json[]).slice(-(pastTags - 1)) : [];
  top.strand.touched = true;
  top.node.scope.own.set('__past_tags__', withinCharacters(x, [...kept, entry]));
}

/** Entries as far as their bound in characters allows, the oldest go first; of one that is too large alone the variables go. */
function withinCharacters({ world }: Acting, entries: readonly Json[]): readonly Json[] {
  const last = entries.at(-1);
  const variables = Array.isArray(last) ? (last.at(-1) as Json) : null;
  // Of no variables there is little to measure.
  if (variables === null && !world.isBulky) return entries;
  const { pastTagsCharacters } = world.context.limits;
  let left = pastTagsCharacters;
  let from = entries.length;
  while (from > 0) {
    left -= world.extentOf(entries[from - 1] as Json).characters;
    if (left < 0) break;
    from--;
  }
  if (from < entries.length) return entries.slice(from);
  return Array.isArray(last) ? [[...last.slice(0, -1), null]] : [];
}

function endedAs({ node }: Acting): string | null {
  switch (node.trigger ?? node.state) {
    case 'on_cancel':
    case 'cancelling':
      return 'cancelled';
    case 'on_error':
      return 'failed';
    case 'on_timeout':
      return 'timed out';
    case 'dying':
      return 'killed';
    default:
      return null;
  }
}
