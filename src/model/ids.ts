/** The id of a workflow: `YYYYMMDD-HHMM-word-word` in UTC, e.g. `20151005-1247-kogadeso-gekunute`. */
export type WorkflowId = string & { readonly is: 'WorkflowId' };

/** The id of one live expression within its workflow: `expid!subid`, e.g. `0_1!023a…` (subid: 32 hex digits). */
export type ExpressionId = string & { readonly is: 'ExpressionId' };

/** The id of a workitem on the wire: `expid!subid!workflow id`. */
export type WorkitemId = string & { readonly is: 'WorkitemId' };

export const expressionId = (expid: string, subid: string): ExpressionId => `${expid}!${subid}` as ExpressionId;
export const workitemId = (expression: ExpressionId, workflow: WorkflowId): WorkitemId =>
  `${expression}!${workflow}` as WorkitemId;
export const expidOf = (id: ExpressionId): string => id.slice(0, id.indexOf('!'));
export const subidOf = (id: ExpressionId): string => id.slice(id.indexOf('!') + 1);

/** Longest ids we look at; anything longer cannot be ours. */
export const ID_LENGTH_MAX = 1024;

/** The parts of a workitem id, or null when `text` has not the shape of one. */
export function parseWorkitemId(
  text: string,
): { readonly expression: ExpressionId; readonly workflow: WorkflowId } | null {
  if (text.length > ID_LENGTH_MAX) return null;
  const parts = text.split('!');
  const [expid, subid, workflow] = parts;
  if (
    parts.length !== 3 ||
    !expid ||
    !subid ||
    !workflow ||
    !/^\d+(_\d+)*$/.test(expid) ||
    !/^[0-9a-f]{32}$/.test(subid)
  )
    return null;
  return { expression: expressionId(expid, subid), workflow: workflow as WorkflowId };
}

/** How many shards there are; the number is part of every stored key and never changes. */
export const SHARDS = 256;

/** The shard a workflow and everything of it lives in: FNV-1a of its id, modulo 256. */
export function shardOf(workflow: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < workflow.length; i++) hash = Math.imul(hash ^ workflow.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % SHARDS;
}

const SYLLABLES: readonly string[] = [
  ...[...'bdghjkmnprstz'].flatMap((consonant) => [...'aeiou'].map((vowel) => consonant + vowel)),
  'wa',
  'wo',
  'ya',
  'yo',
  'yu',
];

/** A number as a pronounceable word (docs/definitions.md): base 70, most significant syllable first; 0 is the empty word. */
export function mnemo(value: number): string {
  let word = '';
  for (let rest = value; rest > 0; rest = Math.floor(rest / 70)) word = (SYLLABLES[rest % 70] ?? '') + word;
  return word
    .replaceAll('hu', 'fu')
    .replaceAll('si', 'shi')
    .replaceAll('ti', 'chi')
    .replaceAll('tu', 'tsu')
    .replaceAll('zi', 'tzu');
}

/**
 * A workflow id for a launch.
 *
 * @param atMs the time of the launch, in milliseconds since 1970
 * @param random two random integers of 24 bits each, neither 0 (0 would be an empty word)
 */
export function makeWorkflowId(atMs: number, random: readonly [number, number]): WorkflowId {
  const [first, second] = random;
  return `${minuteText(Math.floor(atMs / MINUTE_MS))}-${mnemo(first)}-${mnemo(second)}` as WorkflowId;
}

const MINUTE_MS = 60_000;
/** The last minute that was written: launches come many in one. */
let written = { minute: Number.NaN, text: '' };
function minuteText(minute: number): string {
  if (written.minute !== minute) {
    const [date = '', time = ''] = new Date(minute * MINUTE_MS).toISOString().split('T');
    written = { minute, text: `${date.replaceAll('-', '')}-${time.slice(0, 2)}${time.slice(3, 5)}` };
  }
  return written.text;
}

/** Orders expids by number, not by text: `0_2` before `0_10`. */
export function compareExpids(a: string, b: string): number {
  const [as, bs] = [a.split('_'), b.split('_')];
  for (let i = 0; i < Math.min(as.length, bs.length); i++) {
    const difference = Number(as[i]) - Number(bs[i]);
    if (difference !== 0) return difference;
  }
  return as.length - bs.length;
}
