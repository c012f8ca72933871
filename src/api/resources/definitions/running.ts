import { plainRetry } from '../../../engine/retry-rules.ts';
import { INPUT_BYTES_MAX, validate } from '../../../language/json-schema.ts';
import { LanguageError } from '../../../language/language-error.ts';
import { lookup } from '../../../language/lookup.ts';
import { substitute } from '../../../language/substitution.ts';
import { isObject, type Json, type JsonObject, ownValue } from '../../../model/json.ts';
import { isPattern } from '../../../model/participants.ts';
import type { Callbacks } from '../../../model/stimulus.ts';
import type { Tree } from '../../../model/tree.ts';
import type { Definition } from '../../../registry/definitions.ts';
import { readReference } from '../../../registry/names.ts';
import { shown } from '../../ids.ts';
import { type Call, jsonReply, type Reply, textReply } from '../../operation.ts';
import type { Parts } from '../../parts.ts';
import { Problem } from '../../problem.ts';
import { timeView } from '../../time.ts';
import { launchOne, makeLaunchCheck } from '../workflows/launch.ts';
import { tasksWithoutAddress } from '../workflows/launch-options.ts';
import { pageAt, wantsPage } from '../workflows/show.ts';
import { severalStarts, startsToChooseFrom } from './starts.ts';
import { answerWhenOver, type Waiting, waitingOf } from './waiting.ts';

/*
 * Launches of stored definitions. Whoever launches says what differs from what is stored: every option of a launch is one of the definition,
 * too, and the launch's own goes first.
 */

/** Options of a launch that a definition may have. */
const LAUNCH_OPTIONS = [
  ...['retry', 'history_max', 'retain_days', 'tags', 'timeout', 'strict', 'notify', 'compensate', 'replies'],
] as const;

export type Run = {
  readonly name: string;
  /** Null: the active one. */
  readonly version: number | null;
  /** Fields, and options of the launch. */
  readonly body: JsonObject;
  readonly startedBy: 'api' | 'run' | 'route' | 'event' | 'schedule' | 'workflow' | 'mcp';
  /** More of what started it. */
  readonly meta?: JsonObject;
  /** How many events led to it, one by way of the other; left out: none. */
  readonly hops?: number;
  /** Of BPMN: the start event to begin with; null: the definition's own. */
  readonly start?: string | null;
  /** It was asked for by one of the fixed calls, which has words of its own for what is wrong. */
  readonly isFixed?: boolean;
  /** The status where nobody waits for the end, or it does not come in time. */
  readonly status?: 201 | 202;
  /** Whether `Prefer: wait` is heeded. */
  readonly waits?: boolean;
  /** Whether a browser is led to the page of its workflow. */
  readonly mayRedirect?: boolean;
};

/** What `definition` of a launch names; null: it names none. @throws Problem */
export function referenceIn(body: JsonObject): { readonly name: string; readonly version: number | null } | null {
  const written = ownValue(body, 'definition');
  if (written === undefined) return null;
  if (Object.hasOwn(body, 'workflow'))
    throw new Problem('request_invalid', 'Give either workflow or definition, not both', {
      complaints: [{ detail: 'stands beside workflow', pointer: '#/definition' }],
    });
  const reference = typeof written === 'string' ? readReference(written) : null;
  if (reference === null) throw noSuchDefinition(String(written));
  return reference;
}

export const noSuchDefinition = (name: string): Problem =>
  new Problem('definition_not_found', `There is no stored definition ${shown(name)}, or not any more`);

export function makeRun(parts: Parts): (call: Call, asked: Run) => Promise<Reply> {
  const check = makeLaunchCheck(parts);

  return async (call, asked) => {
    const { tenant } = call.principal;
    const definition = await parts.registry.definitions.find(tenant, asked.name, asked.version);
    if (definition === null)
      throw noSuchDefinition(asked.version === null ? asked.name : `${asked.name}@${asked.version}`);
    const { start: ownStart, ...given } = asked.body;
    const tree = await treeToRun(parts, definition, asked.start ?? (typeof ownStart === 'string' ? ownStart : null));
    const waiting = asked.waits === true ? waitingOf(parts, call) : null;
    const { body, businessKey } = withDefaults(definition.options, fieldsOf(given));
    const { order, targets, businessKey: ownKey, isStrict } = check(body, tenant, tree, asked.isFixed === true);
    const fields = checkedInput(definition, order.fields);
    const key = ownKey ?? businessKey(fields);
    const callbacks = layered(targets, callbacksOf(definition.options));
    const missing = withoutAddress(parts, definition, tree, callbacks, call);
    if (isStrict && missing.length > 0)
      throw new Problem('participants_missing', `No address is known for ${missing.slice(0, 20).join(', ')}`, {
        complaints: missing.map((name) => ({
          detail: `there is no address for ${shown(name)}`,
          pointer: '#/callbacks',
        })),
      });
    const { name, version } = definition;
    const { id, isNew } = await launchOne(
      parts,
      call,
      {
        ...order,
        fields,
        callbacks,
        stored: { name, version },
        meta: { started_by: asked.startedBy, ...asked.meta },
        ...(asked.hops !== undefined && { hops: asked.hops }),
      },
      key,
    );
    const location = { Location: `${parts.basePath()}/v1/workflows/${id}` };
    if (asked.mayRedirect === true && wantsPage(call.header('accept'))) return textReply(303, id, pageAt(parts, id));
    if (!isNew) return jsonReply(200, { id, existing: true }, location);
    return answer(call, { id, definition, missing, status: asked.status ?? 201, waiting, location });
  };

  async function answer(
    call: Call,
    launched: {
      readonly id: Awaited<ReturnType<typeof launchOne>>['id'];
      readonly definition: Definition;
      readonly missing: readonly string[];
      readonly status: number;
      readonly waiting: Waiting | null;
      readonly location: Readonly<Record<string, string>>;
    },
  ): Promise<Reply> {
    const { id, definition, missing, status, waiting, location } = launched;
    const { tenant } = call.principal;
    if (waiting !== null) {
      const over = await answerWhenOver(parts, { tenant, id, definition, waiting });
      if (over !== null) return { ...over, headers: { ...location, ...over.headers } };
    }
    const row = await parts.store.read.workflow(tenant, id);
    const base = parts.basePath();
    return jsonReply(
      status,
      {
        id,
        status: row?.status ?? 'running',
        started_at: timeView(row?.launchedAt ?? parts.clock.now()),
        definition: { name: definition.name, version: definition.version },
        links: {
          self: `${base}/v1/workflows/${id}`,
          events: `${base}/v1/workflows/${id}/events`,
          history: `${base}/v1/workflows/${id}/history`,
          console: `${base}/console/workflows/${id}`,
        },
        ...(missing.length === 0
          ? {}
          : {
              warnings: missing.map((participant) => ({
                code: 'participant_without_address',
                message: `no address is known for the participant ${shown(participant)}; it waits as an error`,
                participant,
              })),
            }),
      },
      location,
    );
  }
}

/** The tree of a definition, or the one that begins with this start event. @throws Problem */
async function treeToRun(parts: Parts, definition: Definition, start: string | null): Promise<Tree> {
  const { name, version, hash, source, format } = definition;
  if (start !== null && format === 'bpmn') {
    const text = await parts.store.stored.text(source);
    if (text === null) throw new Error(`The text of ${name}@${version} is stored`);
    const read = parts.definitions.read(text, { start });
    if (read.ok) return read.tree;
    throw startInvalid(read.errors[0]?.message ?? 'cannot be read');
  }
  const tree = await parts.trees.tree(hash);
  if (tree === null) throw new Error(`The tree of ${name}@${version} is stored`);
  const choice = startsToChooseFrom(tree);
  if (choice.length > 0) throw startInvalid(severalStarts(choice));
  return tree;
}

const startInvalid = (detail: string): Problem =>
  new Problem('request_invalid', detail, { complaints: [{ detail, pointer: '#/start' }] });

/** `inputs` is another word for `fields`. @throws Problem */
function fieldsOf(body: JsonObject): JsonObject {
  const { inputs, ...others } = body;
  if (inputs === undefined) return others;
  if (Object.hasOwn(others, 'fields'))
    throw new Problem('request_invalid', 'inputs and fields are two words for the same; give one of them', {
      complaints: [{ detail: 'stands beside fields', pointer: '#/inputs' }],
    });
  return { ...others, fields: inputs };
}

/** The body of the launch with what the definition says where the launch says nothing. */
function withDefaults(options: JsonObject, body: JsonObject) {
  const own = Object.fromEntries(
    LAUNCH_OPTIONS.flatMap((name) => {
      const value = name === 'retry' ? retryOf(options) : ownValue(options, name);
      return value === undefined || Object.hasOwn(body, name) ? [] : [[name, value] as const];
    }),
  );
  return { body: { ...own, ...body }, businessKey: (fields: JsonObject) => keyOf(options, fields) };
}

/** The rules of a definition, with those of single participants it brings along before them. Of patterns of names they hold where it has no others. */
function retryOf(options: JsonObject): Json | undefined {
  const rules = ownValue(options, 'retry');
  const written = ownValue(options, 'participants');
  if (rules === undefined || !isObject(written)) return rules;
  const plain = plainRetry(rules);
  if ('complaint' in plain) return rules;
  const entries = Object.entries(written).flatMap(([name, spec]) => {
    const own = isObject(spec) ? ownValue(spec, 'retry') : undefined;
    return own === undefined || isPattern(name) ? [] : [[name, own] as const];
  });
  if (entries.length === 0) return rules;
  const all = isObject(plain.retry) ? plain.retry : {};
  const named = ownValue(all, 'participants');
  return { ...all, participants: { ...(isObject(named) ? named : {}), ...Object.fromEntries(entries) } };
}

/** The business key that a definition makes of the fields; null: it makes none. @throws Problem */
function keyOf(options: JsonObject, fields: JsonObject) {
  const given = ownValue(options, 'business_key');
  const [template, conflict] = isObject(given) ? [given['key'], given['conflict'] ?? 'reject'] : [given, 'reject'];
  if (typeof template !== 'string') return null;
  const key = textOf(template, fields);
  if (key === '' || key.length > 255)
    throw new Problem('input_invalid', `The business key is ${key === '' ? 'empty' : 'longer than 255 characters'}`, {
      complaints: [{ detail: 'makes no business key', pointer: '#' }],
    });
  return { key, conflict: conflict as 'reject' | 'return_existing' | 'allow_if_ended' };
}

/** A template with fields put in. @throws Problem */
export function textOf(template: string, fields: JsonObject): string {
  try {
    const value = substitute(template, {
      field: (path) => lookup(fields, path),
      variable: () => undefined,
      special: () => undefined,
    });
    return value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value);
  } catch (error) {
    if (error instanceof LanguageError) throw new Problem('input_invalid', error.message);
    throw error;
  }
}

/** The input with defaults, as the definition's schema wants it. @throws Problem */
function checkedInput({ name, options }: Definition, fields: JsonObject): JsonObject {
  const schema = ownValue(options, 'input_schema');
  if (schema === undefined) return fields;
  if (JSON.stringify(fields).length > INPUT_BYTES_MAX)
    throw new Problem('limit_exceeded', `The input of ${name} has more than ${INPUT_BYTES_MAX} bytes`);
  const verdict = validate(schema, fields);
  if (verdict.kind === 'exhausted')
    throw new Problem(
      'limit_exceeded',
      `To hold this input against the schema of ${name} takes more work than is allowed`,
    );
  if (verdict.kind === 'invalid') throw inputInvalid(name, verdict.complaints);
  if (!isObject(verdict.value)) throw new Error('A schema makes no other value of an object');
  return verdict.value;
}

export const inputInvalid = (
  name: string,
  complaints: readonly { readonly detail: string; readonly pointer: string }[],
): Problem =>
  new Problem(
    'input_invalid',
    `The input is not as ${name} wants it: ${complaints
      .slice(0, 3)
      .map(({ pointer, detail }) => `${pointer} ${detail}`)
      .join('; ')}`,
    { complaints },
  );

/** The callbacks of a definition. */
export function callbacksOf(options: JsonObject): Callbacks | null {
  const one = ownValue(options, 'callback');
  if (typeof one === 'string') return one;
  const many = ownValue(options, 'callbacks');
  return isObject(many) ? (many as { readonly [participant: string]: string }) : null;
}

/**
 * Callbacks, the first in front; null: there are none. Where one of them says the same it is that one, so that nodes of a release before
 * understand it.
 */
export function layered(...given: readonly (Callbacks | null)[]): Callbacks | readonly Callbacks[] {
  const layers: Callbacks[] = [];
  for (const layer of given) {
    if (layer === null) continue;
    const last = layers.at(-1);
    // One URL for all leaves nothing to the others.
    if (typeof last === 'string') break;
    if (last === undefined) layers.push(layer);
    else if (typeof layer === 'string' || Object.keys(last).some(isPattern)) layers.push(layer);
    else layers[layers.length - 1] = { ...layer, ...last };
  }
  return layers.length > 1 ? layers : (layers[0] ?? {});
}

/** The participants a definition names that would find no address. */
function withoutAddress(
  parts: Parts,
  definition: Definition,
  tree: Tree,
  callbacks: Callbacks | readonly Callbacks[],
  call: Call,
): readonly string[] {
  const layers = (Array.isArray(callbacks) ? callbacks : [callbacks]) as readonly Callbacks[];
  const hasAddress = (name: string): boolean =>
    layers.some((layer) => parts.definitions.hasAddress(layer, name)) ||
    parts.registry.own.of(definition, name) !== null ||
    parts.registry.participants.find(call.principal.tenant, name) !== null;
  // Of BPMN several names may stand for one.
  if (definition.format === 'bpmn') return tasksWithoutAddress(tree, hasAddress);
  return parts.definitions.participants(tree).filter((name) => !hasAddress(name));
}
