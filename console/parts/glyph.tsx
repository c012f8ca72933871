import { visible } from './texts.ts';

/* Our own glyphs, drawn: fonts lack some of the characters. */

const PATHS: { readonly [name: string]: string } = {
  done: 'M2.5 7.5 6 11l6.5-8',
  live: 'M4 2.5v9l7.5-4.5z',
  waits: 'M7 1.8a5.2 5.2 0 1 0 .01 0M7 4v3.2h3',
  failed: 'm3 3 8 8M11 3l-8 8',
  cancelling: 'M7 1.8a5.2 5.2 0 1 0 .01 0M3.5 10.500 10.500 3.5',
  cancelled: 'M7 1.8a5.2 5.2 0 1 0 .01 0m-2.200 3 4.400 4.400m0-4.400-4.400 4.400',
  'to come': 'M7 3a4 4 0 1 0 .01 0',
  skipped: 'M3 7h8',
  paused: 'M4.500 2.500v9M9.500 2.500v9',
  killed: 'M3 3h8v8H3z',
  person: 'M7 2.200a2.300 2.300 0 1 0 .01 0M2.500 12.500c.4-5 8.600-5 9 0',
  copy: 'M4.500 4.500h7v7h-7zM2.500 9.500v-7h7',
  next: 'M2 7h9.500M8 3.500 11.500 7 8 10.500',
  event: 'M8 1.500 3.500 8H7l-1 4.500L10.500 6H7z',
  home: 'M1.800 7.200 7 2.500l5.200 4.700M3.500 6.500v5.500h7V6.500',
  list: 'M2 3.500h10M2 7h10M2 10.500h10',
  work: 'm1.800 4.200 1.300 1.300 2.400-2.800M7.800 4H12.200M1.800 9.700l1.300 1.300 2.400-2.800M7.800 9.500h4.400',
  warn: 'M7 2 12.800 12H1.200zM7 5.800v2.700M7 10.300v.1',
  more: 'M3 7h.01M7 7h.01M11 7h.01',
  open: 'M1.500 3.500h11v7.500h-11zl5.500 4 5.500-4',
};
const FILLED = new Set(['live', 'killed']);
const BOLD = new Set(['failed', 'paused', 'more']);

/** A person to the right of another glyph, and how wide the two are. */
const BESIDE = 'M25 2.700a2.200 2.200 0 1 0 .01 0M20.700 12.500c.4-4.700 8.200-4.700 8.600 0';
const PAIR_WIDTH = 31;

/**
 * @param name a state of a place, a workflow or a workitem. @param isPerson with a person beside it: in one drawing, for each drawing in a page is a layer
 * to the browser, and a picture has hundreds of boxes
 */
export function Glyph({
  name,
  size = 14,
  isPerson = false,
}: {
  readonly name: string;
  readonly size?: number;
  readonly isPerson?: boolean;
}) {
  return (
    <svg
      class="glyph"
      width={isPerson ? (size * PAIR_WIDTH) / 14 : size}
      height={size}
      viewBox={`0 0 ${isPerson ? PAIR_WIDTH : 14} 14`}
      aria-hidden="true"
    >
      <path
        d={PATHS[name] ?? PATHS['to come']}
        fill={FILLED.has(name) ? 'currentColor' : 'none'}
        stroke="currentColor"
        stroke-width={BOLD.has(name) ? 2.4 : 1.6}
        stroke-linecap="round"
        stroke-linejoin="round"
      />
      {isPerson && <path d={BESIDE} fill="none" stroke="var(--dim)" stroke-width="1.5" stroke-linecap="round" />}
    </svg>
  );
}

/** The sign of the product: a wheel, and whose turn it is. */
export const Mark = ({ size = 20 }: { readonly size?: number }) => (
  <svg class="sign-of-rota" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true">
    <circle cx="7.5" cy="8.5" r="5.5" fill="none" stroke="var(--accent)" stroke-width="2.4" />
    <circle cx="11.8" cy="4.2" r="3.4" fill="var(--accent)" stroke="var(--panel)" stroke-width="1.2" />
  </svg>
);

const STATES: { readonly [status: string]: readonly [glyph: string, look: string] } = {
  completed: ['done', 'done'],
  running: ['live', 'live'],
  error: ['failed', 'failed'],
  paused: ['paused', 'waits'],
  cancelling: ['cancelling', 'cancelling'],
  cancelled: ['cancelled', 'cancelled'],
  killed: ['killed', 'plain'],
  open: ['open', 'waits'],
  failed: ['failed', 'failed'],
  owed: ['waits', 'waits'],
  delivered: ['done', 'done'],
  spent: ['failed', 'failed'],
  failing: ['failed', 'waits'],
  active: ['live', 'live'],
  awaiting: ['waits', 'waits'],
};

/** A state in glyph, word, border and colour. It has no state of its own, so who shows very many calls it. */
export function Chip({ state, word }: { readonly state: string; readonly word?: string }) {
  const [glyph, look] = STATES[state] ?? ['to come', 'plain'];
  return (
    <span class={`chip ${look}`}>
      {Glyph({ name: glyph, size: 12 })}
      <bdi>{visible(word ?? state)}</bdi>
    </span>
  );
}
