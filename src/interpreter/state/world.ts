import { LanguageError } from '../../language/language-error.ts';
import { ELEMENT_WORK } from '../../language/work.ts';
import { invariant } from '../../model/fault.ts';
import type { HistoryEntry } from '../../model/history-kinds.ts';
import { type ExpressionId, expressionId, makeWorkflowId, type WorkflowId } from '../../model/ids.ts';
import type { Fields, Json } from '../../model/json.ts';
import type { FindOwnParticipant, FindParticipant } from '../../model/participants.ts';
import {
  type AgendaRow,
  type EmittedEvent,
  type ErrorRow,
  followedBy,
  type ListenerRow,
  type Op,
  type StrandRow,
  type VariableRow,
  type WaiterRow,
  type WorkflowRow,
  type WorkitemRow,
} from '../../model/rows.ts';
import {
  type FindStored,
  type Launch,
  type Limits,
  type Loaded,
  type Need,
  needKey,
  type Stimulus,
  type StoredVersion,
  storedKey,
} from '../../model/stimulus.ts';
import { makeTree, type Tree, treeFromJson } from '../../model/tree.ts';
import { decodeRow, decodeValue } from './encoding.ts';
import { type Extent, type Extents, measure } from './extent.ts';
import { baseFields } from './fields.ts';
import { heldIn } from './held.ts';
import type { Flavour, Header, Held, Message, Node, Ref, Strand, TreeRef, Value, Waiting } from './state.ts';

/** From this many characters on values are measured. */
const BULKY_CHARACTERS = 20_000;
/** Quotes and a comma, or a number, for each element of a list. */
const PUNCTUATION_MAX = 8;
const ignore = (): void => undefined;

/** An expression at work: where it stands in the world of this step. */
export type Acting = { readonly world: World; readonly strand: Strand; readonly node: Node };

/** A reply as the receiving expression sees it. */
export type Reply = {
  readonly fields: Fields;
  /** Whose workitem it is; the expression's own id right after it was applied or when a timer woke it. */
  readonly from: ExpressionId;
  readonly by: 'child' | 'branch' | null;
  readonly branch: { readonly path: string; readonly index: number } | null;
};

/** What the expressions of one language have in common. Where an expression names none, it is Ruote's: attributes such as `if`, `forget`,
 * `filter`, `tag` and `timers` count on each of them. */
export type Family = {
  /** In place of Ruote's attributes: prepares the expression before its own apply; null when it does not set out (it has replied). */
  readonly settle: (x: Acting) => Acting | null;
  /** In place of `filter`, `vars_to_f` and `tag`: the fields that go on when it ends. */
  readonly leave: (x: Acting, fields: Fields) => Fields;
  /** In place of `on_error`: whether the definition says what becomes of an error; then it is no error any more. */
  readonly takes?: (x: Acting, error: LanguageError) => boolean;
};

/** One kind of expression. What is left out has the default of life.ts. */
export type Expression = {
  /** The names it answers to, the first being the key. */
  readonly names: readonly string[];
  /** The language it belongs to; absent: Ruote's. */
  readonly family?: Family;
  /** Counts only with one of these attributes, and where the launch names no participant so; else it is a participant or sub-process. */
  readonly onlyWith?: readonly string[];
  /** Where the launch names a participant or sub-process so, it is that. */
  readonly yields?: true;
  /** It obeys commands (skip, jump, rewind…) of expressions below it. */
  readonly commanded?: true;
  readonly apply: (x: Acting) => void;
  /** Finds its place before anything else is set up for it: some need a strand of their own. */
  readonly settle?: (x: Acting) => Acting;
  /** Default: replies to its parent. */
  readonly reply?: (x: Acting, reply: Reply) => void;
  /** Default: cancels the children; without children replies with the applied workitem. */
  readonly cancel?: (x: Acting, flavour: Flavour) => void;
  /** Comes between the wish to reply to the parent and doing so. Default: `end`. */
  readonly replyToParent?: (x: Acting, fields: Fields) => void;
  /** A wide fork goes on with the branches from this number on. */
  readonly fork?: (x: Acting, from: number) => void;
  /** Called when the expression goes away, in whatever way. */
  readonly gone?: (x: Acting) => void;
};

export type Registry = ReadonlyMap<string, Expression>;

/** What a step is given besides rows and stimulus. */
export type StepContext = {
  readonly limits: Limits;
  /** A parsed definition by its content hash, or undefined when it has to be loaded first. */
  readonly definition: (hash: string) => Tree | undefined;
  /** Left out: there are no stored definitions. */
  readonly named?: FindStored;
  /** Which entry of the registries is for a participant of a tenant; left out, or null: none. */
  readonly participant?: FindParticipant;
  /** The entry that the stored definition of a workflow brings along. */
  readonly ownParticipant?: FindOwnParticipant;
  /** False: no workflow listens to others; events are for this one alone. */
  readonly hears?: boolean;
};

/** Thrown when rows are wanted that were not loaded; the engine loads them and runs the step again. */
export class Wanting extends Error {
  readonly needs: readonly Need[];
  constructor(needs: readonly Need[]) {
    super('rows are wanted that were not loaded');
    this.needs = needs;
  }
}

const inlineTrees = new WeakMap<object, Tree>();

/** Parts of trees by their paths: every message about an expression looks for its part of the tree. */
const parts = new WeakMap<Tree, Map<string, Tree>>();
const PARTS_MAX = 2_000;

function partOf(whole: Tree, path: string): Tree {
  let known = parts.get(whole);
  if (known === undefined || known.size > PARTS_MAX) {
    known = new Map();
    parts.set(whole, known);
  }
  let tree = known.get(path);
  if (tree !== undefined) return tree;
  tree = whole;
  for (const index of path.split('.')) {
    // `*`: the children of the tree as a sequence (the body of an iteration with several children).
    tree = index === '*' ? makeTree('sequence', [], tree.children) : tree.children[Number(index)];
    invariant(tree !== undefined, `tree ${path} exists`);
  }
  known.set(path, tree);
  return tree;
}

/**
 * The rows of one workflow as one step sees and changes them: strands decoded when first looked at, a queue of inner messages, and
 * the effects gathered so far. It lives for one step; a step that throws leaves nothing behind. It is one thing, for whoever reads, counts or
 * changes anything in a step does so through it.
 */
export class World {
  readonly loaded: Loaded;
  readonly row: WorkflowRow;
  readonly header: Header;
  readonly registry: Registry;
  readonly context: StepContext;
  readonly stimulus: Stimulus;
  readonly now: number;
  readonly queue: Waiting[] = [];
  /** What is to be queued once the message at hand has been handled. */
  readonly afterwards: Message[] = [];
  readonly history: HistoryEntry[] = [];
  readonly events: EmittedEvent[] = [];
  readonly workitems = new Map<string, Op<WorkitemRow>>();
  readonly agenda = new Map<string, Op<AgendaRow>>();
  readonly errors = new Map<string, Op<ErrorRow>>();
  readonly listeners = new Map<string, Op<ListenerRow>>();
  readonly variables = new Map<string, Op<VariableRow>>();
  readonly waiters = new Map<string, Op<WaiterRow>>();
  readonly strands = new Map<string, Strand | null>();
  /** Base rows by the fields in them, so that a strand born with these very fields refers to the row. */
  readonly bases = new Map<Fields, ExpressionId>();
  /** The fields that this step came with, where the history keeps what was given (given.ts); null: with none. */
  setOutWith: Fields | null = null;
  /** Whose reply is being handled. */
  replying: ExpressionId | null = null;
  /** The queue began with messages that an earlier step left over. */
  tookUp = false;
  /** Messages handled so far. */
  handled = 0;
  /** Characters and elements read, copied and written so far, and when the message at hand was taken. */
  spent = 0;
  private spentBefore = 0;
  /** No value of this step has more characters than this. While it is small nothing needs to be measured: a step of 200 messages that each
   * copy it is a small step. */
  private bulk = 0;
  private readonly extents: Extents = new WeakMap();
  /** Fields that were measured last, or need not be. */
  private vouched: Fields | null = null;
  /** Characters of the spilled variables of a scope, once somebody writes one of them. */
  readonly spilledCharacters = new Map<ExpressionId, number>();
  /** What came for a part of the workflow that is held (life/holding.ts). */
  readonly heldBack: Message[] = [];
  /** See Changes. */
  hold: number | null = null;
  shift: number | null = null;
  sweep = false;
  readonly missed: string[] = [];
  waited = false;
  /** Where conditions wait: variables that were changed since they were looked at, with the scopes they were changed in; and which were looked at. */
  changed: Map<string, Set<ExpressionId>> | null = null;
  private looked: Set<string> | null = null;
  get lookedAt(): Set<string> {
    this.looked ??= new Set();
    return this.looked;
  }
  /** What goes on for this workflow, which ends with the message at hand. */
  successor: Launch | null = null;
  /** The rest of the queue waits for the next turn. */
  rests = false;
  /** How many events led to what this step does, one by way of the other. */
  hops = 0;
  private readonly random: () => string;

  constructor(options: {
    readonly loaded: Loaded;
    readonly row: WorkflowRow;
    readonly header: Header;
    readonly registry: Registry;
    readonly context: StepContext;
    readonly stimulus: Stimulus;
  }) {
    this.loaded = options.loaded;
    this.row = options.row;
    this.header = options.header;
    this.registry = options.registry;
    this.context = options.context;
    this.stimulus = options.stimulus;
    this.now = Math.max(options.stimulus.now, options.row.updatedAt);
    this.hops = options.header.hops;
    this.random = hexStream(options.stimulus.seed);
  }

  /** A fresh expression id: the expid with 32 random hexadecimal digits. */
  freshId(expid: string): ExpressionId {
    const id = expressionId(expid, this.random());
    this.fresh.add(id);
    return id;
  }
  /** The id of a workflow to come. */
  freshWorkflowId(): WorkflowId {
    const hex = this.random();
    // An empty word is none.
    const word = (at: number): number => Number.parseInt(hex.slice(at, at + 6), 16) || 1;
    return makeWorkflowId(this.now, [word(0), word(6)]);
  }
  private readonly fresh = new Set<ExpressionId>();
  /** Whether the id was made by this very step, so that no row of it can be stored. */
  isFresh(id: ExpressionId): boolean {
    return this.fresh.has(id);
  }

  send(message: Message): void {
    this.queue.push(message);
  }

  /** Counts work (language/work.ts: a World is a meter). Throws LimitExceeded when one message takes too much. */
  spend(units: number): void {
    this.spent += units;
    const { messageWork } = this.context.limits;
    if (this.spent - this.spentBefore > messageWork)
      throw new LanguageError(
        'LimitExceeded',
        `this takes more work than one step may (more than ${messageWork} characters and elements read or written)`,
      );
  }
  /** Work of the turn that is not to be charged to the message at hand. */
  bear(characters: number): void {
    this.spent += characters;
    this.spentBefore += characters;
  }
  /** A message is taken up: what it spends is counted from here. */
  begin(): void {
    this.spentBefore = this.spent;
  }

  /** A text of `characters` was read: values in it are no larger. */
  noteRead(characters: number): void {
    if (characters > this.bulk) this.bulk = characters;
  }
  /** A value may have become larger by `characters`. */
  noteGrowth(characters: number): void {
    this.bulk += characters;
  }
  /** Values are large enough for their size to matter. */
  get isBulky(): boolean {
    return this.bulk > BULKY_CHARACTERS;
  }

  /** Characters of the largest value, at most; null when values are measured. */
  get charactersAtMost(): number | null {
    return this.isBulky ? null : this.bulk;
  }
  /** The rest of the queue waits for the next turn. */
  get isTired(): boolean {
    return this.spent >= this.context.limits.work;
  }

  /** A list is kept by an expression that goes through it. Throws LimitExceeded. */
  checkList(list: readonly Json[]): void {
    // Elements of a text are longer in the list than in the text.
    this.noteGrowth(list.length * PUNCTUATION_MAX);
    if (!this.isBulky) return;
    const { characters } = this.extentOf(list);
    const { fieldsCharacters } = this.context.limits;
    if (characters > fieldsCharacters)
      throw new LanguageError(
        'LimitExceeded',
        `the list would be about ${characters} characters long as JSON, more than ${fieldsCharacters}`,
      );
  }

  /** How large a value is. Throws LimitExceeded when it is nested too deep. */
  extentOf(value: Value): Extent {
    const { valueDepth } = this.context.limits;
    const isBulky = this.isBulky;
    const extent = measure(
      value,
      isBulky ? this.extents : null,
      isBulky ? (elements) => this.spend(elements * ELEMENT_WORK) : ignore,
      valueDepth,
      () => {
        throw new LanguageError(
          'LimitExceeded',
          `lists and objects are nested more than ${valueDepth} deep in a field or variable`,
        );
      },
    );
    this.noteRead(extent.characters);
    return extent;
  }

  /** These fields need not be measured: they are no larger than what was read, or what they grew by has been noted. */
  vouch(fields: Fields): void {
    this.vouched = fields;
  }

  /** Characters of the longest fields that were looked at, as JSON. */
  fieldsCharacters = 0;

  isVouched(fields: Fields): boolean {
    return fields === this.vouched;
  }

  /** Fields are about to go on. Throws LimitExceeded when they are too large or nested too deep. */
  checkFields(fields: Fields): void {
    if (fields === this.vouched && !this.isBulky) return;
    const { characters } = this.extentOf(fields);
    const { fieldsCharacters } = this.context.limits;
    if (characters > fieldsCharacters)
      throw new LanguageError(
        'LimitExceeded',
        `the fields would be about ${characters} characters long as JSON, more than ${fieldsCharacters}`,
      );
    this.noteFields(characters);
    this.vouched = fields;
  }

  /** Fields were looked at that are so long. */
  noteFields(characters: number): void {
    if (characters > this.fieldsCharacters) this.fieldsCharacters = characters;
  }

  /** Work that grows with the value: it is copied, or stored once more. Costs nothing while values are small. */
  spendCopy(value: Value): void {
    if (this.isBulky) this.spend(this.extentOf(value).characters);
  }

  record(entry: HistoryEntry): void {
    this.history.push(entry);
  }

  /** The number of the history entry that was recorded last. */
  get lastN(): number {
    return this.row.lastN + this.history.length;
  }

  want(...needs: readonly Need[]): void {
    const missing = needs.filter((need) => !this.loaded.answered.has(needKey(need)) && !this.answeredByAll);
    if (missing.length > 0) throw new Wanting(missing);
  }

  private get answeredByAll(): boolean {
    return this.loaded.answered.has(needKey({ kind: 'everything' }));
  }

  /** The strand, or null when there is none (any more). */
  strand(path: string): Strand | null {
    const known = this.strands.get(path);
    if (known !== undefined) return known === null || known.dead ? null : known;
    const row = this.loaded.strands.get(path);
    if (row === undefined) {
      this.want({ kind: 'strand', path });
      this.strands.set(path, null);
      return null;
    }
    return this.adoptStrand(row);
  }

  private adoptStrand(row: StrandRow): Strand {
    let base: Fields | null = null;
    if (row.base !== null) base = this.baseOf(row.base);
    const characters = row.state.length + row.fields.length;
    this.noteRead(characters);
    if (this.isBulky) this.bear(characters);
    const strand = decodeRow(row, base);
    this.strands.set(row.path, strand);
    return strand;
  }

  private readonly baseValues = new Map<ExpressionId, Fields>();
  /** The fields in a base row. */
  baseOf(scope: ExpressionId): Fields {
    const known = this.baseValues.get(scope);
    if (known !== undefined) return known;
    const row = this.loaded.variables.get(`${scope} ^`);
    if (row === undefined) {
      // Strands come without their bases, for siblings share one that is large. All of them at once: each round costs a run of the step.
      const scopes = new Set([scope, ...[...this.loaded.strands.values()].flatMap(({ base }) => base ?? [])]);
      this.want(...[...scopes].map((each): Need => ({ kind: 'variable', scope: each, name: '^' })));
      throw new Error(`Broken assumption: the base of ${scope} is kept as long as the workflow`);
    }
    this.noteRead(row.value.length);
    const fields = baseFields(row.value);
    this.rememberBase(scope, fields);
    return fields;
  }

  rememberBase(scope: ExpressionId, fields: Fields): void {
    this.bases.set(fields, scope);
    this.baseValues.set(scope, fields);
  }

  baseFieldsOf(strand: Strand): Fields | null {
    return strand.base === null ? null : this.baseOf(strand.base);
  }

  private readonly delivered = new Map<ExpressionId, Fields>();
  /** What the `fields` of a workitem's row say, as loaded. */
  deliveredIn(row: WorkitemRow & { readonly fields: string }): Fields {
    let fields = this.delivered.get(row.id);
    if (fields === undefined) {
      this.noteRead(row.fields.length);
      fields = JSON.parse(row.fields) as Fields;
      this.delivered.set(row.id, fields);
    }
    return fields;
  }

  /** What the row of an open workitem of the root strand says, where that is known (held.ts). */
  readonly held = new Map<ExpressionId, Held>();
  readonly heldOf = (id: ExpressionId): Held => {
    const known = this.held.get(id);
    if (known !== undefined) return known;
    const row = this.loaded.workitems.get(id);
    if (row === undefined) this.want({ kind: 'workitem', id });
    invariant(row !== undefined && hasFields(row), `the workitem of ${id} holds its fields`);
    const held = heldIn(row, this.deliveredIn(row));
    this.held.set(id, held);
    return held;
  };

  addStrand(strand: Strand): void {
    invariant(!this.strands.get(strand.path) || this.strands.get(strand.path)?.dead, `strand ${strand.path} is new`);
    this.strands.set(strand.path, strand);
    this.header.strands++;
    if (strand.kind === 'forgotten') this.header.roots++;
  }

  /** The expression a reference names, or null when it is gone. */
  find(ref: Ref): Acting | null {
    const strand = this.strand(ref.path);
    if (strand === null) return null;
    const node = ref.id === '' ? strand.nodes[0] : strand.nodes.find((candidate) => candidate.id === ref.id);
    return node === undefined ? null : { world: this, strand, node };
  }

  /** Where an expression of this step is now: it may have moved to another strand since `x` was looked up. */
  whereIs(x: Acting): Acting {
    if (x.strand.nodes.includes(x.node)) return x;
    for (const strand of this.strands.values())
      if (strand !== null && !strand.dead && strand.nodes.includes(x.node))
        return { world: this, strand, node: x.node };
    return x;
  }

  /** The stored definition of this workflow's tenant that `order` or `order@3` names, or null. */
  stored(reference: string): StoredVersion | null {
    const { named } = this.context;
    const found = named === undefined ? null : named(this.row.tenant, reference);
    if (found === undefined) throw new Wanting([{ kind: 'definition', hash: storedKey(this.row.tenant, reference) }]);
    return found;
  }

  tree(ref: TreeRef): Tree {
    let tree: Tree | undefined;
    if (typeof ref.root === 'string') {
      tree = this.context.definition(ref.root);
      if (tree === undefined) throw new Wanting([{ kind: 'definition', hash: ref.root }]);
    } else {
      tree = inlineTrees.get(ref.root);
      if (tree === undefined) {
        const read = treeFromJson(ref.root);
        invariant(read !== null, 'a stored tree is a tree');
        tree = read;
        inlineTrees.set(ref.root, tree);
      }
    }
    return ref.path === '' ? tree : partOf(tree, ref.path);
  }

  changeWorkitem(id: ExpressionId, op: Op<WorkitemRow>): void {
    this.workitems.set(id, followedBy(this.workitems.get(id), op));
  }
  changeAgenda(id: string, op: Op<AgendaRow>): void {
    this.agenda.set(id, followedBy(this.agenda.get(id), op));
  }
  changeError(id: ExpressionId, op: Op<ErrorRow>): void {
    this.errors.set(id, followedBy(this.errors.get(id), op));
  }

  private readonly lateDetails = new Map<ExpressionId, () => string>();
  /** Puts an error on record. Where every reply of a wide fork fails, only the details of the last are written, by `writeDetails`. */
  putError(row: Omit<ErrorRow, 'details'>, details: () => string): void {
    const isAgain = this.errors.get(row.id)?.kind === 'put';
    const text = isAgain ? '' : details();
    this.bear(text.length);
    if (isAgain) this.lateDetails.set(row.id, details);
    else this.lateDetails.delete(row.id);
    this.changeError(row.id, { kind: 'put', row: { ...row, details: text } });
  }
  writeDetails(): void {
    for (const [id, details] of this.lateDetails) {
      const op = this.errors.get(id);
      if (op?.kind === 'put') this.errors.set(id, { kind: 'put', row: { ...op.row, details: details() } });
    }
  }

  /** Listeners of this workflow, those this step added or removed included, oldest first. */
  ownListeners(): readonly ListenerRow[] {
    if (this.header.listeners === 0) return [];
    const rows = new Map<string, ListenerRow>();
    // Those born in this very step need no loading.
    const added = [...this.listeners.values()].filter((op) => op.kind === 'put').length;
    if (added < this.header.listeners) this.want({ kind: 'listeners' });
    for (const [id, row] of this.loaded.listeners) rows.set(id, row);
    for (const [id, op] of this.listeners) {
      if (op.kind === 'put') rows.set(id, op.row);
      else if (op.kind === 'delete') rows.delete(id);
    }
    return [...rows.values()];
  }

  /** A variable that has a row of its own; undefined when there is none. */
  spilledVariable(scope: ExpressionId, name: string): Value | undefined {
    const key = `${scope} ${name}`;
    const op = this.variables.get(key);
    if (op !== undefined) return op.kind === 'put' ? decodeValue(op.row.value) : undefined;
    const row = this.loaded.variables.get(key);
    if (row !== undefined) {
      this.noteRead(row.value.length);
      return decodeValue(row.value);
    }
    this.want({ kind: 'variable', scope, name });
    return undefined;
  }

  /** All variables of a scope that have rows of their own. */
  spilledVariables(scope: ExpressionId): Map<string, Value> {
    this.want({ kind: 'variables', scope });
    const found = new Map<string, Value>();
    for (const row of this.loaded.variables.values())
      if (row.scope === scope && row.name !== '^') found.set(row.name, decodeValue(row.value));
    for (const [key, op] of this.variables) {
      if (!key.startsWith(`${scope} `)) continue;
      const name = key.slice(scope.length + 1);
      if (name === '^') continue;
      if (op.kind === 'put') found.set(name, decodeValue(op.row.value));
      else found.delete(name);
    }
    return found;
  }
}

export const hasFields = (row: WorkitemRow): row is WorkitemRow & { readonly fields: string } => row.fields !== null;

/** 32 hexadecimal digits at a time, from a seed of 32 hexadecimal digits: the small fast counting generator (sfc32). */
function hexStream(seed: string): () => string {
  let [a = 0, b = 0, c = 0, d = 1] = [0, 8, 16, 24].map((at) => Number.parseInt(seed.slice(at, at + 8), 16) | 0);
  const next = (): number => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return t >>> 0;
  };
  for (let i = 0; i < 12; i++) next();
  const hex = (): string => next().toString(16).padStart(8, '0');
  return () => hex() + hex() + hex() + hex();
}
