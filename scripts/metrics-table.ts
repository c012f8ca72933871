import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { metricsTable } from '../src/runtime/metrics.ts';

/* `npm run docs`: writes the table of figures into docs/operating.md. test/server/figures.test.ts fails when it is stale. */

const BEGIN = '<!-- figures: written by npm run docs -->';
const END = '<!-- /figures -->';

const file = join(dirname(dirname(fileURLToPath(import.meta.url))), 'docs/operating.md');
const page = readFileSync(file, 'utf8');
const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
if (from < 0 || to < from) throw new Error(`docs/operating.md needs the lines ${BEGIN} and ${END}`);
writeFileSync(file, `${page.slice(0, from + BEGIN.length)}\n${metricsTable()}\n${page.slice(to)}`);
