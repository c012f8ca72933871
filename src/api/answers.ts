import type { AnswerSpec } from './operation.ts';
import type { Schema } from './schema.ts';
import { Problem, Rehearsal } from './schema-parts.ts';

/** The answers of an operation for its description: the good one and the complaints it may have. */
export function answers(
  status: number,
  description: string,
  schema: Schema | null,
  ...problems: readonly number[]
): Readonly<Record<number, AnswerSpec>> {
  const all: Record<number, AnswerSpec> = { [status]: { description, ...(schema === null ? {} : { schema }) } };
  for (const problem of problems) all[problem] = { description: PROBLEMS[problem] ?? 'A complaint', schema: Problem };
  return all;
}

/** The same for what can be rehearsed. */
export const answersOrRehearsal = (...problems: readonly number[]): Readonly<Record<number, AnswerSpec>> => ({
  ...answers(201, 'OK', null, ...problems),
  200: { description: 'With dry_run: what would happen', schema: Rehearsal },
});

const PROBLEMS: Readonly<Record<number, string>> = {
  400: 'Something about the request is wrong; the words in `error` are fixed',
  401: 'Nobody knows who is calling',
  404: 'There is no such thing, or not any more',
  409: 'It conflicts with how things stand',
  412: 'Somebody else changed it in the meantime',
  422: 'The body has the wrong shape',
  428: 'If-Match is required',
  501: 'This installation cannot do that',
};
