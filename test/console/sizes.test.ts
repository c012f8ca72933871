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
