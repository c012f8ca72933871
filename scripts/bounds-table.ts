import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { boundsTable } from '../src/server/settings/bounds.ts';

/* `npm run docs`: writes the table of the bounds of a step into docs/operating.md. test/documents.test.ts fails when it is stale. */

const BEGIN = '<!-- bounds: written by npm run docs -->';
const END = '<!-- /bounds -->';

const file = join(dirname(dirname(fileURLToPath(import.meta.url))), 'docs/operating.md');
const page = readFileSync(file, 'utf8');
const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
if (from < 0 || to < from) throw new Error(`docs/operating.md needs the lines ${BEGIN} and ${END}`);
writeFileSync(file, `${page.slice(0, from + BEGIN.length)}\n${boundsTable()}\n${page.slice(to)}`);
