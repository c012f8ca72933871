import { validate } from '../../../language/json-schema.ts';
import { type JsonObject, ownValue } from '../../../model/json.ts';
import type { Tenant } from '../../../model/tenant.ts';
import type { Definition } from '../../../registry/definitions.ts';
import { type Input, inputsOf, readInputs } from '../../../registry/inputs.ts';
import { METHODS, type Route } from '../../../registry/routes.ts';
import { shown } from '../../ids.ts';
import type { Call, Operation, Reply } from '../../operation.ts';
import type { Parts } from '../../parts.ts';
import { Problem } from '../../problem.ts';
import { Type } from '../../schema.ts';
import { inputInvalid, makeRun } from './running.ts';

/*
 * Definitions at addresses of their own. What is asked for there is none of the operations that stand in the description of the interface: which
 * addresses there are differs from tenant to tenant.
 */

/** The operations behind all routes, by the method of a request. */
export type RouteOperations = {
  /** Whether a path can be one of a route. */
  readonly isRoute: (path: string) => boolean;
  /** `open`: for a caller who shows no credentials where they are asked for. */
  readonly of: (method: string, open: boolean) => Operation | null;
};

const ANY_BODY = Type.Object({}, { title: 'RouteBody' });
/** Characters of a path that a workflow keeps, and of one header. */
const KEPT_MAX = 2_000;

export function routeOperations(parts: Parts): RouteOperations {
  const { prefix } = parts.routes;
  const run = makeRun(parts);
  const inputs = new WeakMap<Definition, readonly Input[]>();
  const operationOf = (method: string, isOpen: boolean): Operation => ({
    id: `route${method}${isOpen ? 'Open' : ''}`,
    method: method.toLowerCase() as Operation['method'],
    path: `${prefix}/*`,
    summary: 'A route of a stored definition',
    access: isOpen ? 'open' : 'launch',
    // A GET launches as well.
    changes: true,
    queryIsData: true,
    ...(method === 'GET' || method === 'DELETE' ? {} : { body: { schema: ANY_BODY, checked: 'by handler' } }),
    answers: { 202: { description: 'It is launched' } },
    handle: (call) => launch(call, method, isOpen),
  });
  const keyed = new Map(METHODS.map((method) => [method as string, operationOf(method, false)]));
  const open = new Map(METHODS.map((method) => [method as string, operationOf(method, true)]));

  return {
    isRoute: (path) => {
      const asked = partsOf(path);
      return asked !== null && (prefix !== '' || parts.registry.routes.isAnywhere(asked));
    },
    of: (method, isOpen) => (isOpen ? open : keyed).get(method) ?? null,
  };

  /** The parts of a path behind the prefix, percent-encoding undone; null: it is not below it, or is no path. */
  function partsOf(path: string): readonly string[] | null {
    if (!path.startsWith(`${prefix}/`)) return null;
    const rest = path.slice(prefix.length + 1);
    try {
      return rest === '' ? [] : rest.split('/').map(decodeURIComponent);
    } catch {
      // A percent sign that begins nothing leads nowhere.
      return null;
    }
  }

  async function launch(call: Call, method: string, isOpen: boolean): Promise<Reply> {
    const path = call.params['route_path'] ?? '';
    const asked = partsOf(path);
    if (isOpen) parts.rates.open(call.address);
    const found = parts.registry.routes.find(isOpen ? null : call.principal.tenant, method, asked ?? []);
    if (asked === null || found.kind === 'nothing')
      throw new Problem('route_not_found', `There is no route ${shown(path)}`);
    if (found.kind === 'method') {
      const allowed = found.allowed.join(', ');
      throw new Problem('method_not_allowed', `This address takes ${allowed}, not ${method}`, {
        headers: { Allow: allowed },
      });
    }
    const { definition, route, values } = found;
    const tenant = definition.tenant as Tenant;
    const fields = fieldsOf(call, definition, values);
    return run(
      { ...call, principal: { ...call.principal, tenant } },
      {
        name: definition.name,
        version: definition.version,
        body: { fields },
        startedBy: 'route',
        meta: { request: requestOf(call, method, path, route) },
        status: 202,
        waits: true,
        mayRedirect: true,
      },
    );
  }

  /** @throws Problem `input_invalid` */
  function fieldsOf(call: Call, definition: Definition, path: Readonly<Record<string, string>>): JsonObject {
    let declared = inputs.get(definition);
    if (declared === undefined) {
      const read = readInputs(definition.options['inputs']);
      declared = Array.isArray(read) ? (read as readonly Input[]) : [];
      inputs.set(definition, declared);
    }
    const found = inputsOf(declared, { header: call.header, query: call.query, path, body: call.body });
    if ('repeated' in found)
      throw new Problem('query_invalid', found.repeated.detail, { complaints: [found.repeated] });
    if ('complaints' in found) throw inputInvalid(definition.name, found.complaints);
    for (const { key, schema } of declared) {
      const value = ownValue(found.fields, key);
      if (schema === undefined || value === undefined) continue;
      const verdict = validate(schema, value);
      if (verdict.kind === 'exhausted')
        throw new Problem('limit_exceeded', `To hold ${shown(key)} against its schema takes more work than is allowed`);
      if (verdict.kind === 'invalid')
        throw inputInvalid(
          definition.name,
          verdict.complaints.map(({ detail, pointer }) => ({
            detail,
            pointer: `#/${encodeURIComponent(key)}${pointer.slice(1)}`,
          })),
        );
    }
    return found.fields;
  }

  /** What its workflow keeps of a request. */
  function requestOf(call: Call, method: string, path: string, route: Route): JsonObject {
    const headers = parts.routes.headers.flatMap((name) => {
      const value = call.header(name);
      return value === null ? [] : [[name, value.slice(0, KEPT_MAX)] as const];
    });
    return {
      method,
      path: path.slice(0, KEPT_MAX),
      route: route.path,
      ip: call.address,
      request_id: call.requestId,
      headers: Object.fromEntries(headers),
    };
  }
}
