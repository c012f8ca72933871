import type { FaultCode } from '../model/fault.ts';

/** Complaints about a request as HTTP, before any workflow is looked at. */
export type HttpCode =
  | 'route_not_found'
  | 'method_not_allowed'
  | 'body_malformed'
  | 'body_too_large'
  | 'media_type_unsupported'
  | 'query_invalid'
  | 'uri_too_long'
  | 'headers_too_large'
  | 'request_malformed'
  | 'request_timeout'
  | 'precondition_required'
  | 'idempotency_key_invalid'
  | 'idempotency_key_reused'
  | 'idempotency_key_in_use'
  | 'not_ready';

type Entry = { readonly status: number; readonly title: string; readonly retryable: boolean };
const entry = (status: number, title: string, retryable = false): Entry => ({ status, title, retryable });

/**
 * The one table from code to HTTP status (contract.md, "natural statuses"). The fixed v1 calls answer 400 for every code
 * that has an entry in `fixedWords`. `retryable`: the same request may succeed later, without anybody changing anything.
 */
export const faultStatus: Readonly<Record<FaultCode | HttpCode, Entry>> = {
  workflow_missing: entry(400, 'A definition is missing'),
  workflow_invalid: entry(400, 'The definition cannot be read'),
  callbacks_missing: entry(400, 'Neither callback nor callbacks was given'),
  callbacks_exclusive: entry(400, 'Both callback and callbacks were given'),
  callback_invalid: entry(400, 'The callback cannot be used'),
  callbacks_invalid: entry(400, 'The callbacks cannot be used'),
  fields_invalid: entry(400, 'The fields cannot be used'),
  workflow_not_found: entry(404, 'No such workflow'),
  workitem_not_found: entry(404, 'No such workitem'),
  workflow_mismatched: entry(409, 'The workitem belongs to another workflow'),
  expression_not_found: entry(404, 'No such expression'),
  error_not_found: entry(404, 'No such error'),
  workflow_over: entry(409, 'The workflow is over'),
  conflict: entry(409, 'The request conflicts with the state of the workflow'),
  limit_exceeded: entry(422, 'A limit would be exceeded'),
  request_invalid: entry(422, 'The request has the wrong shape'),
  precondition_failed: entry(412, 'It was changed by somebody else'),
  overloaded: entry(503, 'The server has too much to do', true),
  unavailable: entry(503, 'The server cannot reach its database', true),
  internal: entry(500, 'Something went wrong on our side', true),

  route_not_found: entry(404, 'There is nothing at this address'),
  method_not_allowed: entry(405, 'This address does not take this method'),
  body_malformed: entry(400, 'The body cannot be read'),
  body_too_large: entry(413, 'The body is too large'),
  media_type_unsupported: entry(415, 'The body is in a format that is not read here'),
  query_invalid: entry(400, 'The query has the wrong shape'),
  uri_too_long: entry(414, 'The address is too long'),
  headers_too_large: entry(431, 'The request head is too large'),
  request_malformed: entry(400, 'This is not an HTTP request'),
  request_timeout: entry(408, 'The request took too long to arrive', true),
  precondition_required: entry(428, 'If-Match is required'),
  idempotency_key_invalid: entry(400, 'The Idempotency-Key cannot be used'),
  idempotency_key_reused: entry(422, 'The Idempotency-Key was used with another request'),
  idempotency_key_in_use: entry(409, 'The first request with this Idempotency-Key is under way', true),
  not_ready: entry(503, 'The server is starting or stopping', true),
}; // a new code without a status does not compile

/** What the fixed v1 calls say in `error`, to the letter (contract.md). */
export const fixedWords: Readonly<Partial<Record<FaultCode | HttpCode, string>>> = {
  workflow_missing: 'workflow is missing',
  workflow_invalid: 'workflow is invalid',
  callbacks_missing: 'callback, callbacks are missing, exactly one parameter must be provided',
  callbacks_exclusive: 'callback, callbacks are mutually exclusive',
  callback_invalid: 'callback is invalid',
  callbacks_invalid: 'callbacks is invalid',
  fields_invalid: 'fields is invalid',
  workflow_not_found: 'workflow_id not found',
  workitem_not_found: 'workitem_id not found',
  workflow_mismatched: 'workflow_id is mismatched',
};
