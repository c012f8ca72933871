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

/** What the server signs with. */
export type SecretRows = Rotated<SecretRow> & {
  /** False when there is a secret of this id already. */
  add(
    secret: Pick<SecretRow, 'id' | 'tenant' | 'kind' | 'type' | 'match' | 'value' | 'previous' | 'createdBy'>,
  ): Promise<boolean>;
  /** Gives it another value; false when it is revoked, or not of this generation any more. */
  rotate(
    secret: Pick<SecretRow, 'id' | 'generation'>,
    set: { readonly value: string; readonly previous: string | null },
  ): Promise<boolean>;
  used(id: string): Promise<void>;
  /** Writes the same value sealed in another way; false when it is not of this generation any more. */
  reseal(
    secret: Pick<SecretRow, 'id' | 'generation'>,
    set: { readonly value: string; readonly previous: string | null },
  ): Promise<boolean>;
};

export type SecretRow = RotatedRow & {
  /** `capability`: URLs of workitems, sessions; `webhook`: callbacks. */
  readonly kind: string;
  /** How it signs. */
  readonly type: string;
  /** The beginning of the URLs it is for; empty: all. */
  readonly match: string;
  /** Sealed, where SECRETS_KEY was set when it was written. */
  readonly value: string;
  readonly lastUsedAt: number | null;
};

export const SECRET = table<SecretRow>()({
  name: 'secret',
  key: ['id'],
  columns: { ...ROTATED_COLUMNS, kind: 'text', type: 'text', match: 'text', value: 'text', lastUsedAt: 'instant' },
  lists: ROTATED_LISTS,
  sweep: ROTATED_SWEEP,
});

export function openSecrets(open: OpenTable): SecretRows {
  const rows = open(SECRET);
  return {
    ...rotatedOf(rows),
    add: (secret) => rows.insert({ ...secret, ...begun(NEVER_SECONDS), lastUsedAt: null }),
    rotate: ({ id, generation }, given) => {
      const { set, when } = rotation(generation);
      return rows.update({ id }, { ...given, ...set }, when);
    },
    reseal: ({ id, generation }, set) => rows.update({ id }, { ...set, changedAt: fromNow(0) }, { generation }),
    used: async (id) => void (await rows.update({ id }, { lastUsedAt: fromNow(0) })),
  };
}
