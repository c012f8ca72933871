import { schemaComplaint } from '../../../language/json-schema.ts';
import { LanguageError } from '../../../language/language-error.ts';
import { isObject, type Json, type JsonObject, ownValue } from '../../../model/json.ts';
import { DEFAULT_TENANT } from '../../../model/tenant.ts';
import { cut } from '../../../model/text.ts';
import type { Tree } from '../../../model/tree.ts';
import { readInputs } from '../../../registry/inputs.ts';
import { nameComplaint, specComplaints } from '../../../registry/participant-spec.ts';
import { ownAddressComplaint, type Route, readRoute } from '../../../registry/routes.ts';
import { readSchedules, type ScheduleSpec } from '../../../registry/schedule-spec.ts';
import type { DefinitionRead, Parts } from '../../parts.ts';
import { type Complaint, Problem } from '../../problem.ts';
import { BUSINESS_KEY_LENGTH_MAX } from '../workflows/business-key.ts';
import { makeLaunchCheck } from '../workflows/launch.ts';
import { armedStarts, timedStarts } from './starts.ts';

/*
 * What a stored definition says beside its text. Shapes are held against the schema before; here is what a schema cannot say.
 */

/** Bytes of all keys of one version, as JSON. */
export const OPTIONS_BYTES_MAX = 128 * 1024;
/** Messages whose data a definition describes, and triggers it has. */
const MESSAGES_MAX = 100;

/** Keys of a body that are no options of the version: its text, what it is called, and a note. */
const NO_OPTIONS: ReadonlySet<string> = new Set(['definition', 'workflow', 'name', 'note']);

export type ReadOptions = {
  /** As they are stored and shown. */
  readonly options: JsonObject;
  readonly route: Route | null;
  readonly isPublic: boolean;
  readonly schedules: readonly ScheduleSpec[];
  /** Legal and probably not meant. */
  readonly warnings: readonly string[];
};

/** Reads the keys of a definition. @throws Problem with a pointer */
export function makeReadOptions(parts: Parts) {
  const checkLaunch = makeLaunchCheck(parts);

  return (body: JsonObject, read: Extract<DefinitionRead, { ok: true }>, isBpmn: boolean): ReadOptions => {
    const options = Object.fromEntries(
      Object.entries(body).filter(([key, value]) => !NO_OPTIONS.has(key) && value !== null),
    ) as JsonObject;
    const refuse = (pointer: string, detail: string): never => {
      throw invalid([{ detail: `${pointer.slice(2).replaceAll('/', '.')} ${detail}`, pointer }]);
    };
    if (JSON.stringify(options).length > OPTIONS_BYTES_MAX)
      throw new Problem('limit_exceeded', `The keys of a definition have at most ${OPTIONS_BYTES_MAX} bytes together`);
    checkAsLaunch(options, read);
    checkParticipants(parts, options);
    for (const [name, schema] of schemasIn(options)) {
      const wrong = schemaComplaint(schema);
      if (wrong !== null) refuse(`#/${name}${wrong.pointer.slice(1)}`, wrong.detail);
    }
    const timeout = ownValue(options, 'timeout');
    if (timeout !== undefined && isBpmn) refuse('#/timeout', 'is not for BPMN, which has timer events');
    checkKey(options, refuse);
    const inputs = readInputs(ownValue(options, 'inputs'));
    if (!Array.isArray(inputs)) {
      const { detail, pointer } = inputs as Complaint & { readonly pointer: string };
      refuse(`#/inputs${pointer}`, detail);
    }
    const schedules = readSchedules(ownValue(options, 'schedules'), parts.clock.now());
    if ('detail' in schedules) return refuse(`#/schedules${schedules.pointer}`, schedules.detail);
    const own = isBpmn ? ownStarts(read.tree, schedules.schedules) : { starts: undefined, times: [] };
    const { starts: _before, ...rest } = options;
    const route = routeIn(options, refuse);
    if (options['public'] === true && route === null) refuse('#/public', 'is for definitions that have a route');
    return {
      options: own.starts === undefined ? rest : { ...rest, starts: own.starts },
      route,
      isPublic: options['public'] === true,
      schedules: [...schedules.schedules, ...own.times],
      warnings: schedules.warnings,
    };
  };

  /** What starts it by itself. @throws Problem when a time cannot be read */
  function ownStarts(tree: Tree, schedules: readonly ScheduleSpec[]) {
    const now = parts.clock.now();
    try {
      const starts = armedStarts(tree, now);
      return { starts, times: timedStarts(tree, new Set(schedules.map(({ name }) => name)), now) };
    } catch (error) {
      if (!(error instanceof LanguageError)) throw error;
      throw invalid([{ detail: error.message, pointer: '#/definition' }]);
    }
  }

  /** Options that a launch has, too, are checked as there; the complaints are of the same kind, their status is not. */
  function checkAsLaunch(options: JsonObject, read: Extract<DefinitionRead, { ok: true }>): void {
    const names = [
      'callback',
      'callbacks',
      'retry',
      'history_max',
      'retain_days',
      'tags',
      'strict',
      'timeout',
      'notify',
      'replies',
      'compensate',
    ];
    const body = Object.fromEntries(
      names.flatMap((name) => (Object.hasOwn(options, name) ? [[name, options[name] as Json]] : [])),
    );
    checkOne(body, read);
  }

  function checkOne(body: JsonObject, read: Extract<DefinitionRead, { ok: true }>): void {
    try {
      checkLaunch(body, DEFAULT_TENANT, read.tree, false);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      throw new Problem('request_invalid', error.message, {
        complaints: error.complaints,
      });
    }
  }

  function routeIn(options: JsonObject, refuse: (pointer: string, detail: string) => never): Route | null {
    const written = ownValue(options, 'route');
    if (written === undefined) return null;
    const route = readRoute(String(written));
    if (typeof route === 'string') return refuse('#/route', route);
    const own = parts.routes.prefix === '' ? ownAddressComplaint(route, parts.routes.hasAwfPaths) : null;
    return own === null ? route : refuse('#/route', own);
  }
}

const invalid = (complaints: readonly Complaint[]): Problem =>
  new Problem('request_invalid', complaints[0]?.detail ?? 'The body has the wrong shape', { complaints });

/** Entries as those of the registry. @throws Problem */
function checkParticipants(parts: Pick<Parts, 'targetComplaint'>, options: JsonObject): void {
  const written = ownValue(options, 'participants');
  if (!isObject(written)) return;
  const complaints = Object.entries(written).flatMap(([name, spec]): readonly Complaint[] => {
    const pointer = `#/participants/${pointerPart(name)}`;
    const wrong = nameComplaint(name);
    if (wrong !== null) return [{ detail: `the name ${cut(name, 100)} ${wrong}`, pointer }];
    if (!isObject(spec)) return [{ detail: `${cut(name, 100)} must be an object`, pointer }];
    if (ownValue(spec, 'kind') === 'service')
      return [{ detail: 'a service is for all definitions; register it', pointer: `${pointer}/kind` }];
    return specComplaints(spec, parts.targetComplaint).map((one) => ({
      detail: `of the participant ${cut(name, 100)}: ${one.detail}`,
      pointer: `${pointer}${one.pointer.slice(1)}`,
    }));
  });
  if (complaints.length > 0) throw invalid(complaints.slice(0, COMPLAINTS_MAX));
}
const COMPLAINTS_MAX = 20;

const pointerPart = (name: string): string =>
  encodeURIComponent(cut(name, 200).replaceAll('~', '~0').replaceAll('/', '~1'));

/** JSON Schemas by the names under which they stand. */
function schemasIn(options: JsonObject): readonly (readonly [string, Json])[] {
  const input = ownValue(options, 'input_schema');
  const messages = ownValue(options, 'messages');
  const named = isObject(messages) ? (Object.entries(messages) as [string, Json][]) : [];
  if (named.length > MESSAGES_MAX)
    throw invalid([{ detail: `messages must have at most ${MESSAGES_MAX} members`, pointer: '#/messages' }]);
  return [
    ...(input === undefined ? [] : [['input_schema', input] as const]),
    ...named.map(([name, schema]) => [`messages/${pointerPart(name)}`, schema] as const),
  ];
}

function checkKey(options: JsonObject, refuse: (pointer: string, detail: string) => never): void {
  const given = ownValue(options, 'business_key');
  if (given === undefined) return;
  const template = isObject(given) ? ownValue(given, 'key') : given;
  if (typeof template !== 'string' || template === '' || template.length > BUSINESS_KEY_LENGTH_MAX)
    refuse(
      isObject(given) ? '#/business_key/key' : '#/business_key',
      `must be a text of 1 to ${BUSINESS_KEY_LENGTH_MAX} characters, such as "\${f:order_id}"`,
    );
}
