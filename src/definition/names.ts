/**
 * The heads that are refused wherever they would run (language.md 4.23, 11): they read files and URLs of the server or
 * change who the participants are.
 */
export const REFUSED_NAMES: ReadonlySet<string> = new Set(['read', 'registerp', 'unregisterp']);

/** Every expression name and alias (language.md 4). Any other head is a sub-process, an alias variable or a participant. */
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
  ...['forget', 'lose', 'noop', 'stall', 'echo', 'reserve', ...REFUSED_NAMES],
]);
