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
  open: 'M1.500 3.500h11v7.500h-11zl5.500 4 5.500-4',
};
const FILLED = new Set(['live', 'killed']);

/** @param name a state of a place, a workflow or a workitem */
export function Glyph({ name, size = 14 }: { readonly name: string; readonly size?: number }) {
  return (
    <svg class="glyph" width={size} height={size} viewBox="0 0 14 14" aria-hidden="true">
      <path
        d={PATHS[name] ?? PATHS['to come']}
        fill={FILLED.has(name) ? 'currentColor' : 'none'}
        stroke="currentColor"
        stroke-width={name === 'failed' || name === 'paused' ? 2.4 : 1.6}
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  );
}

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

/** A state in glyph, word, border and colour. */
export function Chip({ state, word }: { readonly state: string; readonly word?: string }) {
  const [glyph, look] = STATES[state] ?? ['to come', 'plain'];
  return (
    <span class={`chip ${look}`}>
      <Glyph name={glyph} size={12} />
      {word ?? state}
    </span>
  );
}
