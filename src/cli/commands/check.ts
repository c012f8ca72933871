import { readFileSync } from 'node:fs';
import { readDefinition } from '../../definition/read.ts';
import { warningsOf } from '../../definition/warnings.ts';
import type { Flags } from '../settings.ts';

/**
 * Reads process definitions from files, or from standard input where a file is `-`. Warnings are told on standard error and do not make
 * a definition a bad one, unless `--strict` says so. With `--json` each file is a line: `file`, `valid`, `format` (null: it is none), `errors`, `warnings`.
 */
export async function check(files: readonly string[], flags: Flags): Promise<number> {
  // Each is looked at, so that all complaints are there at once.
  const checked = files.map((file) => checkOne(file, flags['strict'] === true));
  for (const one of checked) {
    if (flags['json'] === true) console.log(JSON.stringify(one));
    else tell(one, flags['quiet'] === true);
  }
  return checked.every(({ valid }) => valid) ? 0 : 1;
}

type Told = { readonly message: string; readonly line?: number; readonly column?: number };
type Checked = {
  readonly file: string;
  readonly valid: boolean;
  readonly format: string | null;
  readonly errors: readonly Told[];
  readonly warnings: readonly (Told & { readonly code: string })[];
};

function checkOne(file: string, isStrict: boolean): Checked {
  const bad = (errors: readonly Told[]): Checked => ({ file, valid: false, format: null, errors, warnings: [] });
  let text: string;
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    return bad([{ message: `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}` }]);
  }
  const read = readDefinition(text);
  if (!read.ok) return bad(read.errors.map(({ message, line, column }) => ({ message, line, column })));
  const { placeOf, doubts, format } = read;
  const warnings = [
    ...warningsOf(read.tree, { placeOf, ...(doubts === undefined ? {} : { doubts }) }),
    ...(read.warnings ?? []),
  ];
  return { file, valid: !isStrict || warnings.length === 0, format, errors: [], warnings };
}

/** For people: complaints on standard error, one line for each file on standard output. */
function tell({ file, valid, format, errors, warnings }: Checked, isQuiet: boolean): void {
  const line = ({ message, line: at, column }: Told, kind: string): string =>
    at === undefined ? message : `${file}:${at}:${column ?? 1}: ${kind}${message}`;
  for (const one of errors) console.error(line(one, ''));
  for (const one of warnings) console.error(line(one, 'warning: '));
  if (format === null || isQuiet) return;
  console.log(`${file}: ${valid ? 'good' : 'not good'} (${format})${warnings.length === 0 ? '' : ', with warnings'}`);
}
