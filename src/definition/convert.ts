import { definitionName } from '../model/reorganise.ts';
import type { Tree } from '../model/tree.ts';
import { type Complaint, type Place, quoted } from './complaint.ts';
import { type Printed, printJson, printRadial, printXml } from './print.ts';
import { readDefinition } from './read.ts';
import type { Doubts } from './reading.ts';
import { looksLikeRuby, type RubyFound, readRuby } from './ruby/read.ts';
import type { ParseRuby } from './ruby/syntax.ts';
import { warningsOf } from './warnings.ts';

export type SourceFormat = 'ruby' | 'radial' | 'xml' | 'json';
export type TargetFormat = 'radial' | 'xml' | 'json';
export const SOURCE_FORMATS: readonly SourceFormat[] = ['ruby', 'radial', 'xml', 'json'];
export const TARGET_FORMATS: readonly TargetFormat[] = ['radial', 'xml', 'json'];

/** `name` is null where the definition has none. */
export type NamedPlace = Place & { readonly name: string | null };
export type Converted = {
  readonly ok: true;
  readonly text: string;
  readonly tree: Tree;
  readonly name: string | null;
  /** Legal and probably not meant, or left out. */
  readonly warnings: readonly Complaint[];
};
export type Conversion =
  | {
      readonly ok: true;
      readonly from: SourceFormat;
      /** All definitions of the text; only Ruby may have several. */
      readonly found: readonly NamedPlace[];
      /** Reads and prints one of them. */
      readonly convert: (index: number) => Converted | { readonly ok: false; readonly errors: readonly Complaint[] };
    }
  | { readonly ok: false; readonly errors: readonly Complaint[] };

const PRINT: Readonly<Record<TargetFormat, (tree: Tree) => Printed>> = {
  radial: printRadial,
  xml: printXml,
  json: (tree) => ({ ok: true, text: printJson(tree) }),
};

/** True when the text has to be read by Ruby's parser. */
export const needsRuby = (text: string, from: SourceFormat | null): boolean =>
  from === 'ruby' || (from === null && looksLikeRuby(text));

/**
 * One definition in another format: the same tree, or a complaint about what the other format cannot say.
 *
 * @param from null: told by the text
 * @param parse Ruby's parser; only called when `needsRuby` says so
 */
export function convertDefinition(
  text: string,
  { from, to, parse }: { readonly from: SourceFormat | null; readonly to: TargetFormat; readonly parse: ParseRuby },
): Conversion {
  return needsRuby(text, from) ? fromRuby(text, to, parse) : fromText(text, from, to);
}

function fromRuby(text: string, to: TargetFormat, parse: ParseRuby): Conversion {
  const result = readRuby(text, parse);
  if (!result.ok) return result;
  const { found } = result;
  const convert = (index: number): ReturnType<Extract<Conversion, { ok: true }>['convert']> => {
    const one = found[index] as RubyFound;
    const read = one.read();
    return read.ok ? printed(read, one, to, read.warnings) : read;
  };
  return { ok: true, from: 'ruby', found: found.map(({ name, place }) => ({ name, ...place })), convert };
}

function fromText(text: string, from: SourceFormat | null, to: TargetFormat): Conversion {
  const read = readDefinition(text);
  if (!read.ok) return read;
  const refused = (message: string): Conversion => ({ ok: false, errors: [{ message, line: 1, column: 1 }] });
  const { format } = read;
  if (format === 'bpmn') return refused('BPMN is a language of its own, which the other formats cannot say');
  if (from !== null && from !== format) return refused(`the text is ${format}, not ${from}`);
  const place = read.placeOf(read.tree);
  const name = definitionName(read.tree);
  return {
    ok: true,
    from: format,
    found: [{ name, ...place }],
    convert: () => printed(read, { name, place }, to, []),
  };
}

function printed(
  read: { readonly tree: Tree; readonly placeOf: (node: Tree) => Place; readonly doubts?: Doubts },
  { name, place }: { readonly name: string | null; readonly place: Place },
  to: TargetFormat,
  leftOut: readonly Complaint[],
): ReturnType<Extract<Conversion, { ok: true }>['convert']> {
  const { tree } = read;
  const text = PRINT[to](tree);
  if (!text.ok) return { ok: false, errors: [{ message: `${to} cannot say it: ${text.message}`, ...place }] };
  const warnings = warningsOf(tree, read).map(({ message, line, column }) => ({
    message,
    line: line ?? place.line,
    column: column ?? place.column,
  }));
  return { ok: true, text: text.text, tree, name, warnings: [...leftOut, ...warnings] };
}

/** Where the definitions of this name stand among those that were found; null: all of them. */
export const indexesOf = (found: readonly NamedPlace[], name: string | null): readonly number[] =>
  [...found.keys()].filter((index) => name === null || found[index]?.name === name);

export type Chosen =
  | (Converted & { readonly from: SourceFormat; readonly found: readonly NamedPlace[] })
  | { readonly ok: false; readonly errors: readonly Complaint[] };

/** The definition of this name, or the only one. */
export function convertOne(
  text: string,
  options: Parameters<typeof convertDefinition>[1] & { readonly name: string | null },
): Chosen {
  const { name } = options;
  const all = convertDefinition(text, options);
  if (!all.ok) return all;
  const { found, from } = all;
  const matching = indexesOf(found, name);
  const [first] = matching;
  if (first !== undefined && matching.length === 1) {
    const one = all.convert(first);
    return one.ok ? { ...one, from, found } : one;
  }
  const listed = found
    .slice(0, NAMES_SHOWN_MAX)
    .map((one) => `${one.name ?? 'one without a name'} in line ${one.line}`);
  const those = `${listed.join(', ')}${found.length > NAMES_SHOWN_MAX ? ', …' : ''}`;
  const message =
    first === undefined
      ? `there is no definition named ${quoted(name ?? '')}; there is ${those}`
      : `there are several definitions, so name the one that is meant: ${those}`;
  const { line, column } = found[first ?? 0] ?? { line: 1, column: 1 };
  return { ok: false, errors: [{ message, line, column }] };
}

/** Definitions that a complaint lists. */
const NAMES_SHOWN_MAX = 20;
