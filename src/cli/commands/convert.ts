import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  convertDefinition,
  indexesOf,
  needsRuby,
  SOURCE_FORMATS,
  type SourceFormat,
  TARGET_FORMATS,
  type TargetFormat,
} from '../../definition/convert.ts';
import { loadRuby } from '../../server/prism.ts';
import type { Flags } from '../settings.ts';

export const convertFlags = {
  from: { type: 'string' },
  to: { type: 'string' },
  name: { type: 'string' },
  all: { type: 'boolean' },
  out: { type: 'string' },
} as const;

const EXTENSION: Readonly<Record<TargetFormat, string>> = { radial: 'radial', xml: 'xml', json: 'json' };

/**
 * Writes a definition in another format on standard output; Ruby is read and never run. What is probably not meant is told on standard
 * error.
 *
 * @returns 0; 1 when it is refused or cannot be said in the other format; 2 when there are several and none was chosen
 */
export async function convert(words: readonly string[], flags: Flags): Promise<number> {
  const [file = '-'] = words;
  const from = flags['from'] ?? (file.endsWith('.rb') ? 'ruby' : null);
  const to = flags['to'] ?? 'radial';
  if (from !== null && !isOneOf(SOURCE_FORMATS, from)) return usage(`--from is one of ${SOURCE_FORMATS.join(', ')}`);
  if (!isOneOf(TARGET_FORMATS, to)) return usage(`--to is one of ${TARGET_FORMATS.join(', ')}`);
  const { name, all, out } = flags;
  if (all === true && (typeof out !== 'string' || name !== undefined))
    return usage('--all wants --out with a folder, and no --name');
  if (all !== true && out !== undefined) return usage('--out goes with --all');
  let text: string;
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    console.error(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
  const parse = needsRuby(text, from) ? await loadRuby() : () => null;
  const result = convertDefinition(text, { from, to, parse });
  if (!result.ok) return refused(file, result.errors);
  const { found } = result;
  if (all === true) return writeAll(file, result, to, String(out));
  const indexes = indexesOf(found, typeof name === 'string' ? name : null);
  const [index] = indexes;
  if (index === undefined || indexes.length > 1) {
    console.error(
      index === undefined
        ? `${file} has no definition named ${JSON.stringify(name)}. It has`
        : `${file} has several definitions: choose one with --name, or take --all --out <folder>. It has`,
    );
    for (const one of found) console.error(`  ${one.name ?? '(without a name)'} in line ${one.line}`);
    return 2;
  }
  const one = result.convert(index);
  if (!one.ok) return refused(file, one.errors);
  warn(file, one.warnings);
  process.stdout.write(one.text);
  return 0;
}

type Conversion = Extract<ReturnType<typeof convertDefinition>, { readonly ok: true }>;

/** All or none: nothing is written when one of them is refused. */
function writeAll(file: string, result: Conversion, to: TargetFormat, folder: string): number {
  const converted = [...result.found.keys()].map((index) => result.convert(index));
  const errors = converted.flatMap((one) => (one.ok ? [] : one.errors));
  if (errors.length > 0) return refused(file, errors);
  const taken = new Set<string>();
  mkdirSync(folder, { recursive: true });
  for (const [index, one] of converted.entries()) {
    if (!one.ok) continue;
    warn(file, one.warnings);
    const path = join(folder, `${fileName(one.name ?? `definition-${index + 1}`, taken)}.${EXTENSION[to]}`);
    writeFileSync(path, one.text);
    console.log(path);
  }
  return 0;
}

/** Letters, digits and dashes of a name, with a number where another definition has it already. */
function fileName(name: string, taken: Set<string>): string {
  const plain =
    name
      .replace(/[^\p{L}\p{N}_.-]+/gu, '-')
      .replace(/^[.-]+/, '')
      .slice(0, 100) || 'definition';
  let unique = plain;
  for (let n = 2; taken.has(unique); n++) unique = `${plain}-${n}`;
  taken.add(unique);
  return unique;
}

const isOneOf = <Word extends SourceFormat | TargetFormat>(words: readonly Word[], word: unknown): word is Word =>
  words.some((one) => one === word);

function usage(message: string): number {
  console.error(message);
  return 2;
}

type Complaints = readonly { readonly message: string; readonly line: number; readonly column: number }[];

function refused(file: string, errors: Complaints): number {
  for (const { message, line, column } of errors) console.error(`${file}:${line}:${column}: ${message}`);
  return 1;
}

function warn(file: string, warnings: Complaints): void {
  for (const { message, line, column } of warnings) console.error(`${file}:${line}:${column}: warning: ${message}`);
}
