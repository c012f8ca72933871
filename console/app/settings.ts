import { effect, signal } from '@preact/signals';

/* What a person has chosen for this device. */

export type Theme = 'system' | 'light' | 'dark';
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

export const theme = kept<Theme>('theme', ['system', 'light', 'dark'], 'system');
export const zone = kept<Zone>('zone', ['local', 'UTC'], 'local');
export const singleKeys = kept<'on' | 'off'>('keys', ['on', 'off'], 'on');

effect(() => {
  document.documentElement.style.colorScheme = theme.value === 'system' ? 'light dark' : theme.value;
  document.documentElement.dataset['theme'] = theme.value;
});

export const zoneName = (): string =>
  zone.value === 'UTC' ? 'UTC' : Intl.DateTimeFormat().resolvedOptions().timeZone || 'local';

/* Texts somebody was writing, kept until they are sent. */

/** Characters of one draft. */
export const DRAFT_MAX = 1_000_000;
export const draftOf = (name: string): string | null => read(`draft.${name}`);
export function keepDraft(name: string, text: string | null): void {
  try {
    if (text === null) window.localStorage.removeItem(`rota.draft.${name}`);
    else if (text.length <= DRAFT_MAX) window.localStorage.setItem(`rota.draft.${name}`, text);
  } catch {
    // Full or forbidden: the text is still in the page.
  }
}
