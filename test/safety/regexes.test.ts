import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkSync } from 'recheck';
import { expect, test } from 'vitest';

/*
 * Regular expressions run on what strangers write: none may backtrack more than its text is long. recheck proves it by
 * automata for each literal of these rooms.
 */

const ROOMS = ['model', 'language', 'definition', 'interpreter'];

type Literal = { readonly file: string; readonly source: string; readonly flags: string };

/** Comments may show expressions; they are none. */
const COMMENT = /^\s*(?:\/\*[\s\S]*?\*\/|\/\/.*$|\*.*$)/gm;
/** A slash where a value may begin, up to the next that is neither escaped nor in a class. */
const LITERAL = /(?<=[=(,:!&|?[;>]\s*|return\s)\/(?![*/])((?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\[\n])+)\/([dgimsuvy]*)/g;

const literalsOf = (file: string, text: string): Literal[] =>
  [...text.replace(COMMENT, '').matchAll(LITERAL)].map(([, source = '', flags = '']) => ({ file, source, flags }));

const literals = ROOMS.flatMap((room) =>
  readdirSync(join('src', room), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => literalsOf(join(room, file), readFileSync(join('src', room, file), 'utf8'))),
);

/** What is wrong with an expression; null when it takes time in proportion to the text. */
function trouble({ source, flags }: Literal): string | null {
  const found = checkSync(source, flags, { checker: 'auto', timeout: 60_000, attackTimeout: 5_000 });
  if (found.status === 'safe') return null;
  return found.status === 'vulnerable' ? found.complexity.summary : `unknown: ${found.error.kind}`;
}

test('the reader of literals sees each of them', () => {
  expect(literalsOf('x.ts', 'const a = /b\\/c/gi;\n// not (/this/)\nf(/[/]/.test(x), a / b / c);')).toEqual([
    { file: 'x.ts', source: 'b\\/c', flags: 'gi' },
    { file: 'x.ts', source: '[/]', flags: '' },
  ]);
  expect(literals.length).toBeGreaterThan(40);
});

test.each(['^-?(?:(?:\\d+\\.?\\d*|\\.\\d+)[yMwdhms]?)+$', '[,*]|\\d+[ywdhmsM]? *:', '\\s+$'])(
  '/%s/ is found',
  (source) => {
    expect(trouble({ file: '', source, flags: '' })).not.toBeNull();
  },
);

test('no regular expression that reads what strangers write backtracks', { timeout: 300_000 }, () => {
  const faults = literals.flatMap((literal) => {
    const found = trouble(literal);
    return found === null ? [] : [`${literal.file}: /${literal.source}/ ${found}`];
  });
  expect(faults).toEqual([]);
});
