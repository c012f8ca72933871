import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { seenAtWork } from './cookbook.ts';

/*
 * `npm run docs`: gathers the manual of the definition language from the heads of the files that implement it and writes
 * docs/definitions.md. test/documents/definitions.test.ts fails when that is stale.
 */

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(root, 'src');

/** The chapters, and the files whose heads are their pages, in the order of the manual. */
const CHAPTERS: readonly { readonly title: string; readonly about: string; readonly files: readonly string[] }[] = [
  {
    title: 'Expressions',
    about:
      'What a definition is made of. Any other head is a sub-process that is bound to this name, or else a participant. Each understands the ' +
      'attributes of the next chapter, too.',
    files: [
      'sequence', 'participant', 'subprocess', 'concurrence', 'iteration', 'cursor', 'commands', 'branching', 'setting', 'counting', 'saving', 'timing',
      'listening', 'recovery', 'letting-go', 'reserve', 'compensation', 'signalling', 'launching', 'succession',
    ].map((name) => `interpreter/expressions/ruote/${name}`),
  },
  {
    title: 'Attributes',
    about: 'What every expression understands.',
    files: ['attributes', 'tags', 'listening', 'events', 'applying', 'timers', 'handlers', 'filtering', 'leaving'].map(
      (name) => `interpreter/life/${name}`,
    ),
  },
  {
    title: 'Notations',
    about: 'What can stand in attributes and texts.',
    files: [
      'language/substitution',
      'language/lookup',
      'interpreter/life/variables',
      ...['condition', 'event-condition', 'when', 'cron', 'filter', 'merge', 'regex'].map((name) => `language/${name}`),
    ],
  },
]; // biome-ignore format: a table of contents

const INTRODUCTION = `# Definitions

The language of process definitions: what each expression does, what every expression understands, and the notations in between. The
same definition can be written as Radial (as the examples here), XML or JSON; [compatibility.md](compatibility.md) tells where Rota differs
from Ruote, whose language this is; [cookbook.md](cookbook.md) has whole workflows by the question they answer, [patterns.md](patterns.md) the 43 control-flow patterns.
Made from the heads of the files in src/interpreter and src/language by \`npm run docs\`; change it there.

In Radial each line is one expression, its children are indented below it; attributes are separated by commas, one after
the name or text of a definition included: \`define order, on_cancel: 'undo_it'\`. The first character tells
the format: \`<\` XML, \`[\` or \`{\` JSON, anything else Radial.
`;

export type Page = { readonly title: string; readonly names: readonly string[]; readonly text: string };

/** The pages in the head of one file: its first comment, one page for each \`# title\`. Throws when there is none. */
export function pagesOf(source: string, file: string): readonly Page[] {
  const comment = /^\/\*\*\n((?: \*.*\n)+?) \*\//.exec(source)?.[1];
  if (comment?.startsWith(' * # ') !== true)
    throw new Error(`${file} does not begin with a page of the manual: /** # name … */`);
  const text = comment.replace(/^ \* ?/gm, '');
  return text
    .split(/^# /m)
    .slice(1)
    .map((part) => {
      const end = part.indexOf('\n');
      const title = part.slice(0, end);
      const names = title
        .replace(/\(.*\)/, '')
        .split(',')
        .map((name) => name.trim());
      return { title, names, text: part.slice(end).trim() };
    });
}

/** The pages of each chapter. */
export const chapters = (): readonly {
  readonly title: string;
  readonly about: string;
  readonly pages: readonly Page[];
}[] =>
  CHAPTERS.map(({ title, about, files }) => ({
    title,
    about,
    pages: files.flatMap((file) => pagesOf(readFileSync(join(folder, `${file}.ts`), 'utf8'), file)),
  }));

/** docs/definitions.md as it should be. */
export function manual(): string {
  const parts = chapters();
  const anchor = (title: string): string =>
    title
      .toLowerCase()
      .replace(/[^a-z0-9_ -]/g, '')
      .replaceAll(' ', '-');
  const contents = parts.map(
    ({ title, pages }) =>
      `- [${title}](#${anchor(title)}): ${pages.map((page) => `[${page.title}](#${anchor(page.title)})`).join(' · ')}`,
  );
  const seen = new Map<string, number>();
  for (const { pages } of parts)
    for (const { title } of pages) seen.set(anchor(title), (seen.get(anchor(title)) ?? 0) + 1);
  const twice = [...seen].filter(([, count]) => count > 1).map(([name]) => name);
  if (twice.length > 0) throw new Error(`Two pages of one title: ${twice.join(', ')}`);
  const body = parts.map(
    ({ title, about, pages }) =>
      `## ${title}\n\n${about}\n\n${pages.map((page) => `### ${page.title}\n\n${page.text}\n${title === 'Notations' ? '' : atWork(page, title === 'Attributes')}`).join('\n')}`,
  );
  return `${INTRODUCTION}\n${contents.join('\n')}\n\n${body.join('\n')}`;
}

/** Recipes that show it; what every definition has needs none. */
function atWork({ names }: Page, isOfAttributes: boolean): string {
  const links =
    names.includes('define') || names.includes('sequence') || names.includes('participant')
      ? []
      : seenAtWork(isOfAttributes ? names.map((name) => `${name}:`) : names);
  return links.length === 0 ? '' : `\nSeen at work: ${links.join(' · ')}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(join(root, 'docs/definitions.md'), manual());
