import { readFileSync, statSync } from 'node:fs';
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { nearest } from '../../language/nearest.ts';
import type { Json } from '../../model/json.ts';
import { keyOf, SETTINGS } from './table.ts';

/* The file of settings: YAML 1.2, of which JSON is a part. Its keys are the names of the settings in lower case. */

export const FILE_BYTES_MAX = 1_000_000;

/** One value of the file as a text, and where it stands ("rota.yaml:3:7"). */
export type FromFile = { readonly text: string; readonly place: string };

export type FileRead = {
  /** By the name of the setting. */
  readonly values: ReadonlyMap<string, FromFile>;
  readonly complaints: readonly string[];
};

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the file. Never throws: whatever is wrong is a complaint with its line and column. */
export function readSettingsFile(path: string, environment: Environment): FileRead {
  let content: string;
  try {
    if (statSync(path).size > FILE_BYTES_MAX)
      return { values: new Map(), complaints: [`${path} is larger than ${FILE_BYTES_MAX} bytes`] };
    content = readFileSync(path, 'utf8');
  } catch (error) {
    return { values: new Map(), complaints: [`${path} cannot be read: ${reasonOf(error)}`] };
  }
  return readSettingsText(content, path, environment);
}

export function readSettingsText(content: string, path: string, environment: Environment): FileRead {
  const values = new Map<string, FromFile>();
  const complaints: string[] = [];
  const lineCounter = new LineCounter();
  const placeAt = (offset: number): string => {
    const { line, col } = lineCounter.linePos(offset);
    return `${path}:${Math.max(1, line)}:${Math.max(1, col)}`;
  };
  const complain = (node: unknown, complaint: string): void => {
    complaints.push(`${placeAt((node as Node | null)?.range?.[0] ?? 0)}: ${complaint}`);
  };

  const document = parseDocument(content, {
    lineCounter,
    prettyErrors: false,
    schema: 'core',
    strict: true,
    stringKeys: true,
    uniqueKeys: true,
    version: '1.2',
  });
  for (const error of [...document.errors, ...document.warnings])
    complaints.push(`${placeAt(error.pos[0])}: ${error.message}`);
  const root = document.contents;
  if (complaints.length > 0 || root === null) return { values, complaints };
  if (!isMap(root)) {
    complain(root, 'the file must hold settings, such as `port: 8080`');
    return { values, complaints };
  }
  for (const { key, value } of root.items) {
    const word = isScalar(key) ? String(key.value) : '';
    const known = SETTINGS.find((one) => keyOf(one.name) === word || (one.secret && fileKeyOf(one.name) === word));
    if (known === undefined) {
      const near = nearest(word.toLowerCase(), [...KEYS]);
      complain(key, `there is no setting ${JSON.stringify(word)}${near === null ? '' : `; did you mean ${near}?`}`);
      continue;
    }
    const name = word === keyOf(known.name) ? known.name : `${known.name}_FILE`;
    const read = known.structured === true ? structureText(value, environment) : valueText(value, environment);
    if ('wrong' in read) complain(read.node, `${word} ${read.wrong}`);
    else if (read.text !== null)
      values.set(name, { text: read.text, place: placeAt((value as Node | null)?.range?.[0] ?? 0) });
  }
  return { values, complaints };
}

const fileKeyOf = (name: string): string => `${keyOf(name)}_file`;
const KEYS: readonly string[] = SETTINGS.flatMap((one) =>
  one.secret ? [keyOf(one.name), fileKeyOf(one.name)] : [keyOf(one.name)],
);

type ValueText = { readonly text: string | null } | { readonly wrong: string; readonly node: unknown };

/** A value as the environment would have it: lists joined by commas, `true` as 1; null for nothing. */
function valueText(node: unknown, environment: Environment): ValueText {
  if (node === null || node === undefined) return { text: null };
  if (isAlias(node)) return { wrong: 'must be written out: aliases are not allowed', node };
  if (isSeq(node)) {
    const parts: string[] = [];
    for (const item of node.items) {
      if (!isScalar(item)) return { wrong: 'must be a list of plain values', node: item };
      const part = valueText(item, environment);
      if ('wrong' in part) return part;
      parts.push(part.text ?? '');
    }
    return { text: parts.join(',') };
  }
  if (!isScalar(node)) return { wrong: 'must be a plain value or a list', node };
  const { value } = node;
  if (value === null) return { text: null };
  if (typeof value === 'boolean') return { text: value ? '1' : '0' };
  // As it is written: 0x10 is no port, though it is a number.
  if (typeof value === 'number' || typeof value === 'bigint') return { text: node.source ?? String(value) };
  if (typeof value !== 'string') return { wrong: 'must be a text, a number, true or false', node };
  const put = substituted(value, environment);
  return 'wrong' in put ? { wrong: put.wrong, node } : put;
}

/** What is built of lists and names as JSON; each text in it may hold `${…}`. */
function structureText(node: unknown, environment: Environment): ReturnType<typeof valueText> {
  const builtOf = (one: unknown): Json => {
    if (isMap(one)) return Object.fromEntries(one.items.map(({ key, value }) => [String(key), builtOf(value)]));
    if (isSeq(one)) return one.items.map(builtOf);
    if (isScalar(one) && typeof one.value === 'string') {
      const put = substituted(one.value, environment);
      if ('wrong' in put) throw new Unfit(put.wrong, one);
      return put.text;
    }
    if (isScalar(one) && (one.value === null || typeof one.value === 'number' || typeof one.value === 'boolean'))
      return one.value;
    throw new Unfit('must be built of lists, names, texts and numbers', one);
  };
  try {
    return { text: JSON.stringify(builtOf(node)) };
  } catch (error) {
    if (error instanceof Unfit) return { wrong: error.message, node: error.node };
    throw error;
  }
}

/** Something in a structure cannot be read. */
class Unfit extends Error {
  readonly node: unknown;
  constructor(wrong: string, node: unknown) {
    super(wrong);
    this.node = node;
  }
}

/**
 * Puts `${NAME}`, `${NAME:-otherwise}` and `${file:/path}` in; `$${` stands for `${`. This happens after parsing, so what is put in is
 * always a text and never structure.
 */
function substituted(text: string, environment: Environment): { readonly text: string } | { readonly wrong: string } {
  let wrong: string | null = null;
  if (text.replace(REFERENCE, '').includes('${'))
    return { wrong: 'holds a ${ without its }; a plain one is written $${' };
  const put = text.replace(REFERENCE, (whole, inner: string | undefined) => {
    if (inner === undefined) return '${';
    if (inner.includes('${')) {
      wrong ??= 'holds one ${…} inside of another, which is not understood';
      return '';
    }
    if (inner.startsWith('file:')) {
      try {
        return readSecretFile(inner.slice('file:'.length));
      } catch (error) {
        wrong ??= `names a file that cannot be read: ${reasonOf(error)}`;
        return '';
      }
    }
    const [, name = '', otherwise] = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s.exec(inner) ?? [];
    if (name === '') {
      wrong ??= `holds ${whole}, but must be \${NAME}, \${NAME:-otherwise} or \${file:/path}`;
      return '';
    }
    const value = environment[name];
    if (value !== undefined && value !== '') return value;
    if (otherwise !== undefined) return otherwise;
    wrong ??= `names \${${name}}, which is not set; set it, or write \${${name}:-otherwise}`;
    return '';
  });
  return wrong === null ? { text: put } : { wrong };
}

const REFERENCE = /\$\$\{|\$\{([^}]*)\}/g;

/** What a file holds, without the newline at its end. @throws when it cannot be read or is too large for a setting */
export function readSecretFile(path: string): string {
  if (statSync(path).size > FILE_BYTES_MAX) throw new Error(`${path} is larger than ${FILE_BYTES_MAX} bytes`);
  return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
}

export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
