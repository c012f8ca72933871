import type { Json, JsonObject } from '../../src/model/json.ts';
import { isObject, ownValue } from '../../src/model/json.ts';

/*
 * Brings what a run produced into the normal forms the cases are written in: ids and times differ from run to run and are replaced
 * by names; an error object keeps what definitions can rely on; what is ours alone is left out.
 */

const LEFT_OUT: ReadonlySet<string> = new Set(['callbacks', 'dispatched_at']);
const TIME = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)? ?(Z|UTC|[+-]\d\d:?\d\d)$/;

export type Normal = (value: Json) => Json;

/**
 * @param workflows the ids of the workflows of the run, in order of launch
 * @param written the definition and the fields of the case as text: times that stand in it were not made by the run
 */
export function normaliser(workflows: readonly string[], written: string): Normal {
  const text = (value: string): string => {
    let result = value;
    for (const [i, id] of workflows.entries()) result = result.replaceAll(id, i === 0 ? '<wfid>' : `<wfid${i + 1}>`);
    result = result.replace(/(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])/g, '<subid>');
    return TIME.test(result) && !written.includes(result) ? '<time>' : result;
  };
  const normal = (value: Json): Json => {
    if (typeof value === 'string') return text(value);
    if (Array.isArray(value)) return (value as readonly Json[]).map(normal);
    if (!isObject(value)) return value;
    const expid = ownValue(value, 'expid');
    if (Object.hasOwn(value, 'wfid') && typeof expid === 'string') return `<fei:${expid}>`;
    const error = errorObject(value);
    if (error !== null)
      return { ...error, message: typeof error['message'] === 'string' ? text(error['message']) : null };
    return Object.fromEntries(
      Object.entries(value)
        .filter(([key]) => !LEFT_OUT.has(key))
        .map(([key, each]) => [text(key), normal(each)]),
    );
  };
  return normal;
}

/** `{ expid, class, message }` of an error object as it travels in fields, or null when `value` is something else. */
function errorObject(value: JsonObject): JsonObject | null {
  const [name, message] = [ownValue(value, 'class'), ownValue(value, 'message')];
  if (name === undefined || message === undefined) return null;
  const fei = ownValue(value, 'fei');
  const expid = isObject(fei)
    ? ownValue(fei, 'expid')
    : typeof fei === 'string'
      ? fei.split('!')[0]
      : ownValue(value, 'expid');
  return expid === undefined ? null : { expid, class: name, message };
}

/** JSON with sorted keys: the same text for the same value. */
export function sortedJson(value: Json | undefined): string {
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(sortedJson).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value ?? null);
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${sortedJson(value[key])}`).join(',')}}`;
}

/** Orders texts so that runs of digits compare as numbers: `a2` before `a10`. */
export function compareNaturally(a: string, b: string): number {
  const [as, bs] = [a.match(/\d+|\D+/g) ?? [], b.match(/\d+|\D+/g) ?? []];
  for (let i = 0; i < Math.min(as.length, bs.length); i++) {
    const [x = '', y = ''] = [as[i], bs[i]];
    const digits = /^\d/.test(x) && /^\d/.test(y);
    if (digits && Number(x) !== Number(y)) return Number(x) - Number(y);
    if (!digits && x !== y) return x < y ? -1 : 1;
  }
  return as.length - bs.length;
}
