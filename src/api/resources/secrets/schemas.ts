import { Type } from '../../schema.ts';
import { nextCursor, nullable, reason, text, time } from '../../schema-parts.ts';

const TYPES = ['v1', 'v1a'] as const;
const TYPE_WORDS = 'v1: HMAC-SHA256 with a shared secret; v1a: ed25519, of which receivers have the public half';

/** Seconds a value may hold beside the one that takes its place: participants may answer after a year. */
const OVERLAP_SECONDS_MAX = 31_622_400;

/** Body of `POST /v1/secrets`. */
export const SecretCreate = Type.Object(
  {
    kind: Type.Literal('webhook'),
    match: Type.Optional(
      text('Only for callbacks to URLs that begin so, up to a `/`, a `?` or the end; left out: for all', {
        maxLength: 500,
      }),
    ),
    type: Type.Optional(Type.OneOf(TYPES, TYPE_WORDS)),
    secret: Type.Optional(text('`whsec_` and base64 of 24 to 64 bytes; left out: a fresh one', { maxLength: 200 })),
  },
  { title: 'SecretCreate', description: 'A secret that is wanted for signing callbacks', additionalProperties: false },
);

/** Body of `POST /v1/secrets/:secret_id/rotate`. */
export const SecretRotate = Type.Object(
  {
    overlap_seconds: Type.Optional(
      Type.Integer({
        description:
          'How long the value before still holds: for webhooks 86400 unless said, for capabilities a year; 0: not at all',
        minimum: 0,
        maximum: OVERLAP_SECONDS_MAX,
      }),
    ),
    reason,
  },
  { title: 'SecretRotate', description: 'How a secret gets another value', additionalProperties: false },
);

const properties = {
  id: text('Names the secret'),
  kind: Type.OneOf(['webhook', 'capability'], 'webhook: signs callbacks; capability: signs the tokens in proceed_url'),
  type: Type.OneOf([...TYPES, 'mac'], TYPE_WORDS),
  match: nullable(text('The beginning of the URLs it is for; null: all')),
  tenant: text('Whose it is; `*`: of all tenants'),
  status: Type.OneOf(['active', 'revoked'], 'Whether it signs'),
  created_at: time('When it was made'),
  created_by: text('Who made it'),
  revoked_at: nullable(time('When it was revoked')),
  previous_until: nullable(time('Until when a value from before still holds')),
  last_used_at: nullable(time('When a callback was last signed with it, to five minutes')),
  public_key: nullable(text('Of v1a: what receivers verify with')),
};

export const Secret = Type.Object(properties, { title: 'Secret', description: 'A secret, without the secret' });
export const SecretShown = Type.Object(
  { ...properties, secret: nullable(text('The secret; null for v1a, for capabilities, and in a repeated answer')) },
  { title: 'SecretShown', description: 'A secret as it is given to its participant' },
);
export const SecretList = Type.Object(
  { secrets: Type.Array(Secret), next_cursor: nextCursor },
  { title: 'SecretList' },
);
