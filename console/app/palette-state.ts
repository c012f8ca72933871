import { signal } from '@preact/signals';

export const paletteOpen = signal(false);
/** The list of keys. */
export const helpOpen = signal(false);

/** `to`: it leads to that address; else `run` does something here. */
export type Command = { readonly word: string; readonly hint: string } & (
  | { readonly to: string; readonly run?: undefined }
  | { readonly run: () => void; readonly to?: undefined }
);
/** Commands and places of the page that is open. */
export const pageCommands = signal<readonly Command[]>([]);
