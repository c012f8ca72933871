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
    } else for (const handler of handlers) if (handler(event.key, event)) event.preventDefault();
  };
  window.addEventListener('keydown', listen);
  return () => window.removeEventListener('keydown', listen);
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
