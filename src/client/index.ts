/* `rota/client`: a server spoken to over HTTP, and participants that are sent to. It loads nothing of the server. */

export { type Complaint, RotaError } from './error.ts';
export type { Entry, Watching } from './events.ts';
export type { Filter } from './pages.ts';
export {
  type Around,
  type Delivered,
  type Handler,
  type Participant,
  type ParticipantOptions,
  participant,
} from './participant.ts';
export {
  type CloudEvent,
  type Fields,
  type LaunchBody,
  Rota,
  type RotaOptions,
  type RunBody,
  type Value,
  type WorkitemLike,
} from './rota.ts';
export type { CallOptions, Middleware, Query, Retry } from './send.ts';
export type * from './types.ts';
export { verify } from './verify.ts';
