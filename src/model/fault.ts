/** Every complaint a caller can meet has one of these stable codes; api/problems.ts maps them to HTTP. */
export type FaultCode =
  | 'workflow_missing'
  | 'workflow_invalid'
  | 'callbacks_missing'
  | 'callbacks_exclusive'
  | 'callback_invalid'
  | 'callbacks_invalid'
  | 'fields_invalid'
  | 'workflow_not_found'
  | 'workitem_not_found'
  | 'workflow_mismatched'
  | 'workitem_claimed'
  | 'expression_not_found'
  | 'error_not_found'
  | 'workflow_over'
  | 'conflict'
  | 'limit_exceeded'
  | 'request_invalid'
  | 'messages_full'
  | 'event_loop'
  | 'events_full'
  | 'precondition_failed'
  | 'overloaded'
  | 'unavailable'
  | 'outcome_unknown'
  | 'internal';

/** Something a caller can expect and act on. Everything else that is thrown is a bug of ours. */
export class Fault extends Error {
  readonly code: FaultCode;
  readonly details: Readonly<Record<string, unknown>>;
  constructor(
    code: FaultCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'Fault';
    this.code = code;
    this.details = details;
  }
}

/** What may pass by itself: tried again, under the same id, it may succeed. `outcome_unknown`: it may have succeeded already. */
const PASSING: ReadonlySet<string> = new Set([
  ...['overloaded', 'unavailable', 'outcome_unknown', 'rate_limited', 'not_ready'],
]);
/** Whether an error with a code says that the same may succeed later. */
export const passesByItself = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && PASSING.has(String(error.code));

/** States what must hold; when it does not, the bug is ours. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`Broken assumption: ${message}`);
}

export function unreachable(value: never): never {
  throw new Error(`Unexpected kind: ${JSON.stringify(value)}`);
}
