import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

/* The map of docs/architecture.md, held against the imports of every file under src. */

type Room = {
  /** The rooms it may import from. A room stands below all of them in this list. */
  readonly from: readonly string[];
  /** What it may use of Node; nothing where its work is pure. */
  readonly node: readonly string[];
};

const rooms: { readonly [name: string]: Room } = {
  model: { from: [], node: [] },
  runtime: {
    from: ['model'],
    node: ['crypto', 'timers', 'timers/promises', 'events', 'fs', 'net', 'os', 'perf_hooks', 'tty'],
  },
  language: { from: ['model'], node: [] },
  definition: { from: ['model', 'language'], node: [] },
  interpreter: { from: ['model', 'language'], node: [] },
  client: { from: ['model'], node: [] },
  store: {
    from: ['model', 'runtime'],
    node: [
      'child_process',
      'crypto',
      'fs',
      'fs/promises',
      'net',
      'os',
      'path',
      'process',
      'stream',
      'timers/promises',
      'url',
    ],
  },
  identity: { from: ['model', 'runtime', 'store'], node: ['crypto', 'fs', 'fs/promises', 'zlib'] },
  engine: { from: ['model', 'runtime', 'language', 'definition', 'interpreter', 'store'], node: ['crypto'] },
  events: { from: ['model', 'runtime', 'language', 'store', 'engine'], node: ['crypto', 'events'] },
  batches: { from: ['model', 'runtime', 'store', 'engine'], node: [] },
  registry: { from: ['model', 'runtime', 'language', 'definition', 'store', 'identity', 'engine'], node: ['crypto'] },
  signals: { from: ['model', 'runtime', 'language', 'store', 'engine', 'registry'], node: ['crypto'] },
  outbox: {
    from: ['model', 'runtime', 'store', 'engine'],
    node: ['crypto', 'dns', 'dns/promises', 'http', 'https', 'net', 'stream', 'tls'],
  },
  worker: { from: ['model', 'runtime', 'store', 'engine', 'outbox', 'events', 'registry'], node: ['crypto'] },
  api: {
    from: [
      'model',
      'runtime',
      'store',
      'language',
      'definition',
      'interpreter',
      'events',
      'batches',
      'engine',
      'identity',
      'registry',
      'signals',
    ],
    node: ['crypto', 'events', 'fs', 'http', 'net', 'os', 'path', 'stream', 'timers/promises', 'url', 'util', 'zlib'],
  },
  console: { from: ['model'], node: ['crypto', 'fs', 'http', 'path', 'zlib'] },
  server: {
    from: [
      'model',
      'client',
      'runtime',
      'language',
      'definition',
      'interpreter',
      'store',
      'events',
      'batches',
      'engine',
      'identity',
      'registry',
      'signals',
      'outbox',
      'worker',
      'api',
      'console',
    ],
    node: [
      'crypto',
      'fs',
      'fs/promises',
      'http',
      'https',
      'module',
      'net',
      'os',
      'path',
      'process',
      'stream',
      'timers/promises',
      'tls',
      'url',
      'util',
    ],
  },
  cli: {
    from: ['model', 'runtime', 'store', 'definition', 'client', 'server'],
    // http, net: the listener behind the participants of `rota conformance`.
    node: ['fs', 'fs/promises', 'http', 'net', 'os', 'path', 'process', 'timers/promises', 'tty', 'url', 'util'],
  },
};

/** The folders of the interpreter and what each may import of the others; files at its top may import all of them. */
const floors: { readonly [name: string]: readonly string[] } = {
  state: [],
  life: ['state'],
  expressions: ['state', 'life'],
};

/** The door of each package: the one file, or the one room, that imports it. */
const doors: { readonly [name: string]: string } = {
  '@electric-sql/pglite': 'store/',
  '@ruby/prism': 'server/prism.ts',
  '@opentelemetry/api': 'runtime/tracing.ts',
  '@koa/cors': 'api/middleware/browsers.ts',
  '@koa/router': 'api/',
  ajv: 'api/',
  'fast-xml-parser': 'definition/xml',
  got: 'outbox/post.ts',
  'ipaddr.js': 'outbox/',
  jose: 'identity/jw',
  koa: 'api/',
  luxon: 'language/',
  'node-pg-migrate': 'store/',
  'p-retry': 'store/',
  pg: 'store/',
  pino: 'runtime/log.ts',
  'prom-client': 'runtime/metrics.ts',
  'fastest-levenshtein': 'language/nearest.ts',
  re2js: 'language/regex.ts',
  yaml: 'server/',
};

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const src = join(root, 'src');

type Import = { readonly from: string; readonly to: string };

const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
const texts = new Map(files.map((file) => [file, withoutComments(readFileSync(join(src, file), 'utf8'))]));
const imports: readonly Import[] = files.flatMap((from) =>
  importsOf(texts.get(from) ?? '').map((to) => ({ from, to })),
);
/** Imports of our own files, both ends relative to src. */
const inner = imports
  .filter(({ to }) => to.startsWith('.'))
  .map(({ from, to }) => ({ from, to: relative(src, join(src, dirname(from), to)) }));
const outer = imports.filter(({ to }) => !to.startsWith('.'));

/** What a file imports: `import … from 'x'`, `export … from 'x'`, `import 'x'`, and `import('x')`. */
function importsOf(text: string): string[] {
  const found = [
    ...text.matchAll(/^\s*(?:import|export)\s[^'"`;]*?from\s*['"]([^'"]+)['"]/gm),
    ...text.matchAll(/^\s*import\s*['"]([^'"]+)['"]/gm),
    ...text.matchAll(/\bimport\s*\(\s*['"]([^'"]+)['"]/g),
  ];
  return found.map((match) => match[1] ?? '');
}

/** Comments may speak of imports; they are none. */
function withoutComments(text: string): string {
  return text.replace(/^\s*(\/\*[\s\S]*?\*\/|\/\/.*$|\*.*$)/gm, '');
}

const roomOf = (file: string): string => file.split('/')[0] ?? '';
const packageOf = (name: string): string => name.split('/', name.startsWith('@') ? 2 : 1).join('/');
const builtins = new Set(builtinModules);
const builtinOf = (name: string): string | null =>
  name.startsWith('node:') ? name.slice('node:'.length) : builtins.has(name) ? name : null;
const show = ({ from, to }: Import): string => `${from} -> ${to}`;

test('the reader of imports sees each way to write one', () => {
  const text = `import { a } from './a.ts';
import type { B,
  C } from './b.ts';
export { d } from './d.ts';
export * from "./e.ts";
import './f.ts';
const g = await import('./g.ts');
/* import { h } from './h.ts'; */
// import { i } from './i.ts';`;
  expect(importsOf(withoutComments(text)).sort()).toEqual(['a', 'b', 'd', 'e', 'f', 'g'].map((name) => `./${name}.ts`));
  expect(inner.length).toBeGreaterThan(0);
  expect(outer.length).toBeGreaterThan(0);
});

test('every file lives in a room of the map', () => {
  expect(files.filter((file) => !Object.hasOwn(rooms, roomOf(file)))).toEqual([]);
});

test('imports point only where the map allows', () => {
  const strays = inner.filter(({ from, to }) => {
    const [here, there] = [roomOf(from), roomOf(to)];
    return here !== there && rooms[here]?.from.includes(there) !== true;
  });
  expect(strays.map(show)).toEqual([]);
});

test('inside the interpreter imports point down: expressions, life, state', () => {
  const folder = (file: string): string | null => (file.split('/').length > 2 ? (file.split('/')[1] ?? null) : null);
  const strays = inner.filter(({ from, to }) => {
    if (roomOf(from) !== 'interpreter' || roomOf(to) !== 'interpreter') return false;
    const [here, there] = [folder(from), folder(to)];
    return here !== null && here !== there && (there === null || floors[here]?.includes(there) !== true);
  });
  expect(strays.map(show)).toEqual([]);
});

test('every room stands below those it imports from, so that the arrows form no circle', () => {
  const order = Object.keys(rooms);
  for (const [name, room] of Object.entries(rooms))
    for (const other of room.from)
      expect(order.indexOf(other), `${name} -> ${other}`).toBeLessThan(order.indexOf(name));
});

test('no file reaches itself through its imports', () => {
  const next = new Map<string, string[]>();
  for (const { from, to } of inner) next.set(from, [...(next.get(from) ?? []), to]);
  const circular = files.filter((start) => {
    const reached = new Set(next.get(start) ?? []);
    for (const file of reached) for (const each of next.get(file) ?? []) reached.add(each);
    return reached.has(start);
  });
  expect(circular).toEqual([]);
});

test('a text becomes a URL in one place, which knows why not by URL.canParse', () => {
  const asking = files.filter((file) => readFileSync(join(src, file), 'utf8').includes('URL.canParse'));
  expect(asking).toEqual(['model/url.ts']);
});

test('a long file says why it is one thing', () => {
  const whole = files.map((file) => [file, readFileSync(join(src, file), 'utf8')] as const);
  const long = whole.filter(([, text]) => text.trimEnd().split('\n').length > 400);
  expect(long.length).toBeGreaterThan(0);
  const says = /\bit is one thing\b|^\/\* Written by `npm run/im;
  expect(long.filter(([, text]) => !says.test(text)).map(([file]) => file)).toEqual([]);
});

test('each package is imported through its one door', () => {
  const strays = outer.filter(({ from, to }) => {
    if (builtinOf(to) !== null) return false;
    const door = doors[packageOf(to)];
    return door === undefined || !from.startsWith(door);
  });
  expect(strays.map(show)).toEqual([]);
});

test('every dependency has a door', () => {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { dependencies: object };
  expect(Object.keys(doors).sort()).toEqual(Object.keys(manifest.dependencies).sort());
});

test('what Node offers is used only where a room may touch the outside', () => {
  const strays = outer.filter(({ from, to }) => {
    const builtin = builtinOf(to);
    return builtin !== null && rooms[roomOf(from)]?.node.includes(builtin) !== true;
  });
  expect(strays.map(show)).toEqual([]);
});

test('the pure rooms read no clock, no chance and no environment', () => {
  const outside = [
    /\b(?:Date\.now|Math\.random|performance\.|setTimeout|setInterval|setImmediate|fetch\(|crypto\.)/,
    /\bnew Date\(\)/,
    /(?<![\w./'-])process\.(?:env|argv|cwd|exit|hrtime|nextTick|stdout|stderr|on|memoryUsage)\b/,
  ];
  const pure = files.filter((file) => ['model', 'language', 'definition', 'interpreter'].includes(roomOf(file)));
  expect(pure.filter((file) => outside.some((pattern) => pattern.test(texts.get(file) ?? '')))).toEqual([]);
});

test('nothing is imported while running but the parser of Ruby, the server by the commands that are one, and modules of the file of settings', () => {
  // The client has a method of this name.
  const found = files.filter((file) => /(?<!async |\.)\bimport\s*\(/.test(texts.get(file) ?? ''));
  expect(found.sort()).toEqual(['cli/commands/serve.ts', 'cli/run.ts', 'server/hooks.ts', 'server/prism.ts']);
});

/* The browser's side lives beside src, in console/. */

const browserSide = readdirSync(join(root, 'console'), { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.tsx?$/.test(file) && file !== 'vite.config.ts')
  .map((file) => ({ file, text: withoutComments(readFileSync(join(root, 'console', file), 'utf8')) }));
const browserImports: readonly Import[] = browserSide.flatMap(({ file, text }) =>
  importsOf(text).map((to) => ({ from: file, to })),
);
/** The folders of console/, each with those it may import from. */
const browserFolders: { readonly [name: string]: readonly string[] } = {
  picture: [],
  address: ['picture'],
  api: ['address'],
  live: ['address', 'api', 'picture'],
  parts: ['address', 'api', 'live', 'picture', 'app', 'pages'],
  app: ['address', 'api', 'live', 'parts'],
  pages: ['address', 'api', 'live', 'picture', 'parts', 'app', 'rehearse'],
  rehearse: ['parts'],
};
/** The packages beside preact, each with the one file that is loaded when it is wanted. */
const browserDoors: { readonly [name: string]: readonly string[] } = {
  '@codemirror': ['parts/codemirror.ts', 'parts/radial-mode.ts'],
  '@lezer': ['parts/codemirror.ts'],
  '@cfworker': ['parts/check-worker.ts'],
  re2js: ['rehearse/engine.ts'],
};

test('the browser side imports of the server only what runs anywhere: model and definition; a rehearsal the interpreter', () => {
  const strays = browserImports.filter(
    ({ from, to }) =>
      to.startsWith('.') &&
      /(^|\/)src\//.test(to) &&
      !(
        from.startsWith('rehearse/') ? /\/src\/(model|interpreter|events\/entry\.ts)/ : /\/src\/(model|definition)\//
      ).test(`/${join(dirname(from), to)}`),
  );
  expect(strays.map(show)).toEqual([]);
});

test('inside the browser side imports go where the folders allow, and the picture is pure', () => {
  const strays = browserImports.filter(({ from, to }) => {
    if (!to.startsWith('.') || /\/src\/|\/examples\//.test(to)) return false;
    const [here, there] = [from.split('/')[0] ?? '', join(dirname(from), to).split('/')[0] ?? ''];
    return from.includes('/') && here !== there && browserFolders[here]?.includes(there) !== true;
  });
  expect(strays.map(show)).toEqual([]);
  const impure = browserSide.filter(
    ({ file, text }) =>
      file.startsWith('picture/') &&
      /\b(?:window|document|fetch\(|Date\.now|new Date\(\)|Math\.random|setTimeout)/.test(text),
  );
  expect(impure.map(({ file }) => file)).toEqual([]);
});

test('the browser side uses preact and signals, the rest through its doors, and nothing writes markup into a page', () => {
  const packages = browserImports.filter(
    ({ from, to }) =>
      !to.startsWith('.') &&
      !['preact', 'preact/hooks', '@preact/signals'].includes(to) &&
      browserDoors[to.split('/')[0] ?? '']?.includes(from) !== true,
  );
  expect(packages.map(show)).toEqual([]);
  const markup = browserSide.filter(({ text }) =>
    /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(/.test(text),
  );
  expect(markup.map(({ file }) => file)).toEqual([]);
});

test('nothing of the server imports the browser side', () => {
  expect(inner.filter(({ to }) => to.startsWith('../console')).map(show)).toEqual([]);
});
