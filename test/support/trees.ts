import fc from 'fast-check';
import type { Json } from '../../src/model/json.ts';
import { makeTree, type Tree } from '../../src/model/tree.ts';
import { EXPRESSION_NAMES, REFUSED_NAMES } from '../../src/model/vocabulary.ts';

/** The attribute names of the language; where it spells one name out in many ways, a few of them. */
export const ATTRIBUTE_NAMES: readonly string[] = [
  ...[
    'if',
    'unless',
    'await',
    'tag',
    'scope',
    'forget',
    'lose',
    'flank',
    'timeout',
    'timers',
    'on_timeout',
    'on_error',
    'on_cancel',
  ],
  ...[
    'on_terminate',
    'filter',
    'take',
    'discard',
    'vars_to_f',
    'name',
    'revision',
    'rev',
    'ref',
    'original_ref',
    'task',
  ],
  ...['tree', 'tree_val', 'tree_value', 'tree_v', 'tree_var', 'tree_variable', 'tree_f', 'tree_fld', 'tree_field'],
  ...[
    'count',
    'c',
    'wait_for',
    'wf',
    'over_if',
    'over_unless',
    'merge',
    'm',
    'merge_type',
    'mt',
    'remaining',
    'rem',
    'r',
  ],
  ...[
    'times',
    'branches',
    'on',
    'on_val',
    'on_value',
    'on_v',
    'on_var',
    'on_variable',
    'on_f',
    'on_fld',
    'on_field',
    'separator',
    'sep',
  ],
  ...[
    'to',
    'to_v',
    'to_var',
    'to_variable',
    'to_f',
    'to_fld',
    'to_field',
    'break_if',
    'rewind_if',
    'reset_if',
    'stop_if',
  ],
  ...[
    'break_unless',
    'rewind_unless',
    'reset_unless',
    'stop_unless',
    'step',
    'test',
    't',
    'text',
    'val',
    'value',
    'v_val',
    'var_val',
  ],
  ...[
    'variable_value',
    'f_val',
    'fld_val',
    'field_value',
    'v',
    'var',
    'variable',
    'f',
    'fld',
    'field',
    'fields',
    'escape',
    'override',
  ],
  ...[
    'over',
    'position',
    'pos',
    'from_v',
    'from_var',
    'from_variable',
    'from_f',
    'from_fld',
    'from_field',
    'in',
    'record',
    'flush',
  ],
  ...[
    'type',
    'match',
    'smatch',
    'sm',
    'size',
    'sz',
    'empty',
    'e',
    'i',
    'has',
    'h',
    'includes',
    'is',
    'valid',
    'remove',
    'rm',
    'delete',
  ],
  ...[
    'del',
    'set',
    's',
    'copy_to',
    'cp_to',
    'move_to',
    'mv_to',
    'copy_from',
    'move_from',
    'merge_to',
    'push_to',
    'migrate_to',
  ],
  ...[
    'restore',
    'restore_from',
    'rs',
    'or',
    'and',
    'default',
    'for',
    'until',
    'frequency',
    'freq',
    'tab',
    'interval',
    'upon',
    'wfid',
  ],
  ...[
    'class',
    'message',
    'msg',
    'where',
    'in_tag',
    'out_tag',
    'reached_tag',
    'left_tag',
    'tags',
    'participant',
    'in_participant',
  ],
  ...['out_participant', 'errors', 'error', 'global', 're', 'reraise', 'mutex', 'from', 'other_value'],
];

const EVERY_NAME: readonly string[] = [...EXPRESSION_NAMES].filter((name) => !REFUSED_NAMES.has(name));
const PARTICIPANTS = [
  'alpha',
  'bravo',
  'my-part1',
  'p_${x}',
  'Team A',
  'sp.x',
  'toString',
  '__proto__',
  'constructor',
  'été',
  'a b',
];
const ODD_KEYS = [
  '1',
  '10',
  '0',
  '__proto__',
  'constructor',
  'toString',
  'a-b',
  'f:a.b',
  'v:/x',
  'null',
  'nil',
  'true',
  '/re x/',
  '',
];
const TEXTS = [
  '${f:a} == 1',
  '1h30m',
  "it's",
  'say "hi"',
  'a\\b',
  'two\nlines',
  'tab\there',
  ' ends ',
  '/^a\\d+$/',
  '<&>',
  '🎉é',
  ']]>',
];

/** Texts that can be stored: no U+0000, no half surrogate pair. */
const text = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...TEXTS) },
  { weight: 1, arbitrary: fc.string({ maxLength: 12 }).filter((found) => !found.includes('\0')) },
  {
    weight: 2,
    arbitrary: fc
      .string({ unit: 'binary', maxLength: 12 })
      .filter((found) => !found.includes('\0') && !/\p{Surrogate}/u.test(found)),
  },
);

const number = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((found) => found + 0),
);

const value: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    { weight: 4, arbitrary: text },
    { weight: 2, arbitrary: number },
    { weight: 1, arbitrary: fc.boolean() },
    { weight: 1, arbitrary: fc.constant(null) },
    { weight: 2, arbitrary: fc.array(tie('value'), { maxLength: 3 }) },
    {
      weight: 2,
      arbitrary: fc
        .array(fc.tuple(fc.oneof(fc.constantFrom(...ODD_KEYS), text), tie('value')), { maxLength: 3 })
        .map((pairs) => Object.fromEntries(pairs)),
    },
  ),
})).value;

type Parts = {
  readonly head: fc.Arbitrary<string>;
  readonly key: fc.Arbitrary<string>;
  readonly value: fc.Arbitrary<Json>;
};

function trees(parts: Parts): fc.Arbitrary<Tree> {
  const attributes = fc.array(fc.tuple(parts.key, parts.value), { maxLength: 4 });
  const tree = fc.letrec<{ tree: Tree }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.tuple(parts.head, attributes).map(([name, found]) => legal(makeTree(name, found))),
      fc
        .tuple(parts.head, attributes, fc.array(tie('tree'), { minLength: 1, maxLength: 4 }))
        .map(([name, found, children]) => legal(makeTree(name, found, children))),
    ),
  })).tree;
  return tree;
}

/** What chance built and the language refuses is mended: definitions get a name, loops something to repeat. */
function legal(tree: Tree): Tree {
  const attributes = new Map(tree.attributes);
  if (/^(define|process_definition|workflow_definition)$/.test(tree.name)) attributes.set('name', 'main');
  attributes.delete('engine');
  const needsChild = /^(loop|repeat|cron|every)$/.test(tree.name) && tree.children.length === 0;
  return { name: tree.name, attributes, children: needsChild ? [makeTree('noop')] : tree.children };
}

const heads = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...EVERY_NAME) },
  { weight: 2, arbitrary: fc.constantFrom(...PARTICIPANTS) },
);
const keys = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...ATTRIBUTE_NAMES) },
  { weight: 1, arbitrary: fc.constantFrom(...ODD_KEYS) },
  { weight: 1, arbitrary: text },
);

/** Any legal tree: every expression and attribute name of the language, every kind of value, odd names among them. */
export const anyTree: fc.Arbitrary<Tree> = trees({ head: heads, key: keys, value });

/** Legal trees that Radial can say. */
export const radialTree: fc.Arbitrary<Tree> = trees({
  head: heads.filter((name) => !/[ ]/.test(name)),
  key: keys.map((key) => key.replaceAll('-', '_')),
  value,
}).filter((tree) => tree.children.length > 0 || tree.attributes.size > 0 || EXPRESSION_NAMES.has(tree.name));

const XML_FORBIDDEN = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;
const xmlTexts = text.filter((found) => !XML_FORBIDDEN.test(found));

/** Legal trees that XML can say, their texts (null values) behind the other attributes. */
export const xmlTree: fc.Arbitrary<Tree> = trees({
  head: heads.filter((name) => !/[^\w.]/.test(name)),
  key: fc.constantFrom(...ATTRIBUTE_NAMES, '__proto__', 'constructor', 'toString', 'a:b', 'été'),
  value: xmlTexts,
}).chain((tree) =>
  fc
    .array(
      xmlTexts.filter((found) => found !== ''),
      { maxLength: 3 },
    )
    .map((texts) => withTexts(tree, texts)),
);

function withTexts(tree: Tree, texts: readonly string[]): Tree {
  const attributes = new Map(tree.attributes);
  for (const found of texts) if (!attributes.has(found)) attributes.set(found, null);
  return { ...tree, attributes };
}
