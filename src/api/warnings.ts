import type { JsonObject } from '../model/json.ts';
import { cut, shownJson } from '../model/text.ts';
import type { DefinitionWarning, Parts } from './parts.ts';
import type { Complaint } from './problem.ts';
import { Type } from './schema.ts';
import { text } from './schema-parts.ts';

/* What is taken and was probably not meant: told beside the answer, and refused where the caller wants it so (`strict`). */

/** `pointer`: into the tree of the definition, or, as a fragment (`#/…`), into the body. */
export type ApiWarning = DefinitionWarning;

/** Unknown parameters that are looked at; a body with more has other troubles. */
const UNKNOWN_MAX = 20;

const unknownOf = (body: JsonObject, known: readonly string[]): readonly string[] =>
  Object.keys(body)
    .filter((name) => !known.includes(name))
    .slice(0, UNKNOWN_MAX);

const pointerTo = (name: string): string =>
  `#/${encodeURIComponent(cut(name, 200).replaceAll('~', '~0').replaceAll('/', '~1'))}`;

/** Parameters of a body nobody reads whose names are near to one that is read. */
export const misspeltParameters = (
  parts: Pick<Parts, 'definitions'>,
  body: JsonObject,
  known: readonly string[],
): readonly ApiWarning[] =>
  unknownOf(body, known).flatMap((name) => {
    const meant = parts.definitions.nearest(name, known);
    if (meant === null) return [];
    const message = `the parameter ${shownJson(name, 100)} is not read; is ${shownJson(meant)} meant?`;
    return [{ code: 'parameter_misspelt', message, pointer: pointerTo(name) }];
  });

/** A name a parameter may have, of whatever version: what is none comes of a text that was not encoded. */
const PARAMETER = /^[A-Za-z_][\w.:-]*$/;

/**
 * Parts of a form nobody reads that are the rest of its definition, which ended at a `&` that was not encoded.
 *
 * @param breaksOff whether the definition looks cut off; then whatever is unknown is a part of it
 */
export function gluedParameters(
  body: JsonObject,
  known: readonly string[],
  breaksOff: () => boolean,
): readonly Complaint[] {
  const unknown = unknownOf(body, known);
  const odd = unknown.filter((name) => !PARAMETER.test(name));
  return (unknown.length > odd.length && breaksOff() ? unknown : odd).map((name) => ({
    detail: `the field ${shownJson(name, 100)} is not known: a & that is not encoded ends the definition before it; send the definition with curl --data-urlencode workflow@file`,
    pointer: pointerTo(name),
  }));
}

/** Parameters of one of the fixed calls that are not read. */
export const lostParameters = (body: JsonObject, known: readonly string[], hint = ''): readonly ApiWarning[] =>
  unknownOf(body, known).map((name) => ({
    code: 'parameter_ignored',
    message: `the parameter ${shownJson(name, 100)} is not read${hint}`,
    pointer: pointerTo(name),
  }));

export const complaintOf = ({ code, message, pointer, line, column }: ApiWarning): Complaint => ({
  detail: message,
  pointer: code === 'callback_missing' ? '#/callbacks' : pointer.startsWith('#') ? pointer : '#/workflow',
  ...(line === undefined || column === undefined ? {} : { line, column }),
});

/** Longest header of warnings, in characters. */
const HEADER_LENGTH_MAX = 500;

/** As the header `Rota-Warning`, for answers whose body is fixed: visible ASCII only, names of strangers included. */
export function warningHeader(warnings: readonly ApiWarning[]): Readonly<Record<string, string>> {
  if (warnings.length === 0) return {};
  const words = warnings.map(({ message }) => message).join('; ');
  return { 'Rota-Warning': words.replaceAll(/[^ -~]/g, '?').slice(0, HEADER_LENGTH_MAX) };
}

export const Warnings = Type.Array(
  Type.Object({
    code: text('A stable name to tell warnings apart by'),
    message: text('What is probably not meant'),
    pointer: text('Where: in the tree, or, with a # before it, in the body'),
    line: Type.Optional(Type.Integer()),
    column: Type.Optional(Type.Integer()),
    element: Type.Optional(text('Of BPMN: the id of the element')),
    participant: Type.Optional(text('Whose address is missing')),
  }),
  { description: 'What is taken and was probably not meant' },
);
