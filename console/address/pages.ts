import { STATUSES } from '../picture/standing.ts';
import { codec, oneOf, severalIn, severalOf, text, whole, words } from './query.ts';

/* What each page's address can say. */

/** Of pages with figures: how many minutes they look back. */
export const figures = codec({ minutes: whole() });
export const MINUTES_MAX = 1_440;

/** Columns of the list of workflows that can be left out, and those that are shown unless something else is said. */
export const COLUMNS = ['turn', 'launched', 'moved', 'ended', 'error', 'key', 'definition'] as const;
export const USUAL_COLUMNS: readonly (typeof COLUMNS)[number][] = ['turn', 'launched', 'moved', 'ended', 'error'];

export const workflows = codec({
  status: severalOf(STATUSES),
  name: text(),
  participant: text(),
  tag: text(),
  key: text(),
  /** `path=value`. */
  field: text(),
  /** Ranges (address/range.ts). */
  launched: text(),
  ended: text(),
  moved: text(),
  /** The beginning of the hash of a definition. */
  definition: text(),
  /** The class of an error that waits. */
  error: text(),
  order: oneOf(['newest', 'oldest'] as const, 'newest'),
  /** Which columns are shown; none: the usual. */
  cols: severalIn(COLUMNS),
  cursor: text(),
});

export const VIEWS = ['diagram', 'outline', 'timeline', 'history', 'fields', 'json'] as const;
export const TABS = ['what', 'fields', 'tries', 'tree', 'history'] as const;
export const workflow = codec({
  /** Empty: the diagram where there is room for one, else the outline. */
  view: oneOf(['', ...VIEWS] as const, ''),
  /** The place that is looked at. */
  sel: text(),
  /** Further places that are chosen in the outline. */
  also: words(),
  tab: oneOf(TABS, 'what'),
  open: words(),
  fold: words(),
  /** The moment; null: now. */
  at: whole(),
  show: oneOf(['story', 'all'] as const, 'story'),
  /** Lines of the story that are open, by the number of their first entry. */
  steps: words(),
  order: oneOf(['newest', 'oldest'] as const, 'newest'),
  q: text(),
  small: oneOf(['shown', 'hidden'] as const, 'shown'),
  /** Branches of a crowd that are compared, by their first expressions. */
  lanes: words(),
  /** What the slider of moments goes by. */
  axis: oneOf(['entry', 'time'] as const, 'entry'),
  /** Of the history: kinds, joined by commas; whose doing it was. */
  kinds: words(),
  actor: text(),
  place: text(),
  /** What the fields are compared with: `before` (the entry before), `launch`, or the number of an entry; empty: nothing. */
  than: text(),
  /** The part of the timeline that is looked at (address/range.ts). */
  range: text(),
  /** Places of the timeline whose rounds or branches have a row each. */
  rows: words(),
});

/** Two moments of one workflow, or another workflow beside it. */
export const compare = codec({ a: whole(), b: whole(), with: text() });

export const launch = codec({
  from: text(),
  definition: text(),
  example: text(),
});

export const worklist = codec({
  participant: text(),
  status: oneOf(['', 'open', 'failed'] as const, ''),
  overdue: oneOf(['', '1'] as const, ''),
  /** Only what whoever is signed in has claimed. */
  mine: oneOf(['', '1'] as const, ''),
  order: oneOf(['oldest', 'any'] as const, 'oldest'),
  /** Looked for in what is shown. */
  q: text(),
  cursor: text(),
});
/** What errors are grouped by: the words of the page, and what the server calls them. */
export const GROUPINGS = {
  message: 'fingerprint',
  class: 'class',
  participant: 'participant',
  definition: 'definition',
} as const;
export type Grouping = keyof typeof GROUPINGS;
export const errors = codec({
  by: oneOf(Object.keys(GROUPINGS) as Grouping[], 'message'),
  class: text(),
  participant: text(),
  name: text(),
  /** The beginning of the hash of a definition; a place of its tree. */
  definition: text(),
  place: text(),
  /** Since when they happened: a range (address/range.ts). */
  since: text(),
  /** The group that is open. */
  print: text(),
});
export const MESSAGES = ['active', 'timeout', 'error', 'cancel'] as const;
export const deliveries = codec({
  state: oneOf(['', 'owed', 'failing', 'spent'] as const, ''),
  /** What it says. */
  message: oneOf(['', ...MESSAGES] as const, ''),
  participant: text(),
  host: text(),
  /** How the last try was answered. */
  answer: oneOf(['', '5xx', '4xx', '3xx', 'none'] as const, ''),
  /** Since when its workitem waits: a range (address/range.ts). */
  since: text(),
  workflow: text(),
  cursor: text(),
});
/** `due`: until when, `..1h`, or between two times (address/range.ts). */
export const timers = codec({ due: text(), action: text(), workflow: text(), cursor: text() });
/** Who waits for which event. */
export const waiting = codec({ type: text(), key: text(), cursor: text() });
export const batches = codec({
  state: oneOf(['', 'collecting', 'running', 'completed', 'stopped', 'failed'] as const, ''),
  outcome: oneOf(['', 'done', 'failed', 'skipped', 'left'] as const, ''),
  cursor: text(),
});
export const audit = codec({ action: text(), actor: text(), from: text(), to: text(), cursor: text() });
export const signIn = codec({ next: text() });
export const definition = codec({ version: text(), a: text(), b: text() });
/** `ignored`: expressions whose participant is not going to answer. */
export const playground = codec({ workflow: text(), participant: text(), ignored: words() });
export const editor = codec({
  name: text(),
  version: text(),
  recipe: text(),
  example: text(),
  from: text(),
  /** In which of the formats it is shown first; empty: as it is stored. */
  format: oneOf(['', 'radial', 'json', 'xml'] as const, ''),
});
export const plain = codec({});
