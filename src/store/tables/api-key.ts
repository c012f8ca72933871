import {
  begun,
  NEVER_SECONDS,
  ROTATED_COLUMNS,
  ROTATED_LISTS,
  ROTATED_SWEEP,
  type Rotated,
  type RotatedRow,
  rotatedOf,
  rotation,
} from './rotated.ts';
import { fromNow, type OpenTable, table } from './table.ts';

/** API keys: who may call, and what they may do. */
export type ApiKeys = Rotated<ApiKeyRow> & {
  /** False when there is a key of this id already. */
  add(key: NewApiKey): Promise<boolean>;
  /** Gives it another hash; false when it is revoked, or not of this generation any more. */
  rotate(
    key: Pick<ApiKeyRow, 'id' | 'generation'>,
    set: { readonly hash: string; readonly previous: string | null },
  ): Promise<boolean>;
  used(id: string): Promise<void>;
};

export type ApiKeyRow = RotatedRow & {
  readonly name: string;
  /** Separated by blanks. */
  readonly scopes: string;
  readonly hash: string;
  readonly rateLimit: string | null;
  /** It is the value of ADMIN_KEY. */
  readonly registered: boolean;
  readonly expiresAt: number | null;
  readonly lastUsedAt: number | null;
};

export type NewApiKey = Pick<
  ApiKeyRow,
  'id' | 'tenant' | 'name' | 'scopes' | 'hash' | 'rateLimit' | 'registered' | 'createdBy'
> & {
  /** Null: never. */
  readonly expiresInSeconds: number | null;
};

export const API_KEY = table<ApiKeyRow>()({
  name: 'api_key',
  key: ['id'],
  columns: {
    ...ROTATED_COLUMNS,
    name: 'text',
    scopes: 'text',
    hash: 'text',
    rateLimit: 'text',
    registered: 'boolean',
    expiresAt: 'instant',
    lastUsedAt: 'instant',
  },
  lists: ROTATED_LISTS,
  sweep: ROTATED_SWEEP,
});

export function openApiKeys(open: OpenTable): ApiKeys {
  const rows = open(API_KEY);
  return {
    ...rotatedOf(rows),
    add: ({ expiresInSeconds, ...key }) =>
      rows.insert({
        ...key,
        ...begun(expiresInSeconds ?? NEVER_SECONDS),
        previous: null,
        expiresAt: expiresInSeconds === null ? null : fromNow(expiresInSeconds),
        lastUsedAt: null,
      }),
    rotate: ({ id, generation }, given) => {
      const { set, when } = rotation(generation);
      return rows.update({ id }, { ...given, ...set }, when);
    },
    used: async (id) => void (await rows.update({ id }, { lastUsedAt: fromNow(0) })),
  };
}
