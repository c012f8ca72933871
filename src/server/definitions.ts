import { createHash } from 'node:crypto';
import type { Parts } from '../api/parts.ts';
import { convertOne, needsRuby } from '../definition/convert.ts';
import { nearestName } from '../definition/near-names.ts';
import { detectFormat, type ReadResult, readDefinition, readTree } from '../definition/read.ts';
import { type Warning, warningsOf } from '../definition/warnings.ts';
import { urlFor } from '../language/callbacks.ts';
import { definitionName, reorganise } from '../model/reorganise.ts';
import { DEFINE_NAMES, type Tree, textKey, treeToStored } from '../model/tree.ts';
import { isExpressionHead } from '../model/vocabulary.ts';
import { makeBoundedMap } from '../runtime/bounded.ts';
import { loadRuby } from './prism.ts';

type Definitions = Parts['definitions'];

/** Definitions that were launched lately are not read again, up to this many characters of their texts; trees take some ten times that. */
const KEPT_CHARACTERS_MAX = 1_000_000;

const noRuby = (): never => {
  throw new Error('This text is not in Ruby');
};

/** Reading and preparing definitions, for the API. */
export function makeDefinitions(): Definitions {
  const kept = makeBoundedMap<ReadResult>(KEPT_CHARACTERS_MAX);
  /** Trees that have lines and columns. */
  const fromText = new WeakSet<Tree>();
  /** What was last said of a tree: with callbacks for the participants of these names (null: one for all). */
  const warned = new WeakMap<Tree, { readonly names: string | null; readonly warnings: readonly Warning[] }>();
  const prepared = new WeakMap<Tree, ReturnType<Definitions['prepare']>>();
  return {
    read: (definition, choice = {}) => {
      if (typeof definition !== 'string') return readTree(definition);
      const { process = null, start = null } = choice;
      const key = process === null && start === null ? definition : JSON.stringify([process, start, definition]);
      const known = kept.get(key);
      if (known !== undefined) return known;
      const read = readDefinition(definition, choice);
      if (!read.ok) return read;
      fromText.add(read.tree);
      kept.set(key, read, key.length);
      return read;
    },
    prepare: (written) => {
      const known = prepared.get(written);
      if (known !== undefined) return known;
      const { tree, name: given, revision } = reorganise(written);
      // A diagram is called as its process is.
      const called = tree.name === 'bpmn:process' ? tree.attributes.get('name') : undefined;
      const name = typeof called === 'string' ? called : given;
      const text = JSON.stringify(treeToStored(tree));
      const ready = { tree, name, revision, text, hash: createHash('sha256').update(text).digest('hex') };
      prepared.set(written, ready);
      return ready;
    },
    warnings: (read, callbacks) => {
      // The warnings are about another language.
      if (read.tree.name.startsWith('bpmn:')) return [];
      // The same definition is launched again and again, for the same participants mostly.
      const names = callbacks === null ? null : Object.keys(callbacks).sort().join('\n');
      const known = warned.get(read.tree);
      if (known !== undefined && known.names === names) return known.warnings;
      const { placeOf, doubts } = read as Extract<ReadResult, { ok: true }>;
      const warnings = warningsOf(read.tree, {
        ...(callbacks === null ? {} : { callbacks }),
        ...(fromText.has(read.tree) ? { placeOf } : {}),
        ...(doubts === undefined ? {} : { doubts }),
      });
      warned.set(read.tree, { names, warnings });
      return warnings;
    },
    formatOf: detectFormat,
    hasAddress: (callbacks, participant) => urlFor(callbacks, participant) !== null,
    convert: async (text, options) => {
      const parse = needsRuby(text, options.from) ? await loadRuby() : noRuby;
      const result = convertOne(text, { ...options, parse });
      return result.ok ? { ...result, names: result.found } : result;
    },
    nearest: nearestName,
    participants: (tree) => participantsOf(tree),
  };
}

/**
 * The participants a tree names: heads that are neither expressions nor defined in the tree, and the names of `participant`.
 * Names that are only known when it runs (`${…}`, variables) are left out.
 */
function participantsOf(root: Tree): readonly string[] {
  const defined = new Set<string>();
  const found = new Set<string>();
  const collect = (tree: Tree): void => {
    if (DEFINE_NAMES.has(tree.name)) {
      const name = definitionName(tree);
      if (name !== null) defined.add(name);
    }
    tree.children.forEach(collect);
  };
  const visit = (tree: Tree): void => {
    const name = calledBy(tree);
    if (name !== null && !name.includes('$')) found.add(name);
    // What stands below a participant is handed to it, not run.
    if (tree.name !== 'participant' && tree.name !== 'filter') tree.children.forEach(visit);
  };
  collect(root);
  visit(root);
  return [...found].filter((name) => !defined.has(name)).sort();
}

function calledBy(tree: Tree): string | null {
  // Of BPMN the tasks that ask somebody, by their ids: what names them depends on the callbacks.
  if (tree.name.startsWith('bpmn:')) return tree.attributes.has('names') ? String(tree.attributes.get('id')) : null;
  if (!isExpressionHead(tree)) return tree.name;
  if (tree.name !== 'participant' && tree.name !== 'ref') return null;
  const ref = tree.attributes.get('ref') ?? textKey(tree);
  return typeof ref === 'string' ? ref : null;
}
