import { readFileSync } from 'node:fs';
import { UsageError } from '../command.ts';
import type { Flags } from '../settings.ts';
import { textFlag, textFlags } from './remote.ts';

/* Values that are given on the command line or in files. */

export type Value = Readonly<Record<string, unknown>>;

export const fieldFlags = {
  field: { type: 'string', multiple: true },
  fields: { type: 'string' },
} as const;

/** A file as text, `-` is standard input. @throws UsageError when it cannot be read */
export function readText(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** JSON as it stands, or with `@` before it the name of a file that holds it. */
export function readJson(given: string, flag: string): unknown {
  const text = given.startsWith('@') ? readText(given.slice(1)) : given;
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new UsageError(`${flag} is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

export function readObject(given: string, flag: string): Value {
  const value = readJson(given, flag);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Value;
  throw new UsageError(`${flag} must be a JSON object`);
}

/** The fields of `--fields @file.json` with those of each `--field k=text` and `--field k:=json` over them; absent: none was given. */
export function fieldsOf(flags: Flags): Value | undefined {
  const all = textFlag(flags, 'fields');
  const single = textFlags(flags, 'field');
  if (all === undefined && single.length === 0) return undefined;
  const pairs = single.map((one): readonly [string, unknown] => {
    const [, name = '', sign, text = ''] = /^([^=]*?)(:?=)(.*)$/s.exec(one) ?? [];
    if (name === '') throw new UsageError(`--field ${one} must be name=text or name:=json`);
    return [name, sign === ':=' ? readJson(text, `--field ${name}`) : text];
  });
  return { ...(all === undefined ? {} : readObject(all, '--fields')), ...Object.fromEntries(pairs) };
}

/** `name=text` pairs of a flag such as --filter. */
export function pairsOf(flags: Flags, flag: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    textFlags(flags, flag).map((one) => {
      const at = one.indexOf('=');
      if (at < 1) throw new UsageError(`--${flag} ${one} must be name=value`);
      return [one.slice(0, at), one.slice(at + 1)];
    }),
  );
}

/** An object without the members that were not given. */
export const given = (members: Readonly<Record<string, unknown>>): Value =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));

/** One cell of a line for people. */
export const cell = (value: unknown): string =>
  value === null || value === undefined ? '-' : typeof value === 'object' ? JSON.stringify(value) : String(value);

/** Members of an item as one line. */
export const lineOf =
  (...names: readonly string[]) =>
  (item: Value): string =>
    names.map((name) => cell(item[name])).join('  ');
