/*
 * A database that keeps nothing is made anew each time it is opened, which takes seconds. Whoever opens many in a row, as the tests do,
 * makes one, keeps what was in its folder as an archive, and has the others begin with that.
 */

let template: (() => Blob) | null = null;

/** From now on `memory:` begins with the archive (what PGlite's `dumpDataDir('none')` gives); null: with an empty database. */
export function setMemoryTemplate(archive: (() => Blob) | null): void {
  template = archive;
}

/** Null: it begins empty. */
export const memoryTemplate = (): Blob | null => template?.() ?? null;
