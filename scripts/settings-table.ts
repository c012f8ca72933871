import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readmeTable } from '../src/server/settings/shown.ts';

/* `npm run docs` (with scripts/definitions-manual.ts): writes the table of settings into README.md. test/documents.test.ts fails when it is stale. */

export const BEGIN = '<!-- settings: written by npm run docs -->';
export const END = '<!-- /settings -->';

const file = join(dirname(dirname(fileURLToPath(import.meta.url))), 'README.md');
const readme = readFileSync(file, 'utf8');
const [from, to] = [readme.indexOf(BEGIN), readme.indexOf(END)];
if (from < 0 || to < from) throw new Error(`README.md needs the lines ${BEGIN} and ${END}`);
writeFileSync(file, `${readme.slice(0, from + BEGIN.length)}\n${readmeTable()}\n${readme.slice(to)}`);
