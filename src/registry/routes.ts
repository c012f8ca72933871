import type { Definition, Definitions } from './definitions.ts';

/*
 * Definitions at addresses of their own. A route is a method and a path of literals and names, `POST /orders/{customer}`; two routes of the
 * same method and shape (`{a}` = `{b}`) are one.
 */

export const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
/** Parts of a path. */
export const ROUTE_PARTS_MAX = 16;
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;
/** A literal part, percent-encoding undone. */
const LITERAL = /^[A-Za-z0-9._~!$&'()*+,;=:@-]{1,100}$/;

export type Route = {
  readonly method: string;
  /** With `{}` in the place of names. */
  readonly shape: string;
  /** As it was written. */
  readonly path: string;
  readonly parts: readonly ({ readonly literal: string } | { readonly name: string })[];
};

/** Reads a route; a text: what is wrong with it, in words that fit behind its name. */
export function readRoute(text: string): Route | string {
  const [, method = '', path = ''] = /^([A-Za-z]{1,10}) (\/[^\s?#]*)$/.exec(text) ?? [];
  if (!(METHODS as readonly string[]).includes(method))
    return `must be a method (${METHODS.join(', ')}), a blank and a path, such as POST /orders/{customer}`;
  const written = path === '/' ? [] : path.slice(1).split('/');
  if (written.length > ROUTE_PARTS_MAX) return `must have at most ${ROUTE_PARTS_MAX} parts`;
  const parts: Route['parts'][number][] = [];
  for (const part of written) {
    const [, name] = /^\{([^{}]*)\}$/.exec(part) ?? [];
    if (name !== undefined) {
      if (!NAME.test(name)) return `has a name that is none: {${name.slice(0, 70)}}; a name has letters, digits and _`;
      if (parts.some((other) => 'name' in other && other.name === name)) return `has {${name}} twice`;
      parts.push({ name });
    } else if (LITERAL.test(part) && part !== '.' && part !== '..') parts.push({ literal: part });
    else return 'must have parts that are each a literal (letters, digits and -._~ and the like) or one {name}';
  }
  const shape = `/${parts.map((part) => ('name' in part ? '{}' : part.literal)).join('/')}`;
  return { method, shape, path, parts };
}

/** First parts of the server's own addresses, which win over routes. */
const OWN: ReadonlySet<string> = new Set(
  'v1 console docs mcp health livez readyz metrics assets .well-known openapi.json openapi.yaml'.split(' '),
);
const OWN_WITH_AWF: ReadonlySet<string> = new Set(['workflows', 'executions']);

/** What keeps a route from being served without a prefix, in words that fit behind its name; null: nothing. */
export function ownAddressComplaint({ parts }: Route, hasAwfPaths: boolean): string | null {
  const [first] = parts;
  if (first === undefined) return 'must not be the address of the server itself, /';
  if (!('literal' in first)) return 'must begin with a literal where routes have no prefix';
  return OWN.has(first.literal) || (hasAwfPaths && OWN_WITH_AWF.has(first.literal))
    ? `must not begin with /${first.literal}, which is the server's own`
    : null;
}

/** What a path leads to. */
export type Found =
  | {
      readonly kind: 'found';
      readonly definition: Definition;
      readonly route: Route;
      readonly values: Readonly<Record<string, string>>;
    }
  /** Something is there for other methods. */
  | { readonly kind: 'method'; readonly allowed: readonly string[] }
  | { readonly kind: 'nothing' };

export type Routes = {
  /** Looks for a route of a tenant; null: among those that are open to everybody. `parts`: of the path, percent-encoding undone. */
  find(tenant: string | null, method: string, parts: readonly string[]): Found;
  /** Whether any tenant has a route that fits a path, whatever its method. */
  isAnywhere(parts: readonly string[]): boolean;
  /** The definition another one of the same method and shape leads to, beside `name` of the tenant; null: there is none. */
  takenBy(tenant: string, name: string, route: Route, isPublic: boolean): string | null;
  /** How many routes a tenant has. */
  count(tenant: string): number;
};

type Entry = { readonly route: Route; readonly definition: Definition; readonly isPublic: boolean };
/** Routes of one tenant (or of all, the public ones) by method and shape. */
type Table = Map<string, Entry>;

/** Keeps the routes of all active definitions. */
export function makeRoutes(definitions: Pick<Definitions, 'watch'>): Routes {
  const tenants = new Map<string, Table>();
  const open: Table = new Map();
  const keyOf = ({ method, shape }: Pick<Route, 'method' | 'shape'>): string => `${method} ${shape}`;
  const entryOf = (definition: Definition | null): Entry | null => {
    const written = definition?.options['route'];
    if (definition === null || typeof written !== 'string') return null;
    const route = readRoute(written);
    return typeof route === 'string' ? null : { route, definition, isPublic: definition.options['public'] === true };
  };
  const drop = (table: Table | undefined, { route, definition }: Entry): void => {
    const key = keyOf(route);
    const there = table?.get(key)?.definition;
    // What took its place meanwhile stays.
    if (there?.name === definition.name && there.tenant === definition.tenant) table?.delete(key);
  };
  definitions.watch((before, now) => {
    const old = entryOf(before);
    const fresh = entryOf(now);
    if (old !== null) {
      drop(tenants.get(old.definition.tenant), old);
      drop(open, old);
    }
    if (fresh !== null) {
      const { tenant } = fresh.definition;
      const table = tenants.get(tenant) ?? new Map<string, Entry>();
      tenants.set(tenant, table);
      table.set(keyOf(fresh.route), fresh);
      if (fresh.isPublic) open.set(keyOf(fresh.route), fresh);
    }
  });

  /** The shapes a path may have, a literal before a name, from the left: 2 to the number of parts, so they are walked by what there is. */
  function match(table: Table, method: string, parts: readonly string[]): Entry | null {
    let best: Entry | null = null;
    for (const entry of table.values())
      if (
        entry.route.method === method &&
        fits(entry.route, parts) &&
        (best === null || isCloser(entry.route, best.route))
      )
        best = entry;
    return best;
  }

  return {
    find: (tenant, method, parts) => {
      const table = tenant === null ? open : tenants.get(tenant);
      if (table === undefined) return { kind: 'nothing' };
      const entry = match(table, method, parts);
      if (entry === null) {
        const allowed = METHODS.filter((other) => match(table, other, parts) !== null);
        return allowed.length === 0 ? { kind: 'nothing' } : { kind: 'method', allowed };
      }
      const { route, definition } = entry;
      const values = Object.fromEntries(
        route.parts.flatMap((part, i) => ('name' in part ? [[part.name, parts[i] ?? ''] as const] : [])),
      );
      return { kind: 'found', definition, route, values };
    },
    isAnywhere: (parts) => {
      for (const table of tenants.values()) for (const { route } of table.values()) if (fits(route, parts)) return true;
      return false;
    },
    takenBy: (tenant, name, route, isPublic) => {
      const isOther = (entry: Entry | undefined): entry is Entry =>
        entry !== undefined && (entry.definition.name !== name || entry.definition.tenant !== tenant);
      const own = tenants.get(tenant)?.get(keyOf(route));
      if (isOther(own)) return own.definition.name;
      const everybodys = isPublic ? open.get(keyOf(route)) : undefined;
      return isOther(everybodys) ? everybodys.definition.name : null;
    },
    count: (tenant) => tenants.get(tenant)?.size ?? 0,
  };
}

const fits = ({ parts }: Route, given: readonly string[]): boolean =>
  parts.length === given.length &&
  parts.every((part, i) => ('name' in part ? given[i] !== '' : part.literal === given[i]));

/** A literal beats a name, the first part in which they differ. */
function isCloser(one: Route, other: Route): boolean {
  for (const [i, part] of one.parts.entries()) {
    const isName = 'name' in part;
    const otherIsName = 'name' in (other.parts[i] ?? part);
    if (isName !== otherIsName) return otherIsName;
  }
  return false;
}
