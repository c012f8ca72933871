import { type OpenTable, table } from './table.ts';

/** Definitions as they were posted, by the hash of what was read and that of the text. They go with their definition (retire.ts). */
export type Sources = {
  keep(source: SourceRow): Promise<void>;
  text(key: Pick<SourceRow, 'definition' | 'hash'>): Promise<string | null>;
};

export type SourceRow = { readonly definition: string; readonly hash: string; readonly text: string };

export const SOURCE = table<SourceRow>()({
  name: 'source',
  key: ['definition', 'hash'],
  columns: { definition: 'text', hash: 'text', text: 'text' },
  sweep: null,
});

export function openSources(open: OpenTable): Sources {
  const rows = open(SOURCE);
  return {
    keep: async (source) => void (await rows.insert(source)),
    text: async (key) => (await rows.get(key))?.text ?? null,
  };
}
