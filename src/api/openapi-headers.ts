import type { JsonObject } from '../model/json.ts';
import type { Operation } from './operation.ts';

/* The headers of answers that mean something to callers, and which answers have them. */

type Described = { readonly description: string; readonly type: 'string' | 'integer' };
export const HEADERS = {
  'X-Request-Id': { description: 'What the log calls this request; yours, where you sent one', type: 'string' },
  'Rota-Version': { description: 'The release that answered', type: 'string' },
  RateLimit: { description: 'What is left of a quota, and for how many seconds: `"key";r=599;t=42`', type: 'string' },
  'RateLimit-Policy': { description: 'The quota itself: `"key";q=600;w=60`', type: 'string' },
  'Retry-After': { description: 'Seconds after which to come again', type: 'integer' },
  'WWW-Authenticate': { description: 'How to say who you are, and what was wrong', type: 'string' },
  Location: { description: 'The address of what was made', type: 'string' },
  ETag: { description: 'The revision; give it back as If-Match, or as If-None-Match', type: 'string' },
  'Idempotent-Replayed': {
    description: 'true: this is what the first request with the Idempotency-Key was answered',
    type: 'string',
  },
  'Rota-Warning': { description: 'What is near to its bound, or not yet everywhere', type: 'string' },
  'Content-Disposition': { description: 'The name of the file', type: 'string' },
  'Set-Cookie': { description: 'The session, where one begins, is renewed or is taken back', type: 'string' },
} as const satisfies { readonly [name: string]: Described };
export type HeaderName = keyof typeof HEADERS;

/** What every answer may have: the two about quotas where there is one, the cookie where somebody came with one. */
const ALWAYS: readonly HeaderName[] = ['X-Request-Id', 'Rota-Version', 'RateLimit', 'RateLimit-Policy', 'Set-Cookie'];

/** Of single operations, by status. */
const OWN: { readonly [operation: string]: { readonly [status: string]: readonly HeaderName[] } } = {
  launch: { 200: ['Location'], 201: ['Location'] },
  retryWorkflow: { 201: ['Location'] },
  runDefinition: { 200: ['Location'], 201: ['Location'] },
  awfRun: { 200: ['Location'], 201: ['Location'] },
  runSchedule: { 201: ['Location'] },
  createKey: { 201: ['Location'] },
  createSecret: { 201: ['Location'] },
  createBatch: { 202: ['Location'] },
  createSubscription: { 201: ['Location', 'ETag'] },
  getSubscription: { 200: ['ETag'] },
  patchSubscription: { 200: ['ETag'] },
  putDefinition: { 200: ['Location', 'ETag'], 201: ['Location', 'ETag'] },
  postDefinition: { 200: ['Location', 'ETag'], 201: ['Location', 'ETag'] },
  awfPostWorkflow: { 200: ['Location', 'ETag'], 201: ['Location', 'ETag'] },
  getStoredDefinition: { 200: ['ETag'] },
  activateDefinition: { 200: ['Location', 'ETag'] },
  awfGetWorkflow: { 200: ['ETag'] },
  getDefinitionText: { 200: ['Content-Disposition', 'ETag'] },
  getWorkflowDefinition: { 200: ['Content-Disposition'] },
  exportWorkflow: { 200: ['Content-Disposition'] },
  putParticipant: { 200: ['ETag'], 201: ['Location', 'ETag'] },
  getParticipant: { 200: ['ETag'] },
  getWorkflow: { 303: ['Location'] },
  awfGetExecution: { 303: ['Location'] },
  getWorkitem: { 200: ['ETag'] },
  claimWorkitem: { 200: ['ETag'] },
  releaseWorkitem: { 200: ['ETag'] },
  editWorkitem: { 200: ['ETag'] },
  openapi: { 200: ['ETag'], 304: ['ETag'] },
  openapiYaml: { 200: ['ETag'], 304: ['ETag'] },
  getDiagram: { 200: ['ETag'], 304: ['ETag'] },
  getDiagramData: { 200: ['ETag'], 304: ['ETag'] },
  docs: { 200: ['ETag'], 304: ['ETag'] },
  docsFile: { 200: ['ETag'], 304: ['ETag'], 308: ['Location'] },
  docsManual: { 200: ['ETag'], 304: ['ETag'] },
};

/** Of complaints, whatever the operation. */
const OF_STATUS: { readonly [status: string]: readonly HeaderName[] } = {
  401: ['WWW-Authenticate'],
  403: ['WWW-Authenticate'],
  429: ['Retry-After'],
  500: ['Retry-After'],
  503: ['Retry-After'],
};

/** The headers that an answer of this status may have. `operation` null: one that all operations may give. */
export function headerNames(operation: Operation | null, status: string): readonly HeaderName[] {
  const names = new Set<HeaderName>([...ALWAYS, ...(OF_STATUS[status] ?? [])]);
  for (const name of OWN[operation?.id ?? '']?.[status] ?? []) names.add(name);
  const isKept = operation?.method === 'post' && operation.unkept !== true;
  if (isKept && !/^5/.test(status)) names.add('Idempotent-Replayed');
  // The first request with the same Idempotency-Key is under way.
  if ((isKept || operation === null) && status === '409') names.add('Retry-After');
  if (operation?.body !== undefined && status.startsWith('2')) names.add('Rota-Warning');
  return [...names];
}

export const headersOf = (operation: Operation | null, status: string): JsonObject =>
  Object.fromEntries(headerNames(operation, status).map((name) => [name, { $ref: `#/components/headers/${name}` }]));

export const headerComponents = (): JsonObject =>
  Object.fromEntries(
    Object.entries(HEADERS).map(([name, { description, type }]) => [name, { description, schema: { type } }]),
  );
