/*
 * The words of the language as data: what expressions and attributes are called. The interpreter implements them (a test
 * holds its registry against this list), definitions are checked with them.
 */

/** The heads that are refused wherever they would run: they read files and URLs of the server or change who the participants are. */
export const REFUSED_NAMES: ReadonlySet<string> = new Set(['read', 'registerp', 'unregisterp']);

/** Every expression name and alias. Any other head is a sub-process, an alias variable or a participant. */
export const EXPRESSION_NAMES: ReadonlySet<string> = new Set([
  // definitions and flow
  ...[
    'define',
    'process_definition',
    'workflow_definition',
    'sequence',
    'let',
    'participant',
    'subprocess',
    'ref',
    'apply',
  ],
  ...['concurrence', 'iterator', 'concurrent_iterator', 'citerator', 'add_branches', 'add_branch'],
  // cursor and its commands
  ...['cursor', 'loop', 'repeat', 'break', 'stop', 'over', 'rewind', 'continue', 'reset', 'skip', 'back', 'jump'],
  // decisions
  ...['if', 'equals', 'given', 'that', 'of'],
  // data
  ...['set', 'rset', 'unset', 'inc', 'increment', 'dec', 'decrement', 'push', 'pop'],
  ...['save', 'restore', 'set_fields', 'filter'],
  // time and events
  ...['wait', 'sleep', 'once', 'when', 'as_soon_as', 'cron', 'every', 'listen', 'receive', 'intercept', 'await'],
  // errors and ends
  ...['on_error', 'error', 'undo', 'cancel', 'kill', 'redo', 'cancel_process', 'terminate', 'kill_process'],
  // the rest
  ...['forget', 'lose', 'noop', 'stall', 'echo', 'reserve', 'continue_as_new', ...REFUSED_NAMES],
]);

/** Names that are expressions only with one of the attributes shown; without it, and where a launch names a participant so, they are what any
 * other head is. */
export const NAMES_WITH: ReadonlyMap<string, readonly string[]> = new Map([
  ['signal', ['name']],
  ['launch', ['definition']],
  ['compensate', ['tag', 'all']],
]);

/** Whether a tree is an expression of the language, as far as can be told without a launch. */
export const isExpressionHead = ({
  name,
  attributes,
}: {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, unknown>;
}): boolean => EXPRESSION_NAMES.has(name) || (NAMES_WITH.get(name) ?? []).some((key) => attributes.has(key));

/** Attributes with a meaning of their own on every expression. */
export const COMMON_ATTRIBUTES: ReadonlySet<string> = new Set([
  'if',
  'unless',
  'forget',
  'lose',
  'flank',
  'timeout',
  'timers',
  'on_error',
  'on_cancel',
  'on_timeout',
  'on_terminate',
  'await',
  'await_event',
  'await_key',
  'await_key_from',
  'await_where',
  'await_to',
  'tag',
  'scope',
  'filter',
  'take',
  'discard',
  'vars_to_f',
]);

/** The attributes of one expression besides the common ones, all spellings, by each name of the expression. */
export const OWN_ATTRIBUTES: ReadonlyMap<string, ReadonlySet<string>> = ownAttributes();

/** Expressions that take any attribute: as a target, a variable, a pattern or a parameter. */
export const FREE_ATTRIBUTES: ReadonlySet<string> = new Set([
  ...['define', 'process_definition', 'workflow_definition', 'participant', 'subprocess', 'ref', 'apply'],
  ...['set', 'rset', 'unset', 'inc', 'increment', 'dec', 'decrement', 'push', 'pop', 'equals', 'filter', 'on_error'],
]);

function ownAttributes(): ReadonlyMap<string, ReadonlySet<string>> {
  const spelt = (...stems: readonly string[]): string[] =>
    stems.flatMap((stem) =>
      ['v', 'var', 'variable', 'f', 'fld', 'field', 'val', 'value'].map((kind) => `${stem}_${kind}`),
    );
  const value = [
    'val',
    'value',
    ...['v', 'var', 'variable', 'f', 'fld', 'field'].flatMap((kind) => [`${kind}_val`, `${kind}_value`]),
  ];
  const target = ['to', ...spelt('to')];
  const commands = ['break', 'rewind', 'reset', 'over', 'stop'].flatMap((name) => [`${name}_if`, `${name}_unless`]);
  const list = ['on', ...spelt('on'), 'times', 'branches', 'separator', 'sep', ...target];
  const concurrence = 'count c wait_for wf over_if over_unless merge m merge_type mt remaining rem r'.split(' ');
  const event = ['in', 'entered', 'reached', 'out', 'left'].flatMap((way) =>
    ['tag', 'participant', 'error'].flatMap((what) => [`${way}_${what}`, `${way}_${what}s`]),
  );
  const table: readonly (readonly [string, readonly string[]])[] = [
    ['concurrence', concurrence],
    ['concurrent_iterator citerator', [...concurrence, ...list]],
    ['add_branches add_branch', [...list, 'ref']],
    ['iterator', [...list, ...commands]],
    ['cursor loop repeat', commands],
    ['skip back jump rewind continue break stop over reset', ['ref', 'step', 'to']],
    ['if', ['test', 't']],
    ['given that of', ['t', 'test']],
    ['save', target],
    ['restore set_fields', ['from', ...spelt('from'), ...value, ...target]],
    ['wait sleep', ['for', 'until']],
    ['once when as_soon_as', ['test', 'frequency', 'freq']],
    ['cron every', ['tab', 'interval']],
    ['listen receive intercept', 'to on upon wfid class message msg where merge'.split(' ')],
    [
      'await',
      [
        ...[...event, 'tags', 'participant', 'participants', 'error', 'errors', 'where', 'merge', 'global'],
        ...['event', 'key', 'key_from', 'to', 'times'],
      ],
    ],
    ['error', ['msg', 'message', 're', 'reraise']],
    ['undo cancel kill redo', ['ref']],
    ['reserve', ['mutex']],
    ['signal', ['name', 'key', 'mode', 'to', 'data', 'fields']],
    ['launch', ['definition', 'fields', 'to']],
    ['continue_as_new', ['definition', 'fields']],
    ['compensate', ['all']],
  ];
  return new Map(table.flatMap(([names, own]) => names.split(' ').map((name) => [name, new Set(own)] as const)));
}
