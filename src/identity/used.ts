/** When a key or a secret was last used is written this often, in milliseconds. */
export const USED_EVERY_MS = 300_000;
