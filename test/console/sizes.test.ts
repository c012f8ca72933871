import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { buildConsole } from './support/browser.ts';

/** What a file may weigh as it is sent, in bytes; the first pattern that fits counts. */
const BUDGETS: readonly (readonly [RegExp, number])[] = [
  [/^index-.*\.js$/, 60_000],
  [/\.css$/, 15_000],
  // Loaded when somebody edits, rehearses, or sends a form that has a schema.
  [/^codemirror-/, 160_000],
  [/^worker-/, 110_000],
  // Of a rehearsal that has patterns.
  [/^engine-/, 70_000],
  [/^check-worker-/, 12_000],
  // The page of one workflow, with all its views.
  [/^page-/, 40_000],
  [/\.js$/, 20_000],
];

test('every file of the console keeps its budget, compressed', () => {
  buildConsole();
  const folder = join(import.meta.dirname, '../../dist/pages/assets');
  const over = readdirSync(folder).flatMap((file) => {
    const bytes = gzipSync(readFileSync(join(folder, file)), { level: 9 }).length;
    const budget = BUDGETS.find(([pattern]) => pattern.test(file))?.[1] ?? 0;
    return bytes > budget ? [`${file}: ${bytes} of ${budget}`] : [];
  });
  expect(over).toEqual([]);
});

/** What is sent before the first page can be seen, home or the list, in bytes. */
const FIRST_MAX = 90_000;

test('what the first page is made of keeps its budget, with all it imports', () => {
  buildConsole();
  const folder = join(import.meta.dirname, '../../dist/pages/assets');
  const names = readdirSync(folder);
  /** A file with all it imports, but for what it loads later. */
  const withImports = (file: string, found = new Set<string>()): ReadonlySet<string> => {
    if (found.has(file)) return found;
    found.add(file);
    const text = readFileSync(join(folder, file), 'utf8');
    for (const [, name = ''] of text.matchAll(/(?:from|import)\s*["'`]\.\/([\w-]+\.js)["'`]/g))
      withImports(name, found);
    return found;
  };
  const page = readFileSync(join(folder, '../index.html'), 'utf8');
  const frame = [...page.matchAll(/assets\/([\w-]+\.(?:js|css))/g)].map(([, file = '']) => file);
  for (const name of ['home', 'workflows']) {
    const own = names.filter((file) => new RegExp(`^${name}-.*\\.js$`).test(file));
    expect(own).toHaveLength(1);
    const files = new Set([...frame, ...own].flatMap((file) => [...withImports(file)]));
    const bytes = [...files].reduce(
      (sum, file) => sum + gzipSync(readFileSync(join(folder, file)), { level: 9 }).length,
      0,
    );
    expect(bytes, `${name}: ${[...files].join(' ')}`).toBeLessThan(FIRST_MAX);
    // The picture is not among them: who sees a list does not see one.
    expect([...files].filter((file) => file.startsWith('diagram-'))).toEqual([]);
  }
});
