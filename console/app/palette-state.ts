import { signal } from '@preact/signals';

export const paletteOpen = signal(false);
/** The list of keys. */
export const helpOpen = signal(false);

export type Command = { readonly word: string; readonly hint: string; readonly run: () => void };
/** Commands and places of the page that is open. */
export const pageCommands = signal<readonly Command[]>([]);
