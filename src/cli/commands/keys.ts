import { type Rota, RotaError } from '../../client/index.ts';
import { readConfig } from '../../server/config.ts';
import { makeKey, readTenant, SCOPES, type Scope, statusOfKey, withKeys } from '../../server/keys.ts';
import { complain, exitOf, rotaOf } from '../remote/remote.ts';
import { type Flags, sourcesOf } from '../settings.ts';

/*
 * `rota keys …`: over HTTP, as everybody, where ROTA_URL or --url says where the server is; else in the database of the settings, which is how
 * the first key is made.
 */

const USAGE = `Say one of
  rota keys generate
  rota keys create --name <name> --scopes launch,read,operate,admin [--tenant <tenant>] [--expires 90d]
  rota keys list [--tenant <tenant>]
  rota keys rotate <id> [--overlap 1d]
  rota keys revoke <id>
each with --json for programs; --url <server> with ROTA_API_KEY to speak to a server that runs`;

const UNIT_SECONDS: { readonly [unit: string]: number } = { s: 1, m: 60, h: 3600, d: 86_400, y: 365 * 86_400 };
/** A key without a tenant of its own is of all of them: whoever has the database may do everything anyway. */
const EVERY_TENANT = '*';
const OVERLAP_SECONDS = 86_400;
const LISTED_MAX = 1_000;

/** One thing to do with keys, done by a server or in the database. */
type Way = {
  create(key: {
    readonly name: string;
    readonly scopes: readonly Scope[];
    readonly tenant: string | null;
    readonly seconds: number | null;
  }): Promise<JsonKey>;
  list(tenant: string | null): Promise<readonly JsonKey[]>;
  rotate(id: string, overlapSeconds: number): Promise<JsonKey>;
  revoke(id: string): Promise<void>;
};
type JsonKey = {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly tenant: string;
  readonly status: string;
  readonly expires_at: string | null;
  readonly key?: string | null;
};

export async function keys(words: readonly string[], flags: Flags): Promise<number> {
  try {
    return await act(words, flags);
  } catch (error) {
    if (!(error instanceof RotaError)) throw error;
    complain(error);
    return exitOf(error);
  }
}

async function act([verb = '', id, extra]: readonly string[], flags: Flags): Promise<number> {
  const wantsId = verb === 'rotate' || verb === 'revoke';
  if (extra !== undefined || (id !== undefined) !== wantsId) return refuse(USAGE);
  const isJson = flags['json'] === true;
  const tell = (lines: string, value: unknown): number => {
    console.log(isJson ? JSON.stringify(value) : lines);
    return 0;
  };
  if (verb === 'generate') {
    const key = makeKey();
    return tell(key.text, { id: key.id, key: key.text });
  }
  switch (verb) {
    case 'create': {
      const name = textOf(flags, 'name');
      const scopes = (textOf(flags, 'scopes') ?? '').split(',').map((scope) => scope.trim());
      const unknown = scopes.find((scope) => !SCOPES.includes(scope as Scope));
      const seconds = secondsOf(flags, 'expires');
      if (name === null) return refuse('Say --name, for people to know the key by');
      if (unknown !== undefined) return refuse(`--scopes is a list of ${SCOPES.join(', ')}, separated by commas`);
      if (seconds === false) return refuse('--expires is a number and a unit: 90d, 12h, 10m, 30s, 1y');
      const wanted = { name, scopes: scopes as Scope[], tenant: textOf(flags, 'tenant'), seconds };
      const made = await way(flags, (there) => there.create(wanted));
      return tell(`${made.key}\nThis is shown once. Its id is ${made.id}.`, made);
    }
    case 'list': {
      const all = await way(flags, (there) => there.list(textOf(flags, 'tenant')));
      const line = (key: JsonKey): string =>
        [key.id, key.status, key.tenant, key.scopes.join(','), key.expires_at ?? 'never ends', key.name].join('  ');
      return tell(all.length === 0 ? 'There are no keys.' : all.map(line).join('\n'), { keys: all });
    }
    case 'rotate': {
      const overlap = textOf(flags, 'overlap') === null ? OVERLAP_SECONDS : secondsOf(flags, 'overlap');
      if (overlap === false || overlap === null) return refuse('--overlap is a number and a unit: 1d, 12h, 0s');
      const rotated = await way(flags, (there) => there.rotate(id ?? '', overlap));
      return tell(`${rotated.key}\nThis is shown once.`, rotated);
    }
    case 'revoke':
      await way(flags, (there) => there.revoke(id ?? ''));
      return tell('The key is revoked.', { id, status: 'revoked' });
    default:
      return refuse(USAGE);
  }
}

function refuse(complaint: string): number {
  console.error(complaint);
  return 2;
}

const textOf = (flags: Flags, name: string): string | null => {
  const value = flags[name];
  return typeof value === 'string' && value !== '' ? value : null;
};

/** Null: not given; false: not understood. */
function secondsOf(flags: Flags, name: string): number | null | false {
  const given = textOf(flags, name);
  if (given === null) return null;
  const [, count, unit = ''] = /^(\d{1,9})([smhdy])$/.exec(given) ?? [];
  return count === undefined ? false : Number(count) * (UNIT_SECONDS[unit] ?? 1);
}

async function way<Result>(flags: Flags, act: (there: Way) => Promise<Result>): Promise<Result> {
  const isRemote = flags['url'] !== undefined || (process.env['ROTA_URL'] ?? '') !== '';
  return !isRemote ? inDatabase(flags, act) : act(overHttp(rotaOf(flags)));
}

function overHttp(rota: Rota): Way {
  const asKey = (value: unknown): JsonKey => value as JsonKey;
  return {
    create: async ({ name, scopes, tenant, seconds }) =>
      asKey(
        await rota.keys.create({
          name,
          scopes,
          ...(tenant === null ? {} : { tenant }),
          ...(seconds === null ? {} : { expires_in: seconds }),
        }),
      ),
    list: async () => {
      const all: JsonKey[] = [];
      for await (const key of rota.keys.list({ limit: LISTED_MAX })) {
        if (all.length === LISTED_MAX) break;
        all.push(asKey(key));
      }
      return all;
    },
    rotate: async (id, overlap_seconds) => asKey(await rota.keys.rotate(id, { overlap_seconds })),
    revoke: async (id) => void (await rota.keys.revoke(id)),
  };
}

function inDatabase<Result>(flags: Flags, act: (there: Way) => Promise<Result>): Promise<Result> {
  const config = readConfig(process.env, sourcesOf(flags));
  return withKeys(config, (all) => {
    type Row = Parameters<typeof statusOfKey>[0];
    const view = (row: Row, key?: string): JsonKey => ({
      id: row.id,
      name: row.name,
      scopes: row.scopes.split(' '),
      tenant: row.tenant,
      status: statusOfKey(row, Date.now()),
      expires_at: row.expiresAt === null ? null : new Date(row.expiresAt).toISOString(),
      ...(key === undefined ? {} : { key }),
    });
    return act({
      create: async ({ name, scopes, tenant: named, seconds }) => {
        const tenant = named === null || named === EVERY_TENANT ? EVERY_TENANT : readTenant(named);
        if (tenant === null) throw new Error(`--tenant ${named} is none: 1 to 63 small letters, digits and dashes`);
        const made = await all.create({
          ...{ name, scopes, tenant, rateLimit: null },
          expiresInSeconds: seconds,
          createdBy: 'cli',
        });
        if (made === null) throw new Error('There are as many keys as there may be; revoke some');
        return view(made.row, made.text);
      },
      list: async (tenant) => {
        const of = tenant === null ? null : readTenant(tenant);
        return (await all.list({ tenant: of, limit: LISTED_MAX, after: null })).items.map((row) => view(row));
      },
      rotate: async (id, overlap) => {
        const rotated = await all.rotate(id, overlap);
        if (rotated === null) throw new Error(`There is no key ${id} that holds`);
        return view(rotated.row, rotated.text);
      },
      revoke: async (id) => {
        if (!(await all.revoke(id))) throw new Error(`There is no key ${id} that holds`);
      },
    });
  });
}
