import { Ajv2020, type ErrorObject, type Options, type ValidateFunction } from 'ajv/dist/2020.js';
import { nearest } from '../../language/nearest.ts';
import type { JsonObject } from '../../model/json.ts';
import { isStorable, valueComplaint } from '../../model/storable.ts';
import { cut, shownJson } from '../../model/text.ts';
import type { Operation } from '../operation.ts';
import { type Complaint, Problem } from '../problem.ts';
import type { Schema } from '../schema.ts';

/*
 * The one file that imports ajv. No `allErrors`: one complaint per request keeps the work for a stranger's body bounded.
 */
const OPTIONS: Options = {
  strict: true,
  allowUnionTypes: true,
  // Our own schemas are held against the rules for schemas by a test, not by every start.
  validateSchema: false,
  meta: false,
};
const strict = new Ajv2020(OPTIONS);
/** For forms, whose leaves are all texts: "true" is taken for true where a boolean is wanted. */
const lenient = new Ajv2020({ ...OPTIONS, coerceTypes: true });

/** Makes a check against a schema: the first complaint, or null. Compiled when it is first asked, for a start needs none of them. */
export function makeCheck(
  schema: Schema,
  options: { readonly isForm?: boolean } = {},
): (value: unknown) => Complaint | null {
  let compiled: ValidateFunction | null = null;
  return (value) => {
    compiled ??= (options.isForm === true ? lenient : strict).compile(schema);
    return compiled(value) ? null : complaintOf(compiled.errors?.[0], schema);
  };
}

/** Makes the check of a whole body against its schema. @throws Problem with a pointer to what is wrong */
export function makeBodyCheck(schema: Schema): (body: JsonObject, isForm: boolean) => JsonObject {
  const checkJson = makeCheck(schema);
  const checkForm = makeCheck(schema, { isForm: true });
  return (body, isForm) => {
    // First: ajv walks by recursion, so it must not meet what is too deep.
    const unfit = valueComplaint(body);
    if (unfit !== null) throw invalidRequest({ detail: `The body ${unfit}`, pointer: '#' });
    const complaint = (isForm ? checkForm : checkJson)(body);
    if (complaint !== null) throw invalidRequest(complaint);
    return body;
  };
}

const invalidRequest = (complaint: Complaint): Problem =>
  new Problem('request_invalid', complaint.detail, { complaints: [complaint] });

function complaintOf(error: ErrorObject | undefined, schema: Schema): Complaint {
  const pointer = `#${error?.instancePath ?? ''}`;
  if (error?.keyword === 'additionalProperties') return unknownMember(pointer, error.params, schema);
  const place = pointer === '#' ? 'The body' : cut(pointer.slice(2).replaceAll('/', '.'), 200);
  return { detail: `${place} ${error?.message ?? 'has the wrong shape'}`, pointer };
}

/** What the body of a request has and its operation does not know: a slip, such as `dryrun`, must not do the thing itself. */
function unknownMember(pointer: string, params: ErrorObject['params'], schema: Schema): Complaint {
  const name = String((params as { readonly additionalProperty?: unknown }).additionalProperty);
  const known = pointer === '#' ? Object.keys((schema['properties'] ?? {}) as object) : [];
  const near = nearest(name, known);
  const hint = near === null ? '' : `; did you mean ${near}?`;
  return {
    detail: `${pointer === '#' ? 'The body' : cut(pointer.slice(2).replaceAll('/', '.'), 200)} has no ${shownJson(name, 100)}${hint}`,
    pointer: cut(`${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`, 200),
  };
}

/** Looks at the query of a request. @throws Problem for names that mean nothing here, repeated ones and texts no database holds */
export function checkQuery(query: URLSearchParams, operation: Operation): void {
  const names = operation.query ?? [];
  // Only operations that read a query look at it strictly; elsewhere a stray ?_=123 against caches does no harm.
  if (names.length === 0) return;
  const seen = new Set<string>();
  for (const [name, value] of query) {
    const known = names.some((spec) => (spec.name.endsWith('.') ? name.startsWith(spec.name) : name === spec.name));
    // The capability of a workitem, and a ticket, stand in the query and are looked at elsewhere.
    if (!known && name === 'token' && operation.capability !== undefined) continue;
    if (!known && name === 'ticket' && operation.ticket === true) continue;
    if (!known)
      throw new Problem(
        'query_invalid',
        `There is no filter ${shownJson(name, 100)}; there are ${names.map((spec) => spec.name).join(', ')}`,
      );
    if (seen.has(name)) throw new Problem('query_invalid', `${cut(name, 100)} was given more than once`);
    seen.add(name);
    if (!isStorable(name) || !isStorable(value))
      throw new Problem('query_invalid', `${shownJson(name, 100)} contains U+0000 or half a surrogate pair`);
  }
}
