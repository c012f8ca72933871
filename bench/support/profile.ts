import { readFileSync } from 'node:fs';

/*
 * Where the CPU of a process went, by the package or room whose code ran. Node's own functions are charged to whoever called
 * them; what the event loop called itself (sockets becoming readable, timers) has nobody to charge and is named by its module.
 */

type Node = {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
};
type Profile = {
  readonly nodes: readonly Node[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
};

export type Share = { readonly name: string; readonly part: number };
export type Breakdown = {
  /** Parts of the time in which the process was not idle, biggest first. They sum up to 1. */
  readonly shares: readonly Share[];
  /** The part that is our own code below HTTP and above the driver, garbage collection included in proportion. */
  readonly own: number;
  /** The functions that took most by themselves. */
  readonly functions: readonly Share[];
};

/** Rooms that interpret, serialise and keep the books; api and dispatcher are HTTP. */
const OWN = ['model', 'runtime', 'definition', 'interpreter', 'engine', 'store'].map((room) => `rota ${room}`);
const COLLECTOR = 'garbage collection';
/** Microseconds one sample may count for: while the system runs others the process stands still wherever it was, mostly in a system call. */
const SAMPLE_US_MAX = 1_000;

export function readProfile(file: string): Breakdown {
  const profile = JSON.parse(readFileSync(file, 'utf8')) as Profile;
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map(profile.nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node.id])));
  const owners = new Map<number, string>();
  const isProbe = (id: number): boolean => {
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
      const { url } = (nodes.get(at) as Node).callFrame;
      if (url.endsWith('/probe.mjs') || url === 'node:inspector') return true;
    }
    return false;
  };
  const ownerOf = (id: number): string => {
    const known = owners.get(id);
    if (known !== undefined) return known;
    const node = nodes.get(id) as Node;
    // Beginning and ending the profile costs something by itself.
    let owner = isProbe(id) ? '(idle)' : placeOf(node);
    let isWriting = false;
    for (let at = parents.get(id); owner.startsWith('node ') && at !== undefined; at = parents.get(at)) {
      const place = placeOf(nodes.get(at) as Node);
      isWriting ||= place === 'node net' || place === 'node stream' || place === 'node streams';
      if (!place.startsWith('node ') && place !== '(root)') owner = place;
    }
    // The store lets the driver's socket write several statements at once: that is the driver's work.
    if (owner === 'rota store' && isWriting) owner = 'pg';
    owners.set(id, owner);
    return owner;
  };

  const byOwner = new Map<string, number>();
  const byFunction = new Map<string, number>();
  let sum = 0;
  profile.samples.forEach((id, i) => {
    const us = Math.min(profile.timeDeltas[i] ?? 0, SAMPLE_US_MAX);
    const owner = ownerOf(id);
    if (owner === '(idle)') return;
    sum += us;
    add(byOwner, owner, us);
    const { functionName, url, lineNumber } = (nodes.get(id) as Node).callFrame;
    add(byFunction, `${functionName || '(nameless)'} ${shortened(url)}:${lineNumber + 1}`, us);
  });
  const collected = byOwner.get(COLLECTOR) ?? 0;
  const own = OWN.reduce((total, name) => total + (byOwner.get(name) ?? 0), 0);
  return {
    shares: sharesOf(byOwner, sum),
    own: own / Math.max(1, sum - collected),
    functions: sharesOf(byFunction, sum).slice(0, 40),
  };
}

const add = (map: Map<string, number>, key: string, value: number): void => {
  map.set(key, (map.get(key) ?? 0) + value);
};

const sharesOf = (map: ReadonlyMap<string, number>, sum: number): readonly Share[] =>
  [...map].map(([name, us]) => ({ name, part: us / sum })).sort((a, b) => b.part - a.part);

function placeOf({ callFrame: { url, functionName } }: Node): string {
  const packages = [...url.matchAll(/node_modules\/((?:@[^/]+\/)?[^/]+)\//g)];
  const last = packages.at(-1)?.[1];
  if (last !== undefined) return grouped(last);
  const room = /\/dist\/([a-z]+)\//.exec(url)?.[1];
  if (room !== undefined) return `rota ${room}`;
  if (url.startsWith('wasm:') || /^(wasm-|js-to-wasm|wasm-to-js)/.test(functionName)) return grouped('@electric-sql/');
  if (functionName === '(garbage collector)') return COLLECTOR;
  if (functionName === '(program)') return 'native code (sockets, JSON, V8)';
  if (functionName === '(idle)' || functionName === '(root)') return functionName;
  if (url.startsWith('node:')) return `node ${/^node:(?:internal\/)?_?([a-z]+)/.exec(url)?.[1] ?? ''}`;
  return url === '' ? 'node native' : 'other';
}

/** Packages that come along with another one are shown as part of it. */
const FAMILIES: readonly (readonly [string, readonly string[]])[] = [
  [
    'got',
    [
      'got',
      'keyv',
      'cacheable-',
      'form-data-encoder',
      'lowercase-keys',
      '@sindresorhus/',
      'responselike',
      'http2-wrapper',
      'p-cancelable',
      'byte-counter',
      'chunk-data',
      'decompress-response',
      'uint8array-extras',
      'type-fest',
      '@szmarczak/',
    ],
  ],
  ['pg', ['pg', 'pg-protocol', 'pg-pool', 'pg-types', 'postgres-']],
  [
    'koa',
    [
      'koa',
      'koa-compose',
      '@koa/router',
      'path-to-regexp',
      'content-type',
      'type-is',
      'accepts',
      'on-finished',
      'ee-first',
      'statuses',
      'cookies',
      'delegates',
      'parseurl',
      'mime-',
      'negotiator',
      'http-errors',
      'destroy',
      'fresh',
      'vary',
      'encodeurl',
      'escape-html',
      'media-typer',
      'http-assert',
      'depd',
    ],
  ],
  [
    'koa-body',
    [
      'koa-body',
      'co-body',
      'raw-body',
      'inflation',
      'qs',
      'iconv-lite',
      'bytes',
      'unpipe',
      'zod',
      'formidable',
      'side-channel',
    ],
  ],
  [
    'pino',
    ['pino', 'sonic-boom', 'thread-stream', 'quick-format-unescaped', 'safe-stable-stringify', 'on-exit-leak-free'],
  ],
  ['PGlite', ['@electric-sql/']],
  ['ajv', ['ajv', 'ajv-formats']],
];

function grouped(name: string): string {
  const exact = FAMILIES.find(([, members]) => members.includes(name));
  const family =
    exact ?? FAMILIES.find(([, members]) => members.some((member) => /[-/]$/.test(member) && name.startsWith(member)));
  return family?.[0] ?? name;
}

const shortened = (url: string): string => url.replace(/^.*\/(?:node_modules|dist)\//, '').replace(/^file:\/\//, '');
