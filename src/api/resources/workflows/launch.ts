import { plainRetry } from '../../../engine/retry-rules.ts';
import { Fault, type FaultCode } from '../../../model/fault.ts';
import type { WorkflowId } from '../../../model/ids.ts';
import { isObject, type Json, type JsonObject } from '../../../model/json.ts';
import type { LaunchOptions } from '../../../model/participants.ts';
import { HISTORY_MAX_LEAST, HISTORY_MAX_MOST, type Launch as LaunchOrder } from '../../../model/stimulus.ts';
import { isStorable, valueComplaint } from '../../../model/storable.ts';
import type { Tenant } from '../../../model/tenant.ts';
import { cut, shownJson } from '../../../model/text.ts';
import type { Tree } from '../../../model/tree.ts';
import { keptTrace, readTraceContext } from '../../../runtime/trace-context.ts';
import { durationComplaint } from '../../duration.ts';
import { readFieldsOf } from '../../fields.ts';
import { happen } from '../../happen.ts';
import { makeCheck } from '../../middleware/validate.ts';
import type { Call } from '../../operation.ts';
import type { DefinitionRead, Parts } from '../../parts.ts';
import { type Complaint, Problem } from '../../problem.ts';
import { type Code, problems } from '../../problems.ts';
import { complaintOf, gluedParameters, misspeltParameters } from '../../warnings.ts';
import { severalStarts, startsToChooseFrom } from '../definitions/starts.ts';
import { type BusinessKeyOrder, launchUnder, readBusinessKey } from './business-key.ts';
import {
  callbackComplaint,
  callbackNameComplaint,
  readLaunchOptions,
  tasksWithoutAddress,
  withRegistered,
} from './launch-options.ts';
import { Launch, RETAIN_DAYS_MAX, TAG_LENGTH_MAX, TAGS_MAX } from './schemas.ts';

/** What is launched, but for whose it is. */
export type Order = Omit<LaunchOrder, 'id' | 'tenant' | 'trace' | 'businessKey'>;

/** Launches, under a business key where there is one. `isNew` false: it was there already. @throws Problem, Fault */
export async function launchOne(
  parts: Pick<Parts, 'identity' | 'ids' | 'clock' | 'engine' | 'store' | 'launches'>,
  call: Pick<Call, 'principal' | 'reason' | 'launchId' | 'header'> & Partial<Pick<Call, 'large' | 'span'>>,
  order: Order,
  businessKey: BusinessKeyOrder | null,
): Promise<{ readonly id: WorkflowId; readonly isNew: boolean }> {
  // Of a key the tenant's first secret was made with the key.
  if (call.principal.kind === 'jwt') await parts.identity.secrets.ensureDefault(call.principal.tenant);
  const id = call.launchId ?? parts.ids.workflow(parts.clock.now());
  const { tenant } = call.principal;
  await parts.launches?.admit(tenant);
  const trace = call.span ?? readTraceContext(call.header('traceparent'), call.header('tracestate'));
  const about = { trace: trace === null ? null : keptTrace(trace), businessKey: businessKey?.key ?? null };
  const launch = async (): Promise<void> => {
    try {
      await happen(parts, call, id, { kind: 'launch', launch: { id, tenant, ...order, ...about } });
    } catch (thrown) {
      // Nobody else has this id: it is there because an earlier attempt of this very launch was committed, one whose answer
      // got lost (idempotency.ts takes such launches up again).
      if (!(thrown instanceof Fault && thrown.code === 'conflict')) throw thrown;
    }
  };
  if (businessKey === null) await launch();
  else {
    const existing = await launchUnder(parts, tenant, businessKey, id, launch);
    if (existing !== null) return { id: existing, isNew: false };
  }
  return { id, isNew: true };
}

const textIn = (body: JsonObject, key: string): string | null => {
  const value = Object.hasOwn(body, key) ? body[key] : null;
  return typeof value === 'string' && value !== '' ? value : null;
};

export type Trouble = {
  readonly code: Code;
  readonly complaints: readonly Complaint[];
  /** What the fixed calls say in `error`, where the code has no words. */
  readonly words?: string;
};
const trouble = (code: FaultCode, parameter: string, detail: string): Trouble => ({
  code,
  complaints: [{ detail, pointer: `#/${parameter}` }],
});

const PARAMETERS: readonly string[] = Object.keys(Launch.properties);

/**
 * Makes what turns the body of a launch into an order.
 *
 * Every parameter has at most one complaint, the first that applies; the words of several are joined by a comma, in the
 * order of the contract.
 */
export function makeLaunchCheck(parts: Parts) {
  const { workflow, callback, callbacks, fields } = Launch.properties;
  const checkWorkflow = makeCheck(workflow);
  const checkCallback = makeCheck(callback);
  const checkCallbacks = makeCheck(callbacks);
  const checkFields = makeCheck(fields);

  /**
   * `stored`: the tree of a stored definition, which is launched instead of a `workflow`; then callbacks may be left out. `hasWords`: complaints
   * have the words of the fixed calls. `isForm`: what is not encoded may have ended the definition.
   */
  return (body: JsonObject, tenant: Tenant, stored: Tree | null = null, hasWords = stored === null, isForm = false) => {
    const faultOf = (troubles: readonly Trouble[]): Problem => problemOf(troubles, hasWords);
    const read = stored === null ? readWhole(body, isForm) : ({ ok: true, tree: stored } as const);
    const targets =
      stored !== null && !Object.hasOwn(body, 'callback') && !Object.hasOwn(body, 'callbacks')
        ? { targets: null }
        : readTargets(body);
    const values = readFields(body);
    const rules = readRetry(body);
    const strictness = readStrict(body);
    const most = readHistoryMax(body);
    const days = readRetainDays(body);
    const labels = readTags(body);
    const key = readKey(body);
    const time = readTimeout(body);
    const taken = readOptions(parts, body);
    // One by one, for then the compiler sees that no part is a trouble.
    if (
      'code' in read ||
      'code' in targets ||
      'code' in values ||
      'code' in rules ||
      'code' in strictness ||
      'code' in most ||
      'code' in days ||
      'code' in labels ||
      'code' in key ||
      'code' in time ||
      'code' in taken
    ) {
      const all = [read, targets, values, rules, strictness, most, days, labels, key, time, taken];
      throw faultOf(all.filter((part): part is Trouble => 'code' in part));
    }
    const order = {
      ...parts.definitions.prepare(read.tree),
      fields: values.fields,
      ...rules,
      ...most,
      ...days,
      ...labels,
      ...time,
      ...(taken.options === null ? {} : { options: taken.options }),
    };
    const launched = { order, targets: targets.targets, businessKey: key.businessKey, isStrict: strictness.strict };
    // What is doubtful about a stored definition was told when it was stored.
    if (stored !== null) return { ...launched, warnings: [] };
    const misspelt = misspeltParameters(parts, body, PARAMETERS);
    const callbacks = typeof targets.targets === 'string' ? null : targets.targets;
    const doubtful = [
      ...parts.definitions.warnings(
        read,
        callbacks === null ? null : withRegistered(parts, tenant, read.tree, callbacks),
      ),
      ...(read.warnings ?? []),
      ...(callbacks === null ? [] : unaskedTasks(tenant, read.tree, callbacks)),
    ];
    if (strictness.strict && misspelt.length + doubtful.length > 0) {
      const [missing, wrong] = [true, false].map((is) => doubtful.filter(({ code }) => (code === MISSING) === is));
      throw faultOf([
        ...(wrong === undefined || wrong.length === 0
          ? []
          : [{ code: 'workflow_invalid', complaints: wrong.map(complaintOf) } as const]),
        ...(missing === undefined || missing.length === 0
          ? []
          : [{ code: 'participants_missing', complaints: missing.map(complaintOf), words: MISSING_WORDS } as const]),
        ...(misspelt.length === 0
          ? []
          : [{ code: 'request_invalid', complaints: misspelt.map(complaintOf), words: 'unknown parameter' } as const]),
      ]);
    }
    return { ...launched, warnings: [...misspelt, ...doubtful] };
  };

  /** The definition, unless it came in pieces. */
  function readWhole(body: JsonObject, isForm: boolean): ReturnType<typeof readWorkflow> {
    const read = readWorkflow(body);
    if (!isForm || !Object.hasOwn(body, 'workflow')) return read;
    const known = Object.keys(Launch.properties);
    const breaksOff = (): boolean =>
      'code' in read || parts.definitions.warnings(read, null).some(({ code }) => code === 'quote_open');
    const glued = gluedParameters(body, known, breaksOff);
    if (glued.length === 0) return read;
    return 'code' in read
      ? { ...read, complaints: [...read.complaints.slice(0, 1), ...glued] }
      : { code: 'request_invalid', complaints: glued, words: 'unknown parameter' };
  }

  function unaskedTasks(tenant: Tenant, tree: Tree, callbacks: { readonly [participant: string]: string }) {
    const hasAddress = (name: string): boolean =>
      parts.definitions.hasAddress(callbacks, name) || parts.registry.participants.find(tenant, name) !== null;
    return tasksWithoutAddress(tree, hasAddress).map((id) => ({
      ...{ code: MISSING, message: `there is no callback for the task ${shownJson(id, 100)}` },
      ...{ pointer: '', element: id, participant: id },
    }));
  }

  function readWorkflow(body: JsonObject): Trouble | Extract<DefinitionRead, { ok: true }> {
    if (!Object.hasOwn(body, 'workflow'))
      return trouble('workflow_missing', 'workflow', 'The parameter workflow is missing: the process definition');
    const value = body['workflow'] as Json;
    // Only the outer shape is looked at here; the reader of definitions bounds the rest with better complaints.
    const complaint = checkWorkflow(value);
    if (complaint !== null || (typeof value !== 'string' && !Array.isArray(value)))
      return trouble('workflow_invalid', 'workflow', 'workflow must be a text that is not empty, or a tree');
    const choice = { process: textIn(body, 'process'), start: textIn(body, 'start') };
    const read = parts.definitions.read(value, choice);
    const starts = read.ok ? startsToChooseFrom(read.tree) : [];
    if (starts.length > 0) return trouble('workflow_invalid', 'start', severalStarts(starts));
    if (read.ok) return read;
    return {
      code: 'workflow_invalid',
      complaints: read.errors.map(({ message, line, column, element }) => ({
        detail: message,
        pointer: '#/workflow',
        line,
        column,
        ...(element !== undefined && { element }),
      })),
    };
  }

  function readTargets(
    body: JsonObject,
  ): Trouble | { readonly targets: string | { readonly [participant: string]: string } } {
    const hasOne = Object.hasOwn(body, 'callback');
    const hasMany = Object.hasOwn(body, 'callbacks');
    if (!hasOne && !hasMany)
      return { code: 'callbacks_missing', complaints: [{ detail: 'Give either callback or callbacks', pointer: '#' }] };
    if (hasOne && hasMany)
      return {
        code: 'callbacks_exclusive',
        complaints: [{ detail: 'Give either callback or callbacks, not both', pointer: '#' }],
      };
    if (hasOne) {
      const url = body['callback'];
      if (checkCallback(url) !== null || typeof url !== 'string')
        return trouble('callback_invalid', 'callback', 'callback must be a URL');
      const complaint = valueComplaint(url) ?? callbackComplaint(parts, url);
      return complaint === null
        ? { targets: url }
        : trouble('callback_invalid', 'callback', `callback: the URL ${complaint}`);
    }
    const urls = body['callbacks'];
    const shape = !isObject(urls) ? 'must be an object, participant name → URL' : valueComplaint(urls);
    if (shape !== null || !isObject(urls)) return trouble('callbacks_invalid', 'callbacks', `callbacks ${shape}`);
    const wrong = checkCallbacks(urls);
    if (wrong !== null)
      return {
        code: 'callbacks_invalid',
        complaints: [{ detail: `callbacks: ${wrong.detail}`, pointer: `#/callbacks${wrong.pointer?.slice(1) ?? ''}` }],
      };
    const checked = new Map<string, string | null>();
    for (const [participant, url] of Object.entries(urls)) {
      const text = String(url);
      const complaint = callbackNameComplaint(participant) ?? checked.get(text) ?? callbackComplaint(parts, text);
      checked.set(text, complaint);
      if (complaint !== null)
        return {
          code: 'callbacks_invalid',
          complaints: [
            {
              detail: `callbacks: the URL of ${cut(participant, 100)} ${complaint}`,
              pointer: `#/callbacks/${escaped(participant)}`,
            },
          ],
        };
    }
    return { targets: urls as { readonly [participant: string]: string } };
  }

  function readFields(body: JsonObject): Trouble | { readonly fields: JsonObject } {
    if (!Object.hasOwn(body, 'fields')) return { fields: {} };
    const read = readFieldsOf(body['fields'], checkFields);
    return typeof read === 'string' ? trouble('fields_invalid', 'fields', read) : { fields: read };
  }
}

/** What its launcher knows it by. */
function readKey(body: JsonObject): Trouble | { readonly businessKey: BusinessKeyOrder | null } {
  const read = readBusinessKey(body);
  if (read === null || 'key' in read) return { businessKey: read };
  return { ...trouble('request_invalid', 'business_key', read.complaint), words: 'business_key is invalid' };
}

function readOptions(parts: Parts, body: JsonObject): Trouble | { readonly options: LaunchOptions | null } {
  const read = readLaunchOptions(parts, body);
  if ('options' in read) return read;
  return { ...trouble('request_invalid', read.parameter, read.detail), words: `${read.parameter} is invalid` };
}

/** Rules about retries are opted into; without them the schedule of the contract holds. */
function readRetry(body: JsonObject): Trouble | { readonly retry: Json } {
  const retry = Object.hasOwn(body, 'retry') ? (body['retry'] as Json) : null;
  const rules = plainRetry(retry);
  return 'retry' in rules ? rules : trouble('request_invalid', 'retry', rules.complaint);
}

/** When the workflow as a whole times out: a duration, or seconds. A form has texts, which are durations too. */
function readTimeout(body: JsonObject): Trouble | { readonly timeout?: string | number } {
  if (!Object.hasOwn(body, 'timeout') || body['timeout'] === null) return {};
  const { timeout } = body;
  const complaint = durationComplaint(timeout);
  if (complaint === null) return { timeout: timeout as string | number };
  return { ...trouble('request_invalid', 'timeout', `timeout ${complaint}`), words: 'timeout is invalid' };
}

/** Whether warnings are refusals. A form says it as a text. */
function readHistoryMax(body: JsonObject): Trouble | { readonly historyMax?: number } {
  if (!Object.hasOwn(body, 'history_max')) return {};
  const given = body['history_max'];
  // A form has texts.
  const most = typeof given === 'string' && /^\d{1,9}$/.test(given) ? Number(given) : given;
  const isNumber = typeof most === 'number' && Number.isInteger(most);
  if (isNumber && most >= HISTORY_MAX_LEAST && most <= HISTORY_MAX_MOST) return { historyMax: most };
  const words = `history_max must be a whole number from ${HISTORY_MAX_LEAST} to ${HISTORY_MAX_MOST}`;
  return { ...trouble('request_invalid', 'history_max', words), words: 'history_max is invalid' };
}

function readRetainDays(body: JsonObject): Trouble | { readonly retainDays?: number } {
  if (!Object.hasOwn(body, 'retain_days') || body['retain_days'] === null) return {};
  const given = body['retain_days'];
  const days = typeof given === 'string' && /^\d{1,9}$/.test(given) ? Number(given) : given;
  if (typeof days === 'number' && Number.isInteger(days) && days >= 0 && days <= RETAIN_DAYS_MAX)
    return { retainDays: days };
  const words = `retain_days must be a whole number from 0 to ${RETAIN_DAYS_MAX}`;
  return { ...trouble('request_invalid', 'retain_days', words), words: 'retain_days is invalid' };
}

/** A list; a text has one tag, or several separated by commas. */
function readTags(body: JsonObject): Trouble | { readonly tags?: readonly string[] } {
  if (!Object.hasOwn(body, 'tags') || body['tags'] === null) return {};
  const given = body['tags'] as Json;
  const tags: Json = typeof given === 'string' ? given.split(',').map((tag) => tag.trim()) : given;
  const isTag = (tag: Json): boolean =>
    typeof tag === 'string' && tag !== '' && tag.length <= TAG_LENGTH_MAX && isStorable(tag);
  if (Array.isArray(tags) && tags.length <= TAGS_MAX && tags.every(isTag))
    return { tags: [...new Set(tags as readonly string[])] };
  const words = `tags must be a list of at most ${TAGS_MAX} texts of 1 to ${TAG_LENGTH_MAX} characters`;
  return { ...trouble('request_invalid', 'tags', words), words: 'tags is invalid' };
}

function readStrict(body: JsonObject): Trouble | { readonly strict: boolean } {
  const strict = Object.hasOwn(body, 'strict') ? body['strict'] : false;
  if (typeof strict === 'boolean') return { strict };
  if (strict === 'true' || strict === 'false') return { strict: strict === 'true' };
  return { ...trouble('request_invalid', 'strict', 'strict must be true or false'), words: 'strict is invalid' };
}

/** `hasWords`: as the four fixed calls say it. */
const MISSING = 'callback_missing';
const MISSING_WORDS = 'callbacks is invalid';

function problemOf(troubles: readonly Trouble[], hasWords: boolean): Problem {
  const words = troubles.map(({ code, words: own }) => problems[code].words ?? own ?? 'retry is invalid').join(', ');
  const complaints = troubles.flatMap((one) => one.complaints);
  const places = complaints.map(({ detail, line, column }) =>
    line === undefined ? detail : `${detail} (line ${line}, column ${column})`,
  );
  return new Problem(troubles[0]?.code ?? 'request_invalid', places.slice(0, 5).join('; '), {
    ...(hasWords ? { words } : {}),
    complaints,
  });
}

/** A name as a part of a JSON pointer in a URI fragment. */
const escaped = (name: string): string =>
  encodeURIComponent(cut(name, 200).replaceAll('~', '~0').replaceAll('/', '~1'));
