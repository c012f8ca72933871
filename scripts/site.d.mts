/** All files of the site by name: texts, and pictures as bytes. */
export function makeSite(): Promise<ReadonlyMap<string, string | Uint8Array>>;
/** The page a document becomes. */
export function pageOf(file: string): string;
/** The anchor of a heading. */
export function slug(text: string): string;
/** @returns what was written; null where there is nothing to make it with */
export function writeSite(into: string): Promise<string | null>;
