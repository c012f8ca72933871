import { isObject, type Json } from '../model/json.ts';
import { definitionName } from '../model/reorganise.ts';
import { isStorable, UNSTORABLE } from '../model/storable.ts';
import { DEFINE_NAMES, type Tree } from '../model/tree.ts';
import { REFUSED_NAMES } from '../model/vocabulary.ts';
import { quoted } from './complaint.ts';
import type { Limits } from './limits.ts';

/** What is wrong with one node; `path` are the child indexes that lead to it. */
export type Fault = { readonly message: string; readonly node: Tree; readonly path: readonly number[] };

/** The children of these are data (rules, parameters) and never run. */
const DATA_BELOW: ReadonlySet<string> = new Set(['filter', 'participant']);

/**
 * Finds what makes a tree no legal definition, whatever the format it came in: limits, texts that cannot be stored,
 * refused expressions, definitions that could never be called (docs/definitions.md).
 *
 * @returns in document order, at most `limits.complaints`; empty for a legal tree
 */
export function checkTree(root: Tree, limits: Limits): readonly Fault[] {
  return faultsIn(root, limits, 'all');
}

/**
 * The same in two halves, for a tree that is converted and not run.
 *
 * @returns `form`: limits, texts that cannot be stored; `meaning`: what a launch would refuse besides
 */
export const checkApart = (
  root: Tree,
  limits: Limits,
): { readonly form: readonly Fault[]; readonly meaning: readonly Fault[] } => {
  const form = faultsIn(root, limits, 'form');
  return { form, meaning: form.length > 0 ? [] : faultsIn(root, limits, 'all') };
};

function faultsIn(root: Tree, limits: Limits, which: 'all' | 'form'): readonly Fault[] {
  const faults: Fault[] = [];
  const path: number[] = [];
  let nodes = 0;
  visit(root, which === 'all');
  return faults;

  function fault(node: Tree, message: string): void {
    if (faults.length < limits.complaints) faults.push({ message, node, path: [...path] });
  }

  function visit(node: Tree, runs: boolean): void {
    nodes += 1;
    if (nodes > limits.nodes) {
      if (nodes === limits.nodes + 1) fault(node, `more than ${limits.nodes} expressions`);
      return;
    }
    checkName(node);
    checkAttributes(node);
    if (runs) checkMeaning(node);
    if (path.length + 1 >= limits.depth && node.children.length > 0) {
      fault(node, `expressions are nested more than ${limits.depth} deep`);
      return;
    }
    const childrenRun = runs && !DATA_BELOW.has(node.name);
    for (const [index, child] of node.children.entries()) {
      path.push(index);
      visit(child, childrenRun);
      path.pop();
    }
  }

  function checkName(node: Tree): void {
    if (node.name.trim() === '') fault(node, 'an expression without a name');
    else if (!isStorable(node.name)) fault(node, `the name ${quoted(node.name)} ${UNSTORABLE}`);
  }

  function checkAttributes(node: Tree): void {
    if (node.attributes.size > limits.attributes)
      fault(node, `${quoted(node.name)} has more than ${limits.attributes} attributes`);
    for (const [key, value] of node.attributes) {
      if (!isStorable(key)) fault(node, `an attribute name of ${quoted(node.name)} ${UNSTORABLE}`);
      const trouble = valueTrouble(value, limits.valueDepth);
      if (trouble !== null) fault(node, `the attribute ${quoted(key)} of ${quoted(node.name)} ${trouble}`);
    }
  }

  function checkMeaning(node: Tree): void {
    if (node.name.startsWith('bpmn:'))
      fault(node, `${quoted(node.name)} is part of a BPMN file, which is given as XML`);
    if (REFUSED_NAMES.has(node.name)) fault(node, `the expression ${quoted(node.name)} is not supported and refused`);
    if (path.length > 0 && DEFINE_NAMES.has(node.name) && definitionName(node) === null)
      fault(node, `${quoted(node.name)} inside a definition needs a name`);
    if (node.name === 'subprocess' && node.attributes.has('engine'))
      fault(node, 'there is one engine only: "subprocess" takes no attribute "engine"');
    if ((node.name === 'loop' || node.name === 'repeat') && node.children.length === 0)
      fault(node, `${quoted(node.name)} has nothing to repeat`);
    if ((node.name === 'cron' || node.name === 'every') && node.children.length === 0)
      fault(node, `${quoted(node.name)} has nothing to run`);
  }
}

function valueTrouble(value: Json, depthLeft: number): string | null {
  if (typeof value === 'string') return isStorable(value) ? null : UNSTORABLE;
  if (typeof value === 'number') return Number.isFinite(value) ? null : 'is a number that JSON cannot hold';
  if (typeof value !== 'object' || value === null) return null;
  if (depthLeft === 0) return 'nests lists and objects too deep';
  if (isObject(value)) {
    for (const key of Object.keys(value)) if (!isStorable(key)) return UNSTORABLE;
  }
  for (const item of Object.values(value)) {
    const trouble = valueTrouble(item as Json, depthLeft - 1);
    if (trouble !== null) return trouble;
  }
  return null;
}
