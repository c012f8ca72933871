import { SCOPES } from '../../../identity/principal.ts';
import { type Schema, Type } from '../../schema.ts';
import { nextCursor, nullable, reason, text, time } from '../../schema-parts.ts';

const scope = Type.OneOf(
  SCOPES,
  'launch: launch and validate; read: every GET; operate: whatever changes a workflow; admin: keys, secrets, and all of that',
);
const name = text('For people', { minLength: 1, maxLength: 100 });
const rateLimit = (): Schema => ({
  type: 'string',
  pattern: '^[1-9]\\d{0,6}/[1-9]\\d{0,5}$',
  description: 'Requests in so many seconds, `600/60`',
});

/** Seconds an earlier secret may hold beside the one that takes its place. */
export const OVERLAP_SECONDS_MAX = 2_592_000;
const TEN_YEARS_SECONDS = 315_576_000;

/** Body of `POST /v1/keys`. */
export const KeyCreate = Type.Object(
  {
    name,
    scopes: Type.Array(scope, { minItems: 1, uniqueItems: true }),
    tenant: Type.Optional(
      text('Whose it is; `*`: of all tenants. Left out: the tenant of the request', { maxLength: 63 }),
    ),
    expires_at: Type.Optional(time('When it ends')),
    expires_in: Type.Optional(
      Type.Integer({ description: 'Seconds until it ends', minimum: 1, maximum: TEN_YEARS_SECONDS }),
    ),
    rate_limit: Type.Optional(rateLimit()),
  },
  { title: 'KeyCreate', description: 'A key that is wanted', additionalProperties: false },
);

/** Body of `POST /v1/keys/:key_id/rotate`. */
export const KeyRotate = Type.Object(
  {
    overlap_seconds: Type.Optional(
      Type.Integer({
        description: 'How long the secret before still holds; 86400 unless said; 0 ends all before at once',
        minimum: 0,
        maximum: OVERLAP_SECONDS_MAX,
      }),
    ),
    reason,
  },
  { title: 'KeyRotate', description: 'How a key gets another secret', additionalProperties: false },
);

const properties = {
  id: text('Names the key; no secret'),
  name,
  scopes: Type.Array(scope),
  tenant: text('Whose it is; `*`: of all tenants'),
  prefix: text('What the key begins with'),
  status: Type.OneOf(['active', 'expired', 'revoked'], 'Whether it is good'),
  created_at: time('When it was made'),
  created_by: text('Who made it'),
  expires_at: nullable(time('When it ends')),
  revoked_at: nullable(time('When it was revoked')),
  previous_until: nullable(time('Until when a secret from before still holds')),
  last_used_at: nullable(time('When it was last used, to five minutes')),
  rate_limit: nullable(text('Requests in so many seconds')),
};

export const Key = Type.Object(properties, { title: 'Key', description: 'An API key, without the key' });
export const KeyMade = Type.Object(
  { ...properties, key: nullable(text('The key, shown this once; null in a repeated answer')) },
  { title: 'KeyMade', description: 'An API key that was just made, or given another secret' },
);
export const KeyList = Type.Object({ keys: Type.Array(Key), next_cursor: nextCursor }, { title: 'KeyList' });

export const Me = Type.Object(
  {
    kind: Type.OneOf(['open', 'key', 'jwt', 'session'], 'How you are known; open: nobody was asked'),
    id: nullable(text('Of the key')),
    name: nullable(text('Of the key')),
    tenant: text('Whose workflows you see'),
    everywhere: Type.Optional(
      Type.Boolean({ description: 'You may see those of every tenant, one at a time (Rota-Tenant)' }),
    ),
    scopes: Type.Array(scope),
    expires_at: nullable(time('When that ends')),
    auth: Type.OneOf(['open', 'required'], 'Whether callers are asked who they are'),
  },
  { title: 'Me', description: 'Who you are to this server' },
);
