import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Flags } from '../settings.ts';

export const newFlags = { out: { type: 'string' } } as const;

/** Both `src/cli/commands` and `dist/cli/commands` lie three folders below it. */
const recipes = fileURLToPath(new URL('../../../examples/recipes/', import.meta.url));
const EXTENSION = '.radial';

/** Writes a recipe of docs/cookbook.md to begin with, as `<name>.radial` or where `--out` says; without a name it lists them. */
export async function new_([name]: readonly string[], flags: Flags): Promise<number> {
  const names = readdirSync(recipes)
    .filter((file) => file.endsWith(EXTENSION))
    .map((file) => file.slice(0, -EXTENSION.length))
    .sort();
  const textOf = (one: string): string => readFileSync(`${recipes}${one}${EXTENSION}`, 'utf8');
  if (name === undefined) {
    console.log('rota new <name> writes one of these, explained in docs/cookbook.md:\n');
    const width = Math.max(...names.map((one) => one.length));
    for (const one of names)
      console.log(`  ${one.padEnd(width)}  ${textOf(one).split('\n', 1)[0]?.replace(/^# */, '')}`);
    return 0;
  }
  if (!names.includes(name)) {
    console.error(`There is no recipe ${JSON.stringify(name)}; rota new lists them.`);
    return 2;
  }
  const out = typeof flags['out'] === 'string' ? flags['out'] : `${name}${EXTENSION}`;
  try {
    // What somebody has written is never written over.
    writeFileSync(out, textOf(name), { flag: 'wx' });
  } catch (error) {
    const isThere = error instanceof Error && 'code' in error && error.code === 'EEXIST';
    console.error(isThere ? `${out} is there already; say --out <file>` : `${out} cannot be written: ${String(error)}`);
    return 1;
  }
  console.log(`${out}: change it, try it with rota check ${out}, and launch it as docs/cookbook.md shows`);
  return 0;
}
