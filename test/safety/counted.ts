import { Session } from 'node:inspector';

/*
 * Counts work instead of time: how often each block of our own code runs (V8's precise coverage), and how many characters
 * or elements the built-in functions walk that are called from it. The same on every machine and in every run.
 */

type Range = { readonly count: number };
type Script = { readonly url: string; readonly functions: readonly { readonly ranges: readonly Range[] }[] };

const isOurs = (url: string): boolean => /\/(?:src|test\/safety)\//.test(url) && !url.includes('/node_modules/');

/** Built-in functions that walk what they are called on, by what they are called on. */
const WALKS: readonly (readonly [object, readonly string[]])[] = [
  [
    Array.prototype,
    [
      ...['slice', 'concat', 'splice', 'toSpliced', 'with', 'indexOf', 'lastIndexOf', 'includes', 'join', 'reverse'],
      ...['shift', 'unshift', 'toReversed', 'map', 'filter', 'flatMap', 'find', 'findIndex', 'some', 'every', 'fill'],
    ],
  ],
  [String.prototype, ['split', 'replaceAll', 'replace', 'trim', 'lastIndexOf', 'toLowerCase', 'concat', 'slice']],
];
/** Built-in functions that walk their first argument. */
const WALKS_ARGUMENT: readonly (readonly [object, readonly string[]])[] = [
  [Object, ['keys', 'values', 'entries', 'fromEntries', 'assign']],
  [JSON, ['stringify', 'parse']],
  [Array, ['from']],
];

function sizeOf(value: unknown): number {
  if (typeof value === 'string' || Array.isArray(value)) return value.length;
  if (value instanceof Map || value instanceof Set) return value.size;
  return 1;
}

const session = new Session();
session.connect();
post('Profiler.enable');
post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });

function post(method: string, params: object = {}): unknown {
  let answer: unknown;
  session.post(method, params, (error, result) => {
    if (error !== null) throw error;
    answer = result;
  });
  return answer;
}

/** How often blocks of our own code have run since the last time. */
function takeCounts(): number {
  const { result } = post('Profiler.takePreciseCoverage') as { readonly result: readonly Script[] };
  let ran = 0;
  for (const { url, functions } of result)
    if (isOurs(url)) for (const { ranges } of functions) for (const { count } of ranges) ran += count;
  return ran;
}

/** Runs `work` and answers how much it did. */
export function countedWork(work: () => void): number {
  let walked = 0;
  const undo: (() => void)[] = [];
  const watch = (
    owner: object,
    name: string,
    sizeFor: (self: unknown, args: unknown[], result: unknown) => number,
  ): void => {
    const original = Reflect.get(owner, name) as (...args: unknown[]) => unknown;
    const watched = function (this: unknown, ...args: unknown[]): unknown {
      const result = original.apply(this, args);
      walked += sizeFor(this, args, result);
      return result;
    };
    Reflect.set(owner, name, watched);
    undo.push(() => Reflect.set(owner, name, original));
  };
  // Counts of what ran before are taken away first.
  takeCounts();
  for (const [owner, names] of WALKS)
    for (const name of names)
      watch(owner, name, (self, _, result) => Math.min(sizeOf(self), name === 'slice' ? sizeOf(result) : Infinity));
  for (const [owner, names] of WALKS_ARGUMENT)
    for (const name of names) watch(owner, name, (_, [given], result) => Math.max(sizeOf(given), sizeOf(result)));
  // Spread and for…of over a list go through its iterator.
  watch(Array.prototype, Symbol.iterator as unknown as string, (self) => sizeOf(self));
  try {
    work();
  } finally {
    for (const restore of undo.reverse()) restore();
  }
  return takeCounts() + walked;
}
