import { readFileSync } from 'node:fs';
import { readDefinition } from '../../definition/read.ts';
import { warningsOf } from '../../definition/warnings.ts';

/**
 * Reads a process definition from a file, or from standard input when the file is `-`. Warnings are told on standard
 * error and do not make the definition a bad one.
 */
export async function check(words: readonly string[]): Promise<number> {
  const [file, ...others] = words;
  if (file === undefined || others.length > 0) {
    console.error('Give one file: rota check order.xml (or - for standard input)');
    return 2;
  }
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
  const warnings = warningsOf(read.tree, { placeOf, ...(doubts === undefined ? {} : { doubts }) });
  for (const { message, line, column } of warnings) console.error(`${file}:${line}:${column}: warning: ${message}`);
  console.log(
    warnings.length === 0 ? `${file}: good (${read.format})` : `${file}: good (${read.format}), with warnings`,
  );
  return 0;
}
