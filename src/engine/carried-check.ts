import { checkTree } from '../definition/check.ts';
import { LIMITS as DEFINITION_LIMITS } from '../definition/limits.ts';
import { inspect } from '../interpreter/inspect.ts';
import { decodeHeader, decodeStrand, decodeValue } from '../interpreter/state/encoding.ts';
import { baseFields } from '../interpreter/state/fields.ts';
import { step } from '../interpreter/step.ts';
import { unpackHistory } from '../model/history.ts';
import { type ExpressionId, parseWorkitemId, workitemId } from '../model/ids.ts';
import { isDeeperThan, isObject, type Json, ownValue } from '../model/json.ts';
import type { HistoryRow, Rows, WorkflowRow } from '../model/rows.ts';
import { LIMITS, needKey } from '../model/stimulus.ts';
import { type Tree, treeFromJson } from '../model/tree.ts';
import { retryComplaint } from './retry-rules.ts';

/* A workflow that comes from a file: what a launch and the steps behind it hold to is held once more. */

/** Characters of the lines of one workflow. */
export const CARRIED_CHARACTERS_MAX = 64 * 1024 * 1024;
/** Lists and objects that the packing of strands and messages puts around a value. */
const PACKED_DEPTH = 20;

export type Carried = {
  readonly workflow: WorkflowRow;
  readonly rows: Rows;
  readonly history: readonly HistoryRow[];
  /** Content hash → stored text. */
  readonly definitions: ReadonlyMap<string, string>;
  /** The text as it was posted. */
  readonly source: string | null;
};

/** What is wrong with a file, in a sentence. */
export class CarriedWrong extends Error {
  override readonly name = 'CarriedWrong';
}

/** @param urlComplaint why a URL may not be called, in words behind "the URL" @throws what is wrong, by a decoder in its words */
export function checkCarried(carried: Carried, urlComplaint: (url: string) => string | null): void {
  const trees = checkDefinitions(carried);
  checkWorkflow(carried.workflow, (url) => {
    const complaint = urlComplaint(url);
    if (complaint !== null) throw new CarriedWrong(`the URL ${complaint}`);
  });
  checkStrands(carried);
  checkWorkitems(carried, urlComplaint);
  checkOthers(carried.rows);
  checkHistory(carried);
  checkSteps(carried, trees);
}

const expect = (holds: boolean, what: string): void => {
  if (!holds) throw new CarriedWrong(what);
};

/** @returns the trees, by their content hashes */
function checkDefinitions({ workflow, definitions }: Carried): ReadonlyMap<string, Tree> {
  expect(definitions.has(workflow.definition), 'its definition is not in it');
  const trees = new Map<string, Tree>();
  for (const [hash, text] of definitions) {
    const tree = treeFromJson(JSON.parse(text) as Json);
    if (tree === null) throw new CarriedWrong('a definition is no tree');
    const [fault] = tree.name.startsWith('bpmn:') ? [] : checkTree(tree, DEFINITION_LIMITS);
    expect(fault === undefined, `a definition is not legal: ${fault?.message}`);
    trees.set(hash, tree);
  }
  return trees;
}

/** What is shown of it first, and what can always be done to it, is tried: rows that fit by themselves may not fit together. */
function checkSteps({ workflow, rows }: Carried, trees: ReadonlyMap<string, Tree>): void {
  const loaded = { ...rows, workflow, answered: new Set([needKey({ kind: 'everything' })]), received: new Map() };
  const definition = (hash: string): Tree | undefined => trees.get(hash);
  inspect(loaded, definition);
  if (workflow.endedAt !== null) return;
  const killed = step(
    loaded,
    { now: workflow.updatedAt, seed: '0'.repeat(32), event: { kind: 'kill' } },
    { limits: LIMITS, definition },
  );
  expect(killed.kind === 'stepped', 'something that it names is not in it');
}

const STATUSES = ['running', 'error', 'paused', 'cancelling', 'completed', 'cancelled', 'killed'];

function checkWorkflow(workflow: WorkflowRow, checkUrl: (url: string) => void): void {
  expect(STATUSES.includes(workflow.status), 'its status is none');
  for (const url of urlsIn(JSON.parse(workflow.callbacks) as Json)) checkUrl(url);
  const retry = workflow.retry === null ? null : retryComplaint(JSON.parse(workflow.retry) as Json);
  expect(retry === null, `its ${retry}`);
  const options = workflow.options == null ? {} : (JSON.parse(workflow.options) as Json);
  const meta = workflow.meta == null ? {} : (JSON.parse(workflow.meta) as Json);
  if (!isObject(options) || !isObject(meta)) throw new CarriedWrong('its options and its meta must be objects');
  const notify = ownValue(options, 'notify');
  if (Array.isArray(notify))
    for (const one of notify as readonly Json[]) checkUrl(isObject(one) ? String(one['url'] ?? '') : '');
  decodeHeader(workflow.header);
}

const urlsIn = (callbacks: Json): readonly string[] =>
  typeof callbacks === 'string'
    ? [callbacks]
    : Array.isArray(callbacks)
      ? (callbacks as readonly Json[]).flatMap(urlsIn)
      : isObject(callbacks)
        ? (Object.values(callbacks) as readonly Json[]).map(String)
        : [];

function checkStrands({ workflow, rows }: Carried): void {
  const root = { path: '0', parent: '', at: '' as ExpressionId, kind: 'branch', index: 0 } as const;
  if (workflow.endedAt === null) decodeStrand({ ...root, ...workflow, arrival: null, base: null }, null);
  checkText(workflow.fields, 'its fields');
  for (const row of rows.strands.values()) {
    const base = row.base === null ? null : rows.variables.get(`${row.base} ^`);
    if (base === undefined) throw new CarriedWrong('what a strand began with is missing');
    const place = { parent: row.parent ?? '', at: row.at ?? ('' as ExpressionId) };
    decodeStrand({ ...row, ...place }, base === null ? null : baseFields(base.value));
    checkText(row.fields, 'fields of a strand');
  }
  for (const row of rows.variables.values()) {
    checkText(row.value, 'a variable');
    if (row.name === '^') baseFields(row.value);
    else decodeValue(row.value);
  }
}

function checkWorkitems({ workflow, rows }: Carried, urlComplaint: (url: string) => string | null): void {
  for (const row of rows.workitems.values()) {
    expect(parseWorkitemId(workitemId(row.id, workflow.id)) !== null, 'the id of a workitem is none');
    expect(['open', 'failed', 'closed'].includes(row.state), 'the state of a workitem is none');
    for (const text of [row.fields, row.params, row.added, row.log, row.terms, row.progress])
      if (text != null) checkText(text, 'a workitem');
    // What the registry says of its participant may have templates, and is looked up again at each try.
    const isLookedUp = row.terms?.includes('"entry":') === true;
    const complaint = row.url === null || isLookedUp ? null : urlComplaint(row.url);
    expect(complaint === null, `the URL of a workitem ${complaint}`);
  }
}

function checkOthers({ agenda, errors, listeners }: Rows): void {
  for (const row of agenda.values()) {
    expect(['timer', 'continue', 'event', 'answer'].includes(row.kind), 'the kind of an agenda row is none');
    checkText(row.payload, 'an agenda row', CARRIED_CHARACTERS_MAX);
  }
  for (const row of errors.values()) checkText(row.details, 'an error', CARRIED_CHARACTERS_MAX);
  for (const row of listeners.values()) checkText(row.spec, 'a listener');
}

function checkHistory({ workflow, history }: Carried): void {
  let last = 0;
  for (const row of history) {
    expect(row.firstN > last && row.lastN >= row.firstN, 'its history is in no order');
    last = row.lastN;
    unpackHistory(row.entries, workflow.id);
  }
  expect(last === workflow.lastN, 'its history is not whole');
}

/** Twice: packed, what is shared is written once, and what is short may be longer. */
const TEXT_MAX = 2 * LIMITS.fieldsCharacters;

function checkText(text: string, what: string, most = TEXT_MAX): void {
  expect(text.length <= most, `${what} has more than ${most} characters`);
  expect(!isDeeperThan(JSON.parse(text) as Json, LIMITS.valueDepth + PACKED_DEPTH), `${what} is nested too deep`);
}
