import { STATUSES } from '../picture/standing.ts';
import { codec, oneOf, severalOf, text, whole, words } from './query.ts';

/* What each page's address can say. */

export const home = codec({});

export const workflows = codec({
  status: severalOf(STATUSES),
  name: text(),
  participant: text(),
  tag: text(),
  definition: text(),
  launched: text(),
  moved: text(),
  ended: text(),
  error: text(),
  cursor: text(),
});

export const VIEWS = ['diagram', 'outline', 'timeline', 'history', 'fields', 'json'] as const;
export const TABS = ['what', 'fields', 'tries', 'tree', 'history'] as const;
export const workflow = codec({
  view: oneOf(VIEWS, 'diagram'),
  /** The place that is looked at. */
  sel: text(),
  tab: oneOf(TABS, 'what'),
  open: words(),
  fold: words(),
  /** The moment; null: now. */
  at: whole(),
  show: oneOf(['story', 'all'] as const, 'story'),
  order: oneOf(['newest', 'oldest'] as const, 'newest'),
  q: text(),
  small: oneOf(['shown', 'hidden'] as const, 'shown'),
});

export const launch = codec({
  from: text(),
  definition: text(),
  example: oneOf(['', 'order', 'review', 'escalation'] as const, ''),
});

export const worklist = codec({ participant: text(), status: oneOf(['', 'open', 'failed'] as const, '') });
export const errors = codec({
  by: oneOf(['message', 'class', 'place'] as const, 'message'),
  class: text(),
  print: text(),
});
export const deliveries = codec({
  state: oneOf(['', 'owed', 'failing', 'spent'] as const, ''),
  participant: text(),
  host: text(),
});
export const timers = codec({ action: text() });
export const playground = codec({ workflow: text() });
export const editor = codec({ name: text(), format: oneOf(['', 'radial', 'json', 'xml'] as const, '') });
export const plain = codec({});
