import { type OpenTable, table } from './table.ts';

/** Idempotency keys: what was answered to a request, for when it comes again. */
export type Answers = {
  /** The finished answer of a key; one that is under way has no `status` yet; null when there is no such key. */
  saved(scope: string, key: string): Promise<SavedAnswer | null>;
  /** Claims a key; false when it is there already (finished or under way). `at`: business time. */
  reserve(row: {
    readonly scope: string;
    readonly key: string;
    readonly fingerprint: string;
    readonly at: number;
  }): Promise<boolean>;
  finish(row: SavedAnswer & { readonly scope: string; readonly key: string }): Promise<void>;
  drop(scope: string, key: string): Promise<void>;
};

export type SavedAnswer = {
  readonly fingerprint: string;
  readonly status: number | null;
  readonly body: string | null;
  readonly contentType: string | null;
};

type StoredAnswer = SavedAnswer & { readonly scope: string; readonly key: string; readonly reservedAt: number };

/** Keys are kept for a day. */
const DAY_MS = 86_400_000;

export const IDEMPOTENCY_KEY = table<StoredAnswer>()({
  name: 'idempotency_key',
  key: ['scope', 'key'],
  columns: {
    scope: 'text',
    key: 'text',
    fingerprint: 'text',
    reservedAt: 'bigint',
    status: 'integer',
    body: 'text',
    contentType: 'text',
  },
  sweep: { by: 'reservedAt', keepMs: DAY_MS },
});

export function openAnswers(open: OpenTable): Answers {
  const rows = open(IDEMPOTENCY_KEY);
  return {
    saved: async (scope, key) => {
      const row = await rows.get({ scope, key });
      if (row === null) return null;
      const { fingerprint, status, body, contentType } = row;
      return { fingerprint, status, body, contentType };
    },
    reserve: ({ scope, key, fingerprint, at: reservedAt }) =>
      rows.insert({ scope, key, fingerprint, reservedAt, status: null, body: null, contentType: null }),
    finish: async ({ scope, key, fingerprint, status, body, contentType }) =>
      void (await rows.update({ scope, key }, { fingerprint, status, body, contentType })),
    drop: async (scope, key) => void (await rows.delete({ scope, key })),
  };
}
