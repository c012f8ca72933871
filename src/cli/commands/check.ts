import { readFileSync } from 'node:fs';
import { readDefinition } from '../../definition/read.ts';
import { warningsOf } from '../../definition/warnings.ts';
import type { Flags } from '../settings.ts';

/**
 * Reads process definitions from files, or from standard input where a file is `-`. Warnings are told on standard error and do not make
 * a definition a bad one, unless `--strict` says so.
 */
export async function check(files: readonly string[], flags: Flags): Promise<number> {
  // Each is looked at, so that all complaints are there at once.
  return Math.max(...files.map((file) => checkOne(file, flags['strict'] === true)));
}

function checkOne(file: string, isStrict: boolean): number {
  let text: string;
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    console.error(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
  const read = readDefinition(text);
  if (!read.ok) {
    for (const { message, line, column } of read.errors) console.error(`${file}:${line}:${column}: ${message}`);
    return 1;
  }
  const { placeOf, doubts } = read;
  const warnings = [
    ...warningsOf(read.tree, { placeOf, ...(doubts === undefined ? {} : { doubts }) }),
    ...(read.warnings ?? []),
  ];
  for (const { message, line, column } of warnings) console.error(`${file}:${line}:${column}: warning: ${message}`);
  console.log(
    warnings.length === 0
      ? `${file}: good (${read.format})`
      : `${file}: ${isStrict ? 'not good' : 'good'} (${read.format}), with warnings`,
  );
  return isStrict && warnings.length > 0 ? 1 : 0;
}
