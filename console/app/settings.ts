import { effect, signal } from '@preact/signals';
import { me } from '../api/session.ts';
import type { Hours } from '../parts/texts.ts';
import { keptZone, offsetText } from './zone-name.ts';

/* What a person has chosen for this device. */

export type Theme = 'system' | 'light' | 'dark' | 'contrast';
export type Zone = 'local' | 'UTC';

function kept<Value extends string>(name: string, values: readonly Value[], first: Value) {
  const one = signal<Value>(values.find((value) => value === read(name)) ?? first);
  effect(() => write(name, one.value));
  return one;
}

/** A browser may refuse to keep anything; then choices last as long as the page. */
function read(name: string): string | null {
  try {
    return window.localStorage.getItem(`rota.${name}`);
  } catch {
    return null;
  }
}
function write(name: string, value: string): void {
  try {
    window.localStorage.setItem(`rota.${name}`, value);
  } catch {
    // Full or forbidden: the choice lasts as long as the page.
  }
}

export const theme = kept<Theme>('theme', ['system', 'light', 'dark', 'contrast'], 'system');
export const zone = kept<Zone>('zone', ['local', 'UTC'], 'local');
export const hours = kept<Hours>('hours', ['24', '12'], '24');
export const density = kept<'usual' | 'dense'>('density', ['usual', 'dense'], 'usual');
/** off: nothing moves by itself, whatever the system says. */
export const motion = kept<'system' | 'off'>('motion', ['system', 'off'], 'system');
export const isStill = (): boolean =>
  motion.value === 'off' || window.matchMedia('(prefers-reduced-motion: reduce)').matches;
export const singleKeys = kept<'on' | 'off'>('keys', ['on', 'off'], 'on');

effect(() => {
  const { style, dataset } = document.documentElement;
  style.colorScheme = theme.value === 'light' || theme.value === 'dark' ? theme.value : 'light dark';
  dataset['theme'] = theme.value;
  dataset['density'] = density.value;
  dataset['motion'] = motion.value;
});

/**
 * What the zone of this device is called. To ask takes the browser longer than a page has for its first picture, so it is asked after that, and kept: the
 * next page knows it at once. Until it is known, and where the clock of the device goes otherwise than when it was kept, how far it is from UTC is said.
 */
const ZONE = 'zone-name';
const ZONE_ASKED_AFTER_MS = 1_000;
const behindUtc = new Date().getTimezoneOffset();
const zoneHere = signal(keptZone(read(ZONE), behindUtc) ?? offsetText(behindUtc));
setTimeout(() => {
  const name = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!name) return;
  zoneHere.value = name;
  write(ZONE, `${behindUtc} ${name}`);
}, ZONE_ASKED_AFTER_MS);

export const zoneName = (): string => (zone.value === 'UTC' ? 'UTC' : zoneHere.value);

/* Texts somebody was writing, kept until they are sent, each for whom it was written by. */

/** Characters of one draft. */
export const DRAFT_MAX = 1_000_000;
const DRAFT_DAYS = 7;
const DRAFTS = 'rota.draft.';
/** Key and tenant of whoever writes now. */
let writer = 'open';
effect(() => {
  const who = me.value;
  if (who === null) return;
  writer = `${who.id ?? who.kind}.${who.tenant}`;
  forgetDrafts((at) => at < Date.now() - DRAFT_DAYS * 86_400_000);
});

export function draftOf(name: string): string | null {
  const kept = read(`draft.${writer}.${name}`);
  const end = kept?.indexOf(' ') ?? -1;
  return kept === null || end < 0 ? null : kept.slice(end + 1);
}
export function keepDraft(name: string, text: string | null): void {
  if (text !== null && text.length > DRAFT_MAX) return;
  if (text !== null) write(`draft.${writer}.${name}`, `${Date.now()} ${text}`);
  else
    try {
      window.localStorage.removeItem(`${DRAFTS}${writer}.${name}`);
    } catch {
      // Forbidden: then nothing was kept either.
    }
}

/** What was filled into workitems, and trees that were edited; others are kept as soon as they are looked at. */
const WORK = /\.(item|tree)\./;
/** How much is kept here that was done and not sent. */
export function draftsKept(): number {
  try {
    return Object.keys(window.localStorage).filter((name) => name.startsWith(DRAFTS) && WORK.test(name)).length;
  } catch {
    // Forbidden: then nothing was kept.
    return 0;
  }
}

/** Forgets the drafts `which` says, by when they were kept (milliseconds since 1970). */
export function forgetDrafts(which: (at: number) => boolean): void {
  try {
    for (const name of Object.keys(window.localStorage))
      if (name.startsWith(DRAFTS) && which(Number.parseInt(window.localStorage.getItem(name) ?? '', 10) || 0))
        window.localStorage.removeItem(name);
  } catch {
    // Forbidden: then nothing was kept either.
  }
}

/* What somebody keeps for longer than a draft, such as views of a list: for the key and tenant, until they sign out. */

const KEPT = 'rota.kept.';
export const keptText = (name: string): string | null => read(`kept.${writer}.${name}`);
export const keepText = (name: string, text: string): void => write(`kept.${writer}.${name}`, text);
export function forgetKept(): void {
  try {
    for (const name of Object.keys(window.localStorage))
      if (name.startsWith(KEPT)) window.localStorage.removeItem(name);
  } catch {
    // Forbidden: then nothing was kept either.
  }
}
