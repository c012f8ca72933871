import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { problems } from '../src/api/problems.ts';
import { published } from '../src/api/schemas.ts';
import { readDefinition } from '../src/definition/read.ts';
import { boundsTable } from '../src/server/settings/bounds.ts';
import { readmeTable } from '../src/server/settings/shown.ts';

/* What the documents say, held against what is there. */

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const pages = [
  ...['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'AGENTS.md', 'test/conformance/README.md'],
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => join('docs', file)),
];
const readme = read('README.md');
const api = read('docs/api-v1.md');

test('the README has the table of settings as it is', () => {
  const stale = 'the table of settings in README.md is stale: run npm run docs';
  expect(readme.includes(`\n${readmeTable()}\n`) ? '' : stale).toBe('');
});

test('the page for operators has the bounds of a step as they are', () => {
  const stale = 'the table of bounds in docs/operating.md is stale: run npm run docs';
  expect(read('docs/operating.md').includes(`\n${boundsTable()}\n`) ? '' : stale).toBe('');
});

test('every script the documents name is there', () => {
  const { scripts } = JSON.parse(read('package.json')) as { readonly scripts: { readonly [name: string]: string } };
  const known = new Set([...Object.keys(scripts), 'ci', 'install', 'pack', 'sbom']);
  const unknown = pages.flatMap((page) =>
    [...read(page).matchAll(/(?:`|^|&& )npm (?:run )?([a-z:-]+)/gm)]
      .map((match) => match[1] ?? '')
      .filter((name) => !known.has(name))
      .map((name) => `${page}: npm run ${name}`),
  );
  expect(unknown).toEqual([]);
});

test('links lead to files that are there', () => {
  const broken = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\((?!https?:|#)([^)#]+)/g)]
      .map((match) => match[1] ?? '')
      .filter((target) => !existsSync(join(root, dirname(page), target)))
      .map((target) => `${page}: ${target}`),
  );
  expect(broken).toEqual([]);
});

test('every decision is listed, under the number of its file', () => {
  const notes = readdirSync(join(root, 'docs/decisions')).filter((file) => /^\d{4}-/.test(file));
  const index = read('docs/decisions/README.md');
  for (const note of notes) {
    expect(index).toMatch(new RegExp(`^${Number(note.slice(0, 4))}\\. \\[.*\\]\\(${note}\\)$`, 'm'));
    expect(read(`docs/decisions/${note}`).startsWith(`# ${Number(note.slice(0, 4))}. `), note).toBe(true);
  }
});

test('the interface page has the fixed words to the letter', () => {
  for (const { words } of Object.values(problems)) if (words !== undefined) expect(api).toContain(`\`${words}\``);
});

test('the interface page lists every code with its status, and no other', () => {
  const listed = [...api.matchAll(/^\| `(\w+)` \| (\d+) \| (yes|no) \|/gm)].map(([, code, status, retryable]) => [
    code,
    Number(status),
    retryable === 'yes',
  ]);
  expect(listed).toEqual(Object.entries(problems).map(([code, entry]) => [code, entry.status, entry.retryable]));
});

test('the problem it shows is one the server knows', () => {
  const shown = [...api.matchAll(/```json\n([\s\S]*?)```/g)]
    .map((match) => JSON.parse(match[1] ?? '') as { readonly [key: string]: unknown })
    .find((body) => 'code' in body);
  const entry = Object.entries(problems).find(([code]) => code === shown?.['code'])?.[1];
  expect(shown?.['title']).toBe(entry?.title);
  expect(Object.keys(shown ?? {}).sort()).toEqual([...(published.problem.required ?? [])].sort());
});

test('the pictures of the README are there, two or three of them, each below 300 kB', () => {
  const pictures = [...readme.matchAll(/!\[[^\]]+\]\(([^)]+\.png)\)/g)].map(
    ([, file = '']) => statSync(join(root, file)).size,
  );
  expect(pictures.length).toBeGreaterThanOrEqual(2);
  expect(pictures.filter((bytes) => bytes >= 300_000)).toEqual([]);
});

test('definitions shown in the README can be read', () => {
  const shown = [...readme.matchAll(/```\n(define[\s\S]*?)```/g)].map((match) => match[1] ?? '');
  expect(shown.length).toBeGreaterThan(0);
  for (const text of shown) expect(readDefinition(text)).toMatchObject({ ok: true });
});

test('no page knows a place on the machine it was written on', () => {
  expect(pages.filter((page) => /\/(?:work|tmp|home|root)\/\w/.test(read(page)))).toEqual([]);
});
