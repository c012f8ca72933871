import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { openapi } from '../../src/api/openapi.ts';
import { HEADERS } from '../../src/api/openapi-headers.ts';
import type { Operation } from '../../src/api/operation.ts';
import { operationsOf } from '../../src/api/operations.ts';
import type { Parts } from '../../src/api/parts.ts';
import { docsOperations } from '../../src/api/resources/docs/operations.ts';
import { saw } from './seen.ts';

/*
 * Whatever a test is answered by a server of this process is held against the description of the interface: the status, the type, the headers and the
 * body have to be described for the operation that was asked. What was seen is written down (seen.ts, scripts/answers.ts).
 */

type Media = { readonly schema?: object };
type Response = {
  readonly $ref?: string;
  readonly content?: Readonly<Record<string, Media>>;
  readonly headers?: Readonly<Record<string, unknown>>;
};
type Described = { readonly operationId: string; readonly responses: Readonly<Record<string, Response>> };
type Document = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  readonly components: { readonly responses: Readonly<Record<string, Response>> };
};

/** Parts of which nothing works: operations are made from them, and none is called. */
function noParts(): Parts {
  const nothing: unknown = new Proxy(() => {}, {
    get: (_, key) => (typeof key === 'symbol' ? undefined : nothing),
    apply: () => nothing,
  });
  const given = {
    role: 'all',
    routes: { hasAwfPaths: true, prefix: '/r', headers: [] },
    mcp: true,
    playground: true,
    docs: true,
    eventsAtRoot: true,
  };
  return new Proxy(given, { get: (target, key) => Reflect.get(target, key) ?? nothing }) as unknown as Parts;
}

/** Every operation that there can be, whatever the settings are. */
export function everyOperation(): readonly Operation[] {
  const parts = noParts();
  return [...operationsOf(parts), ...docsOperations(parts, () => ({}))];
}

const PAGES = 'description';
let made: ReturnType<typeof make> | null = null;
/** Made once for all files of a process. */
const description = () => (made ??= make());

function make() {
  const operations = everyOperation();
  const document = openapi(operations, { version: '0.0.0', url: '/' }) as unknown as Document;
  const ajv = new Ajv2020({ strict: false, allowUnionTypes: true, validateFormats: false });
  ajv.addSchema(document as object, PAGES);
  const routes = operations
    .map(({ method, path }) => ({
      method: method.toUpperCase(),
      path: path.replaceAll(/:(\w+)/g, '{$1}'),
      // A name of a definition may have a slash.
      is: new RegExp(
        `^${path
          .replaceAll('.', '\\.')
          .replaceAll(/:definition_name/g, '[^/]+(?:/[^/]+)??')
          .replaceAll(/:\w+/g, '[^/]+')}$`,
      ),
      fixed: path.split('/').filter((part) => !part.startsWith(':')).length - path.split(':').length,
    }))
    .sort((a, b) => b.fixed - a.fixed);
  return { document, ajv, routes, checks: new Map<string, ValidateFunction>() };
}

const pointer = (...parts: readonly string[]): string =>
  parts.map((part) => `/${encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))}`).join('');

/** Where the response of a status is described; null: nowhere. */
function responseOf(document: Document, route: { readonly path: string; readonly method: string }, status: string) {
  const method = route.method.toLowerCase();
  const described = document.paths[route.path]?.[method];
  // Only where anything may be answered it says more than that there are complaints.
  const other = described?.responses['default'];
  const response = described?.responses[status] ?? (other?.$ref === undefined ? other : undefined);
  if (described === undefined || response === undefined) return null;
  const shared = response.$ref?.split('/').at(-1);
  return {
    id: described.operationId,
    response: shared === undefined ? response : (document.components.responses[shared] ?? {}),
    at:
      shared === undefined
        ? pointer(
            'paths',
            route.path,
            method,
            'responses',
            described.responses[status] === undefined ? 'default' : status,
          )
        : pointer('components', 'responses', shared),
  };
}

/** What may be answered in any status. */
function any(document: Document, route: { readonly path: string; readonly method: string }) {
  const other = document.paths[route.path]?.[route.method.toLowerCase()]?.responses['default'];
  return other?.$ref === undefined ? other?.content : undefined;
}

export type Answered = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
};

const NOWHERE: ReadonlySet<number> = new Set([404, 405, 414]);

/** @throws Error what of the answer is not described */
export function checkDescribed(method: string, url: string, answer: Answered): void {
  const { document, ajv, routes, checks } = description();
  const path = url.split(/[?#]/, 1)[0] ?? '';
  const asked = method === 'HEAD' ? 'GET' : method;
  const route = routes.find((one) => one.method === asked && one.is.test(path));
  // Addresses that are not there, pages, and routes of stored definitions are nobody's operation.
  if (route === undefined) return;
  const found = responseOf(document, route, String(answer.status));
  const where = `${method} ${path.slice(0, 200)} was answered ${answer.status}, which is not described`;
  // What the settings of a server leave out is not there, and no address is as long as that.
  if (found === null && NOWHERE.has(answer.status)) return;
  if (found === null) throw new Error(`${where}: ${answer.text.slice(0, 300)}`);
  const { response, at, id } = found;
  for (const name of Object.keys(HEADERS))
    if (answer.headers[name.toLowerCase()] !== undefined && response.headers?.[name] === undefined)
      throw new Error(`${where} with the header ${name}`);
  if (method !== 'HEAD' && answer.text !== '') {
    const type =
      String(answer.headers['content-type'] ?? '')
        .split(';', 1)[0]
        ?.trim() ?? '';
    const media = response.content?.[type] ?? any(document, route)?.[type];
    if (media === undefined) throw new Error(`${where} as ${type}`);
    if (/[/+]json$/.test(type) && response.content?.[type] !== undefined) {
      const key = `${at}${pointer('content', type, 'schema')}`;
      let check = checks.get(key);
      if (check === undefined) {
        check = ajv.compile({ $ref: `${PAGES}#${key}` });
        checks.set(key, check);
      }
      if (!check(JSON.parse(answer.text)))
        throw new Error(`${where} with this body: ${ajv.errorsText(check.errors)}: ${answer.text.slice(0, 500)}`);
    }
  }
  saw(`${id} ${answer.status}`);
}
