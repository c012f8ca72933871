import fc from 'fast-check';
import type { Fields, Json } from '../../src/model/json.ts';
import { DEFINE_NAMES, makeTree, type Tree } from '../../src/model/tree.ts';
import { EXPRESSION_NAMES, REFUSED_NAMES } from '../../src/model/vocabulary.ts';
import { ATTRIBUTE_NAMES, anyTree } from '../support/trees.ts';

/*
 * Workflows that do something: every expression and every attribute of the language, mostly with values that mean something there,
 * now and then with any value at all.
 */

const PARTICIPANTS = ['alpha', 'bravo', 'charly', 'doug'] as const;
const TAGS = ['x', 'y', 'z'] as const;
const FIELD_NAMES = ['a', 'b', 'n', 'l', 'h', 'h.k', 'l.0', '__proto__', 'constructor', '__result__'] as const;
const CONDITIONS = [
  'true', 'false', '', '${f:a} == 1', '${f:n} > 2', '${v:i} == 0', '${f:a} is set', "${'a} == 'x'", 'not ${f:b}', '${v:x} == done',
  '${f:l} is empty', 'a =~ /^a/', '1 > x',
] as const; // biome-ignore format: a list of words
const HANDLERS: readonly Json[] = [
  'alpha', 'bravo', 'sub', 'redo', 'retry', 'undo', 'pass', 'cancel', 'cando', 'raise', 'rewind', 'break', 'skip 1', 'jump to alpha', '', '!alpha',
  'store: e', 'store: v:e', 'retry * 2', '1s: retry * 2, pass', 'retry, alpha', '1s: alpha, bravo', 'error', 'error oops', 'noop', 'stall',
  ['sequence', {}, [['alpha', {}, []], ['noop', {}, []]]],
  [{ '/o+/': 'alpha' }, { '': 'pass' }],
  [['/never/', 'alpha'], [null, 'retry * 2']],
  [{ RuntimeError: 'bravo' }],
]; // biome-ignore format: a list of words
const LISTS: readonly Json[] = [
  'a, b',
  'a,b,c',
  '',
  [],
  [1, 2],
  ['a', null, 'b'],
  { k: 1, m: 2 },
  '$f:l',
  '$l',
  3,
  [['x'], { y: 1 }],
];
const RULES: readonly Json[] = [
  { field: 'a', type: 'string', or: 'missing' }, { field: 'n', type: 'number' }, { field: 'a' }, { field: 'h.k', set: 7 }, 'or',
  { fields: '/^[ab]$/', remove: true }, { fields: 'a|b', copy_to: 'c' }, { f: 'l', size: '1,3' }, { f: 'a', take: true }, { f: 'b', discard: true },
]; // biome-ignore format: a list of words

const one = <Value extends Json>(values: readonly Value[]): fc.Arbitrary<Json> => fc.constantFrom(...values);
const flag = one([true, 'true', false]);
const text = (values: readonly string[]): fc.Arbitrary<Json> => one(values);
const rules = fc.array(one(RULES), { minLength: 1, maxLength: 3 }) as fc.Arbitrary<Json>;
const when = one(['1s', '2s', '1m', '', 3, '2020-01-01', '* * * * *', '2h30', 'nonsense here']);
const target = text(['a', 'f:b', 'v:x', 'v:/x', 'h.k', 'l.1', 'v:h.k']);

/** Values that mean something, by attribute; all other attributes get a short text or number. */
const PLAUSIBLE: { readonly [attribute: string]: fc.Arbitrary<Json> } = {
  if: text(CONDITIONS), unless: text(CONDITIONS), test: text(CONDITIONS), t: text(CONDITIONS), where: text(CONDITIONS),
  over_if: text(CONDITIONS), over_unless: text(CONDITIONS), break_if: text(CONDITIONS), rewind_if: text(['false', '${v:r} == 1']),
  reset_if: text(['false', '${v:r} == 1']), stop_if: text(CONDITIONS), break_unless: text(CONDITIONS), rewind_unless: text(['true', '']),
  reset_unless: text(['true']), stop_unless: text(CONDITIONS),
  await: text(['x', 'in_tag: x', 'left_tag: y', 'in_participant: alpha', 'out_participants: /a/', 'x/y', 'error: x']),
  tag: text([...TAGS, 'x', ' ', 'n${f:n}']), ref: text([...TAGS, ...PARTICIPANTS, 'sub']), scope: flag, forget: flag, lose: flag, flank: flag,
  timeout: when, for: when, until: when, frequency: one(['1s', '5s']), freq: one(['1s']), tab: one(['1s', '* * * * *']), interval: one(['1s', '3s']),
  timers: one(['1s: alpha', '1s: timeout', '1s: undo, 2s: bravo', '1s: redo', '1s: error oops', '2s: rewind', '1s: jump to alpha', 'nonsense', [['1s', 'bravo']]]),
  on_timeout: one(HANDLERS), on_error: one(HANDLERS), on_cancel: one(HANDLERS), on_terminate: text(['nothing']),
  filter: fc.oneof(rules, fc.record({ in: rules, out: rules }), text(['v:f', 'f'])) as fc.Arbitrary<Json>,
  take: one(['a', ['a', 'b'], true]), discard: one(['a', ['a'], true]), vars_to_f: text(['vars', 'h.k']),
  count: one([0, 1, 2, -1, 'x']), c: one([1]), wait_for: one(['x', 'x, y', ['z'], 1]), wf: one(['x', 2]),
  merge: text(['first', 'last', 'highest', 'lowest']), m: text(['last']), remaining: text(['cancel', 'forget', 'wait']), rem: text(['wait']), r: text(['forget']),
  merge_type: text(['override', 'mix', 'isolate', 'stack', 'union', 'ignore', 'concat', 'deep']), mt: text(['union', 'deep']),
  times: one([0, 1, 2, 4, '3', -1, 'x']), branches: one([2]), on: one(LISTS), on_val: one(LISTS), on_value: one(LISTS), on_v: text(['x', 'l']),
  on_f: text(['l', 'h', 'a']), to: target, to_v: text(['i', 'x', '/x']), to_f: text(['a', 'b']), sep: text([';']), separator: text([',']),
  step: one([1, 2, -1, 'x']), value: one([1, 'v', null, ['a'], { k: 1 }, '$f:l', '${f:a}']), val: one([1, '2', 'x', [1]]), v: text(['x', 'i', '/x']),
  f: text(FIELD_NAMES), field: text(FIELD_NAMES), var: text(['x', '__proto__']), f_val: text(FIELD_NAMES), v_val: text(['x']), escape: flag,
  override: one([true, 'sub', false]), position: text(['head', 'tail']), pos: text(['head']), from_v: text(['s']), from_f: text(['h', 'a']), in: rules,
  record: one([true, 'notes']), flush: flag, tree: one([['alpha', {}, []], 'x', ['sequence', {}, [['bravo', {}, []]]]]), upon: text(['apply', 'reply', 'entering', 'leaving', 'x']),
  wfid: text(['same', 'true', 'any']), global: flag, class: text(['RuntimeError', 'Ruote::ForcedError']), message: text(['/o/', 'x']), msg: text(['oops']),
  in_tag: text(TAGS), left_tag: text(TAGS), out_tag: text(TAGS), reached_tag: text(TAGS), tags: text(['x, y']), participant: text(PARTICIPANTS),
  out_participant: text(['/a/']), errors: text(['', '/o/']), error: text(['']), re: one(['$f:__error__', 'again']), mutex: text(['m', '/m', '//m']),
  name: text(['sub', 'other']), step_by: text(['1']), other_value: one([1, 'x']),
}; // biome-ignore format: a table

/** Texts (attributes without a value) that mean something to an expression. */
const TEXTS: { readonly [name: string]: readonly string[] } = {
  participant: [...PARTICIPANTS, '${f:a}'], subprocess: ['sub', 'other'], ref: ['sub', 'alpha', 'x'], if: CONDITIONS, given: ['${f:a}', 'x'], that: CONDITIONS,
  of: ['x', '1', '/./'], wait: ['1s', '2s', '2020-01-01', 'nonsense'], sleep: ['1s'], once: CONDITIONS, when: CONDITIONS, as_soon_as: CONDITIONS, cron: ['1s', '* * * * *'],
  every: ['1s', '3s'], skip: ['1', '2', 'x'], back: ['1', '2', '9'], jump: ['alpha', '0', '-1', 'x', '9'], undo: TAGS, cancel: TAGS, kill: TAGS, redo: TAGS, error: ['oops', ''],
  on_error: ['alpha', 'pass', 'redo', '1s: retry, pass'], reserve: ['m', '/m'], add_branches: ['d, e', '2'], add_branch: ['f'], inc: ['n', 'v:x'], increment: ['v:n'],
  dec: ['n', 'l'], decrement: ['l'], push: ['l', 'a'], pop: ['l'], filter: ['a', 'v:f', 'l'], echo: ['${f:a}', '${v:x} ${wfid}'], unset: ['a', 'v:x', 'h.k'], set: ['a'],
  define: ['sub', 'other'], process_definition: ['sub'], workflow_definition: ['other'],
}; // biome-ignore format: a table

const NAMES: readonly string[] = [...EXPRESSION_NAMES].filter((name) => !REFUSED_NAMES.has(name));
/** Attributes that mean something everywhere come more often. */
const COMMON = ['if', 'unless', 'await', 'tag', 'scope', 'forget', 'lose', 'flank', 'timeout', 'timers', 'on_timeout', 'on_error', 'on_cancel', 'filter', 'take', 'discard', 'vars_to_f'] as const; // biome-ignore format: a list of words
/** Attributes of one expression, so that it does what it is for. */
const OWN: { readonly [name: string]: readonly string[] } = {
  concurrence: ['count', 'merge', 'merge_type', 'remaining', 'wait_for', 'over_if'], iterator: ['on', 'times', 'to', 'break_if'],
  citerator: ['on', 'times', 'to', 'merge_type', 'remaining', 'count'], concurrent_iterator: ['on', 'times', 'to', 'merge_type', 'remaining'],
  add_branches: ['on', 'ref'], cursor: ['break_if', 'rewind_if', 'over_if'], loop: ['break_if', 'stop_if'], repeat: ['break_unless'], equals: ['f', 'other_value'],
  set: ['value', 'f', 'v', 'escape', 'override'], rset: ['f', 'value'], unset: ['f', 'v'], inc: ['val', 'v', 'pos'], dec: ['val', 'to_v'], push: ['val', 'pos'], pop: ['to_f', 'pos'],
  save: ['to_v', 'to_f', 'to'], restore: ['from_v', 'from_f', 'val', 'to_f'], set_fields: ['val'], filter: ['in', 'record', 'flush'], listen: ['to', 'upon', 'wfid', 'merge'],
  receive: ['on', 'upon', 'wfid'], intercept: ['to', 'upon', 'where'], await: ['in_tag', 'left_tag', 'participant', 'errors', 'where', 'merge', 'global'], error: ['msg', 're'],
  undo: ['ref'], kill: ['ref'], redo: ['ref'], skip: ['step', 'ref'], jump: ['to', 'ref'], break: ['ref'], rewind: ['ref'], apply: ['tree'], wait: ['for', 'until'],
}; // biome-ignore format: a table

const anyValue: fc.Arbitrary<Json> = anyTree.map((tree) => [...tree.attributes.values()][0] ?? null);
const plain = one([1, 0, 'x', 'a', '${f:a}', '$f:h', true, null, ['a'], { k: 'v' }]);
const meantFor = (key: string): fc.Arbitrary<Json> =>
  fc.oneof({ weight: 12, arbitrary: PLAUSIBLE[key] ?? plain }, { weight: 1, arbitrary: anyValue });

const pair = (keys: readonly string[]): fc.Arbitrary<readonly [string, Json]> =>
  fc.constantFrom(...keys).chain((key) => meantFor(key).map((value) => [key, value] as const));

function attributesOf(name: string): fc.Arbitrary<readonly (readonly [string, Json])[]> {
  const words = TEXTS[name];
  const spoken: fc.Arbitrary<readonly (readonly [string, Json])[]> =
    words === undefined ? fc.constant([]) : fc.constantFrom(...words).map((word) => [[word, null] as const]);
  const own = OWN[name];
  const parts = [
    fc.oneof({ weight: 4, arbitrary: spoken }, { weight: 1, arbitrary: fc.constant([]) }),
    own === undefined ? fc.constant([]) : fc.array(pair(own), { maxLength: 3 }),
    fc.oneof(
      { weight: 3, arbitrary: fc.constant([]) },
      { weight: 2, arbitrary: fc.array(pair(COMMON), { maxLength: 2 }) },
    ),
    fc.oneof(
      { weight: 6, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.array(pair(ATTRIBUTE_NAMES), { maxLength: 2 }) },
    ),
  ] as const;
  return fc.tuple(...parts).map((lists) => lists.flat());
}

const head = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...PARTICIPANTS) },
  { weight: 3, arbitrary: fc.constantFrom('sequence', 'concurrence', 'citerator', 'iterator', 'cursor', 'repeat', 'set', 'inc', 'error', 'wait') },
  { weight: 8, arbitrary: fc.constantFrom(...NAMES) },
  { weight: 1, arbitrary: fc.constantFrom('sub', 'other', '${f:a}') },
); // biome-ignore format: a list

const LEAVES: ReadonlySet<string> = new Set([
  ...PARTICIPANTS,
  'sub',
  'other',
  '${f:a}',
  'noop',
  'stall',
  'echo',
  'wait',
  'break',
  'undo',
  'kill',
  'redo',
  'error',
]);

const node = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: head.chain((name) => {
    const children = LEAVES.has(name)
      ? fc.constant([])
      : fc.array(tie('tree'), { minLength: 1, maxLength: 3, depthIdentifier: 'workflow' });
    return fc.oneof(
      { depthIdentifier: 'workflow', maxDepth: 4, depthSize: 'small' },
      attributesOf(name).map((attributes) => mended(makeTree(name, attributes))),
      fc.tuple(attributesOf(name), children).map(([attributes, below]) => mended(makeTree(name, attributes, below))),
    );
  }),
})).tree; // biome-ignore format: a generator

/** What a reader would refuse is mended: definitions get a name, loops something to repeat. */
function mended(tree: Tree): Tree {
  const attributes = new Map(tree.attributes);
  attributes.delete('engine');
  if (DEFINE_NAMES.has(tree.name) && !attributes.has('sub') && !attributes.has('name')) attributes.set('sub', null);
  const needsChild = /^(loop|repeat|cron|every)$/.test(tree.name) && tree.children.length === 0;
  return { name: tree.name, attributes, children: needsChild ? [makeTree('bravo')] : tree.children };
}

/** A whole definition: a body of a few expressions, sometimes with attributes of its own, and a sub-process. */
export const anyWorkflow: fc.Arbitrary<Tree> = fc
  .tuple(
    fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.array(pair(COMMON), { maxLength: 2 }) }),
    fc.array(node, { minLength: 1, maxLength: 4 }),
    fc.array(node, { minLength: 1, maxLength: 2 }),
  )
  .map(([attributes, body, sub]) =>
    makeTree('define', attributes, [makeTree('define', [['sub', null]], sub), ...body]),
  ); // biome-ignore format: a generator

/** The same, cut, doubled and swapped at random: whatever trees have in common, these have it too. */
export const mutatedWorkflow: fc.Arbitrary<Tree> = fc
  .tuple(anyWorkflow, anyTree, fc.array(fc.nat(1_000), { minLength: 1, maxLength: 6 }))
  .map(([tree, other, cuts]) => cuts.reduce((current, cut) => mutate(current, other, cut), tree))
  .map((tree) => mendedAll(tree));

const mendedAll = (tree: Tree): Tree => mended({ ...tree, children: tree.children.map(mendedAll) });

function mutate(tree: Tree, other: Tree, cut: number): Tree {
  const { length } = tree.children;
  if (length > 0 && cut % 3 !== 0) {
    const at = cut % length;
    return { ...tree, children: tree.children.map((child, i) => (i === at ? mutate(child, other, cut >> 1) : child)) };
  }
  switch (cut % 7) {
    case 0:
      return { ...tree, children: [...tree.children, other] };
    case 1:
      return { ...tree, name: other.name };
    case 2:
      return { ...tree, attributes: new Map([...tree.attributes, ...other.attributes]) };
    case 3:
      return { ...tree, attributes: new Map([...tree.attributes].reverse()) };
    case 4:
      return { ...tree, children: [...tree.children, ...tree.children].slice(0, 6) };
    case 5:
      return { ...tree, children: [...tree.children].reverse() };
    default:
      return makeTree('sequence', [], [tree, tree]);
  }
}

/** Fields to launch with, and to proceed with. */
export const anyFields: fc.Arbitrary<Fields> = fc
  .array(
    fc.tuple(fc.constantFrom(...FIELD_NAMES, '__command__', '__on_error__', '__tags__', 'l', 'n'), fc.oneof(plain, one([2, 3, [1, 2], 'break', ['jump', 'alpha'], 'redo', 'pass', ['x']]))),
    { maxLength: 4 },
  )
  .map((pairs) => Object.fromEntries(pairs)); // biome-ignore format: a generator

/** Something done from outside; `pick` chooses among what is there. */
export type Action = {
  readonly do:
    | 'proceed' | 'fail' | 'edit' | 'time' | 'cancel' | 'kill' | 'pause' | 'resume' | 'cancel_expression' | 'kill_expression' | 'reapply' | 'replay'
    | 'pause_expression' | 'resume_expression' | 'reply';
  readonly pick: number;
  readonly fields: Fields;
}; // biome-ignore format: a list of words

const action = (weights: { readonly [Do in Action['do']]?: number }): fc.Arbitrary<Action> =>
  fc.record({
    do: fc.oneof(
      ...(Object.entries(weights) as [Action['do'], number][]).map(([name, weight]) => ({
        weight,
        arbitrary: fc.constant(name),
      })),
    ),
    pick: fc.nat(9),
    fields: anyFields,
  });

/** Mostly answers and time, now and then an administrator. */
export const anyActions: fc.Arbitrary<readonly Action[]> = fc.array(
  action({
    proceed: 12, fail: 2, edit: 1, time: 5, cancel: 1, kill: 1, pause: 1, resume: 2, cancel_expression: 2, kill_expression: 1, reapply: 1, replay: 2,
    pause_expression: 1, resume_expression: 2, reply: 1,
  }),
  { minLength: 2, maxLength: 14 },
); // biome-ignore format: a table

/** How often each expression and each attribute occurs. */
export class Histogram {
  readonly expressions = new Map<string, number>();
  readonly attributes = new Map<string, number>();
  /** Texts of definitions that were seen. */
  trees = 0;

  add(tree: Tree): void {
    const count = (map: Map<string, number>, key: string): unknown => map.set(key, (map.get(key) ?? 0) + 1);
    count(this.expressions, tree.name);
    for (const [key, value] of tree.attributes) if (value !== null) count(this.attributes, key);
    for (const child of tree.children) this.add(child);
  }

  /** The names that never came. */
  missing(): { readonly expressions: readonly string[]; readonly attributes: readonly string[] } {
    return {
      expressions: NAMES.filter((name) => !this.expressions.has(name)),
      attributes: ATTRIBUTE_NAMES.filter((name) => !this.attributes.has(name)),
    };
  }

  toString(): string {
    const shown = (map: Map<string, number>, known: readonly string[]): string =>
      known.map((name) => `${name} ${map.get(name) ?? 0}`).join(', ');
    return `expressions: ${shown(this.expressions, NAMES)}\nattributes: ${shown(this.attributes, [...new Set(ATTRIBUTE_NAMES)])}`;
  }
}

const ENDLESS = /redo|retry|cando|cancel|rewind|jump|skip|sub|stall|store/;
const ENDLESS_KEYS: ReadonlySet<string> = new Set(['on_cancel', 'on_timeout', 'on_error', 'on_terminate']);

/** A tree without handlers that begin again what was cancelled, or wait for something that nobody answers. */
export function withoutEndlessHandlers(tree: Tree): Tree {
  const attributes = [...tree.attributes].filter(
    ([key, value]) => !(ENDLESS_KEYS.has(key) && ENDLESS.test(JSON.stringify(value))),
  );
  return makeTree(tree.name, attributes, tree.children.map(withoutEndlessHandlers));
}
