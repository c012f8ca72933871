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
  | 'expectation_failed'
  | 'unauthenticated'
  | 'credentials_invalid'
  | 'credentials_ambiguous'
  | 'scope_missing'
  | 'capability_invalid'
  | 'origin_not_allowed'
  | 'host_not_allowed'
  | 'definition_not_found'
  | 'schedule_not_found'
  | 'participants_missing'
  | 'input_invalid'
  | 'route_taken'
  | 'workflow_cancelled'
  | 'workflow_exists'
  | 'workflow_failed'
  | 'business_key_taken'
  | 'business_key_not_found'
  | 'participant_not_found'
  | 'subscription_not_found'
  | 'form_not_found'
  | 'batch_not_found'
  | 'key_not_found'
  | 'event_invalid'
  | 'event_not_found'
  | 'secret_not_found'
  | 'rate_limited'
  | 'not_supported'
  | 'not_acceptable'
  | 'already_proceeded'
  | 'not_ready'
  | 'tenant_moving';

export type Code = FaultCode | HttpCode;

/** Everything there is to say about a code. */
type Entry = {
  /** The natural HTTP status; the fixed v1 calls answer 400 for every code that has `words`. */
  readonly status: number;
  readonly title: string;
  /** The same request may succeed later, without anybody changing anything. */
  readonly retryable: boolean;
  /** What the fixed v1 calls say in `error`, to the letter. */
  readonly words?: string;
};
const entry = (status: number, title: string, words?: string): Entry => ({
  status,
  title,
  retryable: false,
  ...(words === undefined ? {} : { words }),
});
const passing = (status: number, title: string): Entry => ({ status, title, retryable: true });

/** One record per code; a new code without one does not compile. */
export const problems: Readonly<Record<Code, Entry>> = {
  workflow_missing: entry(400, 'A definition is missing', 'workflow is missing'),
  workflow_invalid: entry(400, 'The definition cannot be read', 'workflow is invalid'),
  callbacks_missing: entry(
    400,
    'Neither callback nor callbacks was given',
    'callback, callbacks are missing, exactly one parameter must be provided',
  ),
  callbacks_exclusive: entry(
    400,
    'Both callback and callbacks were given',
    'callback, callbacks are mutually exclusive',
  ),
  callback_invalid: entry(400, 'The callback cannot be used', 'callback is invalid'),
  callbacks_invalid: entry(400, 'The callbacks cannot be used', 'callbacks is invalid'),
  fields_invalid: entry(400, 'The fields cannot be used', 'fields is invalid'),
  workflow_not_found: entry(404, 'No such workflow', 'workflow_id not found'),
  workitem_not_found: entry(404, 'No such workitem', 'workitem_id not found'),
  workflow_mismatched: entry(409, 'The workitem belongs to another workflow', 'workflow_id is mismatched'),
  already_proceeded: entry(409, 'The workitem is closed already', 'workitem_id not found'),
  workitem_claimed: entry(409, 'Somebody else has claimed the workitem'),
  expression_not_found: entry(404, 'No such expression'),
  error_not_found: entry(404, 'No such error'),
  workflow_over: entry(409, 'The workflow is over'),
  conflict: entry(409, 'The request conflicts with the state of the workflow'),
  limit_exceeded: entry(422, 'A limit would be exceeded'),
  request_invalid: entry(422, 'The request has the wrong shape'),
  messages_full: entry(409, 'Too many messages wait for the workflow'),
  event_loop: entry(422, 'An event leads to itself'),
  events_full: passing(429, 'Too many events wait for somebody'),
  precondition_failed: entry(412, 'It was changed by somebody else'),
  overloaded: passing(503, 'The server has too much to do'),
  unavailable: passing(503, 'The server cannot reach its database'),
  outcome_unknown: passing(503, 'It could not be learnt whether it was done'),
  internal: passing(500, 'Something went wrong on our side'),

  route_not_found: entry(404, 'There is nothing at this address'),
  method_not_allowed: entry(405, 'This address does not take this method'),
  body_malformed: entry(400, 'The body cannot be read'),
  body_too_large: entry(413, 'The body is too large'),
  media_type_unsupported: entry(415, 'The body is in a format that is not read here'),
  query_invalid: entry(400, 'The query has the wrong shape'),
  not_acceptable: entry(406, 'The answer cannot be had in the formats asked for'),
  uri_too_long: entry(414, 'The address is too long'),
  headers_too_large: entry(431, 'The request head is too large'),
  request_malformed: entry(400, 'This is not an HTTP request'),
  request_timeout: passing(408, 'The request took too long to arrive'),
  precondition_required: entry(428, 'If-Match is required'),
  idempotency_key_invalid: entry(400, 'The Idempotency-Key cannot be used'),
  idempotency_key_reused: entry(422, 'The Idempotency-Key was used with another request'),
  idempotency_key_in_use: passing(409, 'The first request with this Idempotency-Key is under way'),
  expectation_failed: entry(417, 'The Expect header asks for something that is not done here'),
  unauthenticated: entry(401, 'Nobody knows who is calling'),
  credentials_invalid: entry(401, 'The credentials are not good'),
  credentials_ambiguous: entry(400, 'There are two credentials'),
  scope_missing: entry(403, 'The caller may not do this'),
  not_supported: entry(501, 'This installation cannot do that'),
  capability_invalid: entry(403, 'The token is not for this'),
  origin_not_allowed: entry(403, 'A page of this origin may not do this'),
  host_not_allowed: entry(421, 'This server does not go by that name'),
  definition_not_found: entry(404, 'No such stored definition'),
  schedule_not_found: entry(404, 'No such schedule'),
  participants_missing: entry(400, 'A participant has no address'),
  input_invalid: entry(422, 'The input is not as the definition wants it'),
  route_taken: entry(409, 'The route leads to another definition'),
  workflow_exists: entry(409, 'There is a workflow with this id'),
  workflow_cancelled: entry(409, 'The workflow was cancelled or killed'),
  workflow_failed: entry(500, 'The workflow is in error'),
  business_key_taken: entry(409, 'The business key is taken'),
  business_key_not_found: entry(404, 'No such business key'),
  participant_not_found: entry(404, 'No such participant'),
  subscription_not_found: entry(404, 'No such subscription'),
  form_not_found: entry(404, 'No such form'),
  batch_not_found: entry(404, 'No such batch'),
  key_not_found: entry(404, 'No such key'),
  event_invalid: entry(400, 'The event cannot be taken'),
  event_not_found: entry(404, 'No such event'),
  secret_not_found: entry(404, 'No such secret'),
  rate_limited: passing(429, 'The caller asks for too much at once'),
  not_ready: passing(503, 'The server is starting or stopping'),
  tenant_moving: passing(503, 'The tenant is on its way to another cell'),
};
