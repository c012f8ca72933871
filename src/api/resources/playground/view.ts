import type { JsonObject } from '../../../model/json.ts';
import { timeView } from '../../time.ts';
import type { PlaygroundRequest } from './requests.ts';

/** A request as it is shown. */
export const requestView = (request: PlaygroundRequest): JsonObject => ({
  ...request,
  at: timeView(request.at),
  answer: request.answer === null ? null : { ...request.answer },
});
