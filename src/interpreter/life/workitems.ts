import { parseDuration } from '../../language/duration.ts';
import { LanguageError } from '../../language/language-error.ts';
import { lookup } from '../../language/lookup.ts';
import { SPECIAL_NAMES } from '../../language/substitution.ts';
import { workitemId } from '../../model/ids.ts';
import type { Fields, Json, JsonObject } from '../../model/json.ts';
import { isObject, ownValue, withKey, withoutKeys } from '../../model/json.ts';
import { readOptions, type Terms, termsText } from '../../model/participants.ts';
import { REASON, type WorkitemRow } from '../../model/rows.ts';
import { NOT_DELIVERED } from '../state/fields.ts';
import { changedPart } from '../state/given.ts';
import { heldBy } from '../state/held.ts';
import type { Cause } from '../state/state.ts';
import { ROOT } from '../state/state.ts';
import type { Acting, World } from '../state/world.ts';
import { attribute, substituted, written } from './attributes.ts';
import { tell } from './listening.ts';
import { type Found, saysMore, whereTo } from './participants.ts';
import { setDeadline } from './timers.ts';

/*
 * Opening and closing the workitems that participants hold (docs/api-v1.md, The callback).
 */

/** Opens a workitem for the participant of this expression and owes it an `active` message. */
export function openWorkitem(x: Acting): void {
  const { node, strand, world } = x;
  // Replayed after a failure, it is not new: a try of before may still be under way, and whoever saves this has to know.
  if (node.hasWorkitem) world.want({ kind: 'workitem', id: node.id });
  const participant = node.data['participant'] as string;
  const params = (node.data['params'] ?? {}) as JsonObject;
  const found = whereTo(world, participant);
  if (found === null)
    throw new LanguageError(
      'MissingCallbackUrl',
      `participant '${participant}' has no callback URL: the launch gave none for this name`,
    );
  const { terms, input } = agreed(x, found);
  const inherits = input === null ? (world.bases.get(node.applied) ?? null) : null;
  const given = input ?? withoutKeys(node.applied, ...NOT_DELIVERED);
  const fields = withKey(given, 'params', params);
  const text = inherits === null ? JSON.stringify(fields) : null;
  const paramsText = JSON.stringify(params);
  const { fieldsCharacters } = world.context.limits;
  const characters = text?.length ?? paramsText.length;
  world.spend(characters);
  world.noteFields(characters);
  if (characters > fieldsCharacters)
    throw new LanguageError(
      'LimitExceeded',
      `the fields for participant '${participant}' are ${characters} characters long, more than ${fieldsCharacters}`,
    );
  world.record({
    kind: 'workitem.opened',
    expid: node.expid,
    workitem_id: workitemId(node.id, world.row.id),
    participant,
    ...changedPart(world, node.applied),
  });
  const row: WorkitemRow = {
    id: node.id,
    path: strand.path,
    participant,
    state: 'open',
    fields: text,
    params: paramsText,
    inherits,
    added: null,
    openedAt: world.now,
    revision: 1,
    url: found.url,
    // A person is told nothing: the work waits in the worklist.
    send: found.url === null ? null : 'active',
    then: null,
    tries: 0,
    dueAt: found.url === null ? null : world.now,
    heldAt: null,
    log: '[]',
    entryN: world.lastN,
    terms: termsText(terms),
  };
  strand.touched = true;
  node.hasWorkitem = true;
  delete node.data['failed'];
  // Nobody is told to stop who was not asked by a message, or has nothing but one request.
  if (found.url === null || found.entry?.kind === 'http') node.data['unheard'] = true;
  const held = strand.path === ROOT && text !== null && input === null ? heldBy(node, participant, params) : null;
  if (held === null) world.held.delete(node.id);
  else world.held.set(node.id, held);
  world.changeWorkitem(node.id, world.isFresh(node.id) ? { kind: 'put', row, isNew: true } : { kind: 'put', row });
  tell(world, { event: 'dispatched', participant, from: node.id, fields });
}

/** What is agreed with the participant, and the only fields it is given; null: all. What the expression says goes before the registry. */
function agreed(x: Acting, { entry, of }: Found): { readonly terms: Terms; readonly input: Fields | null } {
  const more = saysMore(x);
  const said = (key: string): Json => (more ? attribute(x, key) : null);
  const object = (key: string): JsonObject | null => {
    const value = more ? written(x, key) : null;
    return isObject(value) ? value : null;
  };
  const input = object('input') ?? entry?.input ?? null;
  const output = object('output') ?? entry?.output ?? null;
  const undo = said('undo');
  const heartbeatMs = durationOf(said('heartbeat')) ?? entry?.heartbeatMs ?? null;
  const undoes = typeof undo === 'string' && undo !== '' ? undo : (entry?.undo ?? null);
  const replies =
    entry?.replies === true || (x.world.row.options != null && readOptions(x.world.row.options).replies === true);
  if (entry === null && input === null && output === null && undoes === null && heartbeatMs === null && !replies)
    return NOTHING_AGREED;
  const hasTimeout = x.node.timers.some(({ action }) => action === 'timeout');
  if (entry !== null && entry.deadlineMs !== null && !hasTimeout) setDeadline(x, entry.deadlineMs);
  return {
    terms: {
      ...(entry === null
        ? {}
        : {
            entry: entry.entry,
            ...(of === undefined ? {} : { of }),
            ...(x.world.row.name === null ? {} : { name: x.world.row.name }),
          }),
      ...(input === null ? {} : { mapped: true }),
      ...(output === null ? {} : { output }),
      ...(heartbeatMs === null ? {} : { heartbeatMs }),
      ...(undoes === null ? {} : { undo: undoes }),
      ...(replies ? { replies: true } : {}),
    },
    input: input === null ? null : mapped(x, input),
  };
}

const NOTHING_AGREED = { terms: {}, input: null } as const;

/** A text that is one field or variable, `${f:sum}`. */
const ONE = /^\$\{([fv]:[^\s{}$'"|]+|[A-Za-z_][^\s{}$:'"|]*)\}$/;

/**
 * Fields as a mapping has them: `'f:from'` is what is there, left out where nothing is; all else is substituted, where a text that is one `${…}`
 * keeps the type of what it names, null when it is missing.
 */
function mapped(x: Acting, mapping: JsonObject): Fields {
  const entries = Object.entries(mapping).flatMap(([name, from]): readonly (readonly [string, Json])[] => {
    const path = fieldIn(from);
    if (path === null) {
      const one = typeof from === 'string' ? ONE.exec(from)?.[1] : undefined;
      return [[name, substituted(x, one === undefined || SPECIAL_NAMES.has(one) ? from : `$${one}`)]];
    }
    const value = lookup(x.node.applied, path);
    return value === undefined ? [] : [[name, value]];
  });
  return Object.fromEntries(entries);
}

/** The path in `'f:answer.decision'`; null: it is no field. */
const fieldIn = (from: Json): string | null =>
  typeof from === 'string' && from.startsWith('f:') && from.length > 2 ? from.slice(2) : null;

/** Only what `output` names of an answer. */
export function mappedAnswer(output: JsonObject, answer: Fields): Fields {
  const entries = Object.entries(output).flatMap(([name, from]): readonly (readonly [string, Json])[] => {
    const path = fieldIn(from);
    const value = path === null ? (from as Json | undefined) : lookup(answer, path);
    return value === undefined ? [] : [[name, value]];
  });
  return Object.fromEntries(entries);
}

function durationOf(value: Json): number | null {
  const ms = typeof value === 'number' ? value * 1000 : typeof value === 'string' ? parseDuration(value.trim()) : null;
  return ms !== null && ms > 0 ? Math.round(ms) : null;
}

/** What its notice says beside the fields. */
function addedFor({ header }: World, cause: Cause, timedOut: Json | undefined): string | null {
  if (cause === 'timeout' && timedOut !== undefined) return JSON.stringify({ __timed_out__: timedOut });
  return cause === 'cancel' && header.cancelled && header.reason !== null
    ? JSON.stringify({ [REASON]: header.reason })
    : null;
}

/** Closes the workitem of this expression; its participant is owed a notice, unless it has given up already. */
export function closeWorkitem(x: Acting, cause: Cause, fields: Fields): void {
  const { node, strand, world } = x;
  if (!node.hasWorkitem) return;
  node.hasWorkitem = false;
  strand.touched = true;
  world.record({
    kind: 'workitem.closed',
    expid: node.expid,
    workitem_id: workitemId(node.id, world.row.id),
    participant: (node.data['participant'] ?? null) as string | null,
    status: cause,
  });
  if (node.data['failed'] === true) {
    world.changeWorkitem(node.id, { kind: 'delete' });
    return;
  }
  const timedOut = ownValue(fields, '__timed_out__');
  const added = addedFor(world, cause, timedOut);
  const opened = world.workitems.get(node.id);
  if (opened?.kind === 'put') {
    // Opened in this very step: the participant hears of it once, and then of its end.
    world.changeWorkitem(
      node.id,
      node.data['unheard'] === true
        ? { kind: 'delete' }
        : { kind: 'patch', set: { state: 'closed', then: cause, added, entryN: world.lastN } },
    );
    return;
  }
  // Nobody is told where nobody was asked.
  if (node.data['unheard'] === true) {
    world.changeWorkitem(node.id, { kind: 'delete' });
    return;
  }
  world.changeWorkitem(node.id, {
    kind: 'patch',
    set: {
      ...{ state: 'closed', send: cause, tries: 0, dueAt: world.now, heldAt: null, log: '[]', added },
      entryN: world.lastN,
    },
  });
}
