import { createHash } from 'node:crypto';
import { type OpenTable, table } from './table.ts';

/** Definitions as they were posted, by the hash of what was read and that of the text. They go with their definition (retire.ts). */
export type Sources = {
  keep(source: SourceRow): Promise<void>;
  text(key: Pick<SourceRow, 'definition' | 'hash'>): Promise<string | null>;
};

export type SourceRow = { readonly definition: string; readonly hash: string; readonly text: string };

/** Each workflow keeps it, so it is no longer than what nobody finds another text for. */
const HASH_DIGITS = 24;
const digits = (text: string): string => createHash('sha256').update(text).digest('hex');

/** What a text is kept under. */
export const sourceHash = (text: string): string => digits(text).slice(0, HASH_DIGITS);

/** Whether a text was kept under this hash: the releases before kept all its digits. */
export const isSourceHash = (hash: unknown, text: string): boolean =>
  typeof hash === 'string' && hash.length >= HASH_DIGITS && digits(text).startsWith(hash);

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
