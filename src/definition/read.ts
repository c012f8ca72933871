import { isObject, type Json } from '../model/json.ts';
import type { Tree } from '../model/tree.ts';
import { EXPRESSION_NAMES } from '../model/vocabulary.ts';
import { looksLikeBpmn, readBpmn } from './bpmn/read.ts';
import { checkTree } from './check.ts';
import { type Complaint, complaintAt, type Place, placeAt, Refusal } from './complaint.ts';
import { readJson } from './json.ts';
import { LIMITS, type Limits } from './limits.ts';
import { readRadial } from './radial.ts';
import { type Doubts, pathText, type Reading } from './reading.ts';
import type { Warning } from './warnings.ts';
import { readXml } from './xml.ts';

export type { Complaint } from './complaint.ts';

export type Format = 'xml' | 'json' | 'radial' | 'bpmn';
export type ReadResult =
  | {
      readonly ok: true;
      readonly tree: Tree;
      readonly format: Format;
      /** Where a node of the tree begins in the text; line 1, column 1 when there was no text. */
      readonly placeOf: (node: Tree) => Place;
      /** Of Radial: nodes that are probably not meant as they are written. */
      readonly doubts?: Doubts;
      /** Of BPMN: what was probably not meant, or is not heeded. */
      readonly warnings?: readonly Warning[];
    }
  | { readonly ok: false; readonly errors: readonly Complaint[] };
export type ReadOptions = {
  readonly limits?: Partial<Limits>;
  /** Of BPMN: the id of the process to run, and of the start event to begin with. */
  readonly process?: string | null;
  readonly start?: string | null;
};

const RUBY = /\bRuote\.(?:process_definition|workflow_definition|define)\b/;
const RUBY_REFUSED =
  'definitions in Ruby are not launched, because Ruby would run them; rota convert, or POST /v1/definitions/convert, makes Radial of them';

/**
 * Reads a process definition (docs/definitions.md): text in, tree out.
 *
 * The first character tells the format, `<` XML, `[` or `{` JSON, anything else Radial; a byte order mark and white
 * space before it do not count. Text is only ever read, never opened as a file or URL, never run.
 *
 * @returns the tree as written (see reorganise.ts for what a launch makes of it), or every complaint with its place.
 *   Never throws for a bad definition.
 */
export function readDefinition(text: string, options: ReadOptions = {}): ReadResult {
  const limits = { ...LIMITS, ...options.limits };
  const body = text.startsWith('\uFEFF') ? text.slice(1) : text;
  if (body.length > limits.bytes || bytesOf(body) > limits.bytes) return refused(body, 0, tooBig(limits));

  const format = detectFormat(body);
  try {
    if (format === 'bpmn') return readBpmnText(body, limits, options);
    const reading = READERS[format](body, limits);
    if (format === 'radial') {
      const ruby = RUBY.exec(reading.tree.name);
      if (ruby !== null) return refused(body, offsetOf(reading, reading.tree) + ruby.index, RUBY_REFUSED);
      if (isLoneUnknownWord(reading.tree)) return refused(body, offsetOf(reading, reading.tree), LONE_WORD);
    }
    const faults = checkTree(reading.tree, limits);
    if (faults.length === 0) {
      const placeOf = (node: Tree): Place => placeAt(body, offsetOf(reading, node));
      const { tree, doubts } = reading;
      return { ok: true, tree, format, placeOf, ...(doubts === undefined ? {} : { doubts }) };
    }
    const errors = faults.map(({ message, node, path }) =>
      complaintAt(body, offsetOf(reading, node), format === 'json' ? `${message} (at ${pathText(path)})` : message),
    );
    return { ok: false, errors };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const ruby = format === 'radial' ? RUBY.exec(body) : null;
    return ruby === null ? refused(body, error.offset, error.message) : refused(body, ruby.index, RUBY_REFUSED);
  }
}

/**
 * Takes a definition that came as data, `[name, {attributes}, [children]]`, instead of text.
 *
 * There are no lines here: every complaint has line 1, column 1 and the path of the node in its message.
 */
export function readTree(value: Json, options: ReadOptions = {}): ReadResult {
  const limits = { ...LIMITS, ...options.limits };
  const complaint = (message: string): ReadResult => ({ ok: false, errors: [{ message, line: 1, column: 1 }] });
  try {
    const tree = treeOf(value, [], limits);
    const faults = checkTree(tree, limits);
    if (faults.length > 0)
      return {
        ok: false,
        errors: faults.map(({ message, path }) => ({
          message: `${message} (at ${pathText(path)})`,
          line: 1,
          column: 1,
        })),
      };
    // Only now: the checks have bounded its depth.
    if (bytesOf(JSON.stringify(value)) > limits.bytes) return complaint(tooBig(limits));
    return { ok: true, tree, format: 'json', placeOf: () => ({ line: 1, column: 1 }) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return complaint(error.message);
  }
}

function readBpmnText(body: string, limits: Limits, { process = null, start = null }: ReadOptions): ReadResult {
  const reading = readBpmn(body, limits, { process, start });
  if (reading.ok)
    return {
      ok: true,
      tree: reading.tree,
      format: 'bpmn',
      placeOf: () => ({ line: 1, column: 1 }),
      warnings: reading.doubts.slice(0, limits.complaints).map(({ code, element, id, message }) => ({
        ...{ code, message, pointer: '', element: id },
        ...placeAt(body, element.offset),
      })),
    };
  const errors = reading.troubles.slice(0, limits.complaints).map(({ element, id, message, unsupported, other }) => ({
    ...complaintAt(
      body,
      element.offset,
      other === undefined ? message : `${message}, on line ${placeAt(body, other.offset).line} too`,
    ),
    element: id,
    ...(unsupported !== undefined && { unsupported }),
  }));
  return { ok: false, errors };
}

const READERS: Readonly<Record<Exclude<Format, 'bpmn'>, (text: string, limits: Limits) => Reading>> = {
  xml: readXml,
  json: readJson,
  radial: readRadial,
};

const LONE_WORD =
  'a single word that is no expression is no definition; to call a participant, put it under a sequence';

const tooBig = (limits: Limits): string => `the definition is bigger than ${limits.bytes} bytes`;

const offsetOf = (reading: Reading, node: Tree): number => reading.offsets.get(node) ?? 0;

const refused = (text: string, offset: number, message: string): ReadResult => ({
  ok: false,
  errors: [complaintAt(text, offset, message)],
});

/** The format of a text, by its first character. */
export function detectFormat(written: string): Format {
  const text = written.startsWith('\uFEFF') ? written.slice(1) : written;
  const first = /[^ \t\r\n\f\v]/.exec(text)?.[0];
  if (first === '<') return looksLikeBpmn(text) ? 'bpmn' : 'xml';
  return first === '[' || first === '{' ? 'json' : 'radial';
}

/** Prose and file names end up here: as Radial they are one node, and would be launched as a participant of that name. */
const isLoneUnknownWord = (tree: Tree): boolean =>
  tree.children.length === 0 && tree.attributes.size === 0 && !EXPRESSION_NAMES.has(tree.name);

function treeOf(value: Json | undefined, path: readonly number[], limits: Limits): Tree {
  const wrong = (what: string): never => {
    throw new Refusal(0, `${what} (at ${pathText(path)})`);
  };
  if (!Array.isArray(value) || value.length !== 3)
    return wrong('a node must be a tree, [name, {attributes}, [children]]');
  if (path.length >= limits.depth) return wrong(`expressions are nested more than ${limits.depth} deep`);
  const [name, attributes, children] = value as readonly Json[];
  if (typeof name !== 'string') return wrong('the name of a node must be a text');
  if (!isObject(attributes)) return wrong('the attributes of a node must be an object');
  if (!Array.isArray(children)) return wrong('the children of a node must be a list');
  return {
    name,
    attributes: new Map(Object.entries(attributes)),
    children: (children as readonly Json[]).map((child, index) => treeOf(child, [...path, index], limits)),
  };
}

/** Bytes in UTF-8. (Not Buffer's count: this file runs in browsers, too.) */
const bytesOf = (text: string): number => new TextEncoder().encode(text).length;
