import { readFileSync } from 'node:fs';
import { readDefinition } from '../../definition/read.ts';

/** Reads a process definition from a file, or from standard input when the file is `-`. */
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
  if (read.ok) {
    console.log(`${file}: good (${read.format})`);
    return 0;
  }
  for (const { message, line, column } of read.errors) console.error(`${file}:${line}:${column}: ${message}`);
  return 1;
}
