import { type OpenTable, table } from './table.ts';

/** Definitions by the hash of their content. They are written by the steps that launch them, and thrown away by `retire` once unused. */
export type DefinitionTexts = {
  /** The stored text of a definition, or null. */
  text(hash: string): Promise<string | null>;
};

/** `used_at` is the business of those who write and throw away (save-statements.ts, retire.ts). */
type StoredDefinition = { readonly hash: string; readonly stored: string };

export const DEFINITION = table<StoredDefinition>()({
  name: 'definition',
  key: ['hash'],
  columns: { hash: 'text', stored: 'text' },
  sweep: null,
});

export function openDefinitionTexts(open: OpenTable): DefinitionTexts {
  const rows = open(DEFINITION);
  return { text: async (hash) => (await rows.get({ hash }))?.stored ?? null };
}
