import { go } from '../address/router.ts';
import { helpOpen, paletteOpen } from './palette-state.ts';
import { singleKeys } from './settings.ts';

/* Keys that work on every page. Those of one letter can be switched off (Settings). */

const GOES: { readonly [key: string]: string } = {
  h: '/',
  w: '/workflows',
  l: '/worklist',
  e: '/errors',
  d: '/definitions',
  p: '/playground',
};

type Handler = (key: string, event: KeyboardEvent) => boolean;
const handlers = new Set<Handler>();
/** Keys of one page; true: it was one of them. */
export function onKey(handler: Handler): () => void {
  handlers.add(handler);
  return () => handlers.delete(handler);
}

export function listenForKeys(): () => void {
  let going = false;
  const listen = (event: KeyboardEvent): void => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
      event.preventDefault();
      paletteOpen.value = true;
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || singleKeys.value === 'off') return;
    if (document.querySelector('dialog[open]') !== null) return;
    if (going) {
      going = false;
      const to = GOES[event.key];
      if (to !== undefined) {
        event.preventDefault();
        go(to);
        return;
      }
    }
    if (event.key === 'g') going = true;
    else if (event.key === '?') helpOpen.value = true;
    else if (event.key === '/') {
      event.preventDefault();
      paletteOpen.value = true;
    } else {
      const taken = [...handlers].filter((handler) => handler(event.key, event)).length > 0;
      if (taken || walkRows(event.key)) event.preventDefault();
    }
  };
  window.addEventListener('keydown', listen);
  return () => window.removeEventListener('keydown', listen);
}

/** In lists without keys of their own: j and k go from row to row, where Enter opens what has the focus; f goes to the filters. */
function walkRows(key: string): boolean {
  if (key === 'f') {
    const field = document.querySelector<HTMLElement>('main form[role=search] :is(input, select)');
    field?.focus();
    return field !== null;
  }
  if (key !== 'j' && key !== 'k') return false;
  const rows = [...document.querySelectorAll('main table.cards-when-narrow tbody tr')];
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const to = rows[key === 'j' ? Math.min(at + 1, rows.length - 1) : Math.max(at - 1, 0)];
  to?.querySelector<HTMLElement>('a[href], button')?.focus();
  return to !== undefined;
}

/** Whether a key belongs to what has the focus: Enter presses a button and follows a link. */
export const isPressing = (event: KeyboardEvent): boolean =>
  event.target instanceof Element && event.target.closest('a[href], button, summary') !== null;

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
