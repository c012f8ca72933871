import type { Json } from './json.ts';

/*
 * The kinds of entries a history has, and what each says: the one list that what is recorded, stored, read and asked for is held against.
 * A kind never loses a part and no part changes its type; later versions may add both.
 */

/**
 * `time`: milliseconds since 1970 as stored, RFC 3339 for callers. `date`: a time that is stored as RFC 3339, too. `json`: any value. `text?`: may be missing;
 * `text|null`: is always there, and null where there is none.
 */
type PartType = `${'text' | 'number' | 'flag' | 'time' | 'date' | 'json'}${'' | '?' | '|null' | '?|null'}`;

/** Which expression, as its place in the tree and as itself. */
const EXPRESSION = { expid: 'text', expression_id: 'text', name: 'text' } as const;
const WORKITEM = { expid: 'text', workitem_id: 'text', participant: 'text|null' } as const;
const CALLBACK = {
  workitem_id: 'text',
  expression_id: 'text',
  participant: 'text',
  send: 'text',
  at: 'time?',
  try: 'number',
} as const;
/** What somebody gave (HISTORY_FIELDS): fields, or of many how many characters they have and a hash that tells whether they are the same. */
const GIVEN = { given: 'json?', given_size: 'number?', given_hash: 'text?' } as const;
const NAMED = { expid: 'text', name: 'text' } as const;
const CODED = { expid: 'text', code: 'text|null' } as const;

export const HISTORY = {
  // `continued_from`, `continued_as`: ids of workflows (continue_as_new). `retry_of`: the one it is another try of.
  'workflow.launched': {
    ...{ name: 'text|null', history_max: 'number?', continued_from: 'text?', retry_of: 'text?' },
    ...GIVEN,
  },
  'workflow.paused': {},
  'workflow.resumed': {},
  'workflow.cancelling': {},
  'workflow.completed': { continued_as: 'text?' },
  'workflow.cancelled': {},
  'workflow.killed': {},
  // `parent_id`: where it does not follow from the place: below a branch, in a sub-process. `branch`: of an iterator, `index` and the beginning of its `element`.
  'expression.applied': { ...EXPRESSION, parent_id: 'text?', branch: 'json?' },
  // `goes_on`: its parent has its reply, and it stays.
  'expression.replied': { ...EXPRESSION, goes_on: 'flag?' },
  'expression.failed': { expid: 'text', expression_id: 'text', class: 'text', message: 'text', handled_by: 'text?' },
  // `handler`: what is applied in its place.
  'expression.cancelled': { ...EXPRESSION, goes_on: 'flag?', handler: 'text?' },
  'expression.replayed': { ...EXPRESSION, ...GIVEN },
  // Asked for by somebody; what comes of it follows.
  'expression.cancelling': EXPRESSION,
  'expression.dying': EXPRESSION,
  // `tree`: the hash of another one.
  'expression.reapplying': { ...EXPRESSION, ...GIVEN, tree: 'text?' },
  'expression.replying': { ...EXPRESSION, ...GIVEN },
  // `breakpoint`: a place that is to be stopped at, or was.
  'expression.paused': { ...EXPRESSION, breakpoint: 'text?' },
  'expression.resumed': { ...EXPRESSION, breakpoint: 'text?' },
  // It waits for an event before it sets out; its time has run out.
  'expression.awaiting': EXPRESSION,
  'expression.timing_out': EXPRESSION,
  // `changed`: names of fields that are others than those the launch, or the participant before, came with (HISTORY_FIELDS); of very many, their number.
  'workitem.opened': { ...WORKITEM, changed: 'json?', changed_count: 'number?' },
  'workitem.proceeded': { ...WORKITEM, ...GIVEN },
  'workitem.failed': { ...WORKITEM, class: 'text', message: 'text' },
  'workitem.closed': { ...WORKITEM, status: 'text' },
  'workitem.edited': { expid: 'text', workitem_id: 'text', ...GIVEN },
  'workitem.redelivering': { expid: 'text', workitem_id: 'text', participant: 'text' },
  'callback.delivered': { ...CALLBACK, status: 'number?|null', milliseconds: 'number?', overtaken: 'flag?' },
  'callback.refused': {
    ...CALLBACK,
    status: 'number?|null',
    error: 'text?|null',
    milliseconds: 'number?',
    next_at: 'date|null',
  },
  'callback.exhausted': { ...CALLBACK, tries: 'number' },
  // `expression_id` of these three: rounds and branches have the same place. Older texts have none.
  'timer.set': { expid: 'text', expression_id: 'text?', due_at: 'date', action: 'text' },
  'timer.fired': { expid: 'text', expression_id: 'text?', action: 'text' },
  // `event_id`, `type`: of one that came from outside.
  'event.received': { expid: 'text', expression_id: 'text?', event: 'text', event_id: 'text?', type: 'text?' },
  'message.sent': NAMED,
  'message.received': NAMED,
  'signal.thrown': NAMED,
  // `launched`: the id of the workflow.
  'definition.launched': { expid: 'text', definition: 'text', launched: 'text' },
  'error.thrown': CODED,
  'escalation.thrown': CODED,
  // One for each token that goes on, with the flow it takes; none where it goes on without one (an end, a link).
  'token.passed': { expid: 'text', element: 'text', flow: 'text?', end: 'flag?' },
} as const satisfies { readonly [kind: string]: { readonly [part: string]: PartType } };

export type HistoryKind = keyof typeof HISTORY;
export const HISTORY_KINDS = Object.keys(HISTORY) as readonly HistoryKind[];

type Base<Type> = Type extends `text${string}` | `date${string}`
  ? string
  : Type extends `number${string}` | `time${string}`
    ? number
    : Type extends `json${string}`
      ? Json
      : boolean;
type Value<Type> = Type extends `${string}|null` ? Base<Type> | null : Base<Type>;
type IsOptional<Type> = Type extends `${string}?${string}` ? true : false;
type Said<Parts> = {
  readonly [Part in keyof Parts as IsOptional<Parts[Part]> extends true ? never : Part]: Value<Parts[Part]>;
} & { readonly [Part in keyof Parts as IsOptional<Parts[Part]> extends true ? Part : never]?: Value<Parts[Part]> };

/** Who asked for what the entry says, and why; in the first entry of a step, where somebody said so. */
type Sayings = {
  readonly actor?: string;
  readonly reason?: string;
  /** The batch it was done by, and the number of its item there. */
  readonly batch?: string;
  readonly batch_item?: number;
};

/** What happened: its kind and what belongs to it. `at` stands in an entry only where it differs from the row's; the number `n` follows from
 * the row's `firstN`. */
export type HistoryEntry<Kind extends HistoryKind = HistoryKind> = {
  [Each in Kind]: { readonly kind: Each } & Said<(typeof HISTORY)[Each]> & Sayings;
}[Kind];

/** The parts of a kind, for what goes through them by name. */
export type PartOf<Kind extends HistoryKind> = keyof (typeof HISTORY)[Kind] & string;

/** Parts that are kept as milliseconds since 1970. */
const TIMES: ReadonlySet<string> = new Set(
  Object.values<{ readonly [part: string]: PartType }>(HISTORY).flatMap((parts) =>
    Object.keys(parts).filter((part) => parts[part]?.startsWith('time')),
  ),
);
export const isTime = (part: string, value: Json): value is number => TIMES.has(part) && typeof value === 'number';
