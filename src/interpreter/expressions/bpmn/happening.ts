import { type Fields, isObject, type JsonObject, ownValue } from '../../../model/json.ts';
import type { Acting } from '../../state/world.ts';
import { list, meant, setOutside, text, treeOf } from './parts.ts';

/*
 * What has happened to an event travels with its token as the one field `__happened__`: the variables a message brought, the code and
 * message of an error.
 */

const KEY = '__happened__';

export type Happening = { readonly fields: Fields; readonly code?: string; readonly message?: string };

export const asPayload = (happening: Happening): Fields => ({ [KEY]: happening as unknown as JsonObject });

export function happeningIn(fields: Fields): Happening | null {
  const value = ownValue(fields, KEY);
  return isObject(value) ? (value as unknown as Happening) : null;
}

/** What an activity or event gives to the variables: what its output mapping says, else the whole answer. */
export function giveOut(x: Acting, answer: Fields, nearer: Fields = {}): void {
  const output = list(treeOf(x), 'output') as unknown as readonly (readonly [string, string])[];
  if (output.length === 0) {
    for (const [name, value] of Object.entries(answer)) setOutside(x, name, value as never);
    return;
  }
  const seen = { ...nearer, ...answer };
  for (const [source, target] of output) setOutside(x, target, meant(x, source, seen));
}

/** The event has happened: its variables are set. */
export function takeIn(x: Acting, happening: Happening): void {
  const { fields, code, message } = happening;
  const event = treeOf(x).attributes.get('event');
  if (isObject(event) && code !== undefined) {
    const codeVariable = event['codeVariable'];
    const messageVariable = event['messageVariable'];
    if (typeof codeVariable === 'string') setOutside(x, codeVariable, code);
    if (typeof messageVariable === 'string') setOutside(x, messageVariable, message ?? '');
  }
  giveOut(x, fields, code === undefined ? {} : { errorCode: code, errorMessage: message ?? '' });
}

export const nameOf = (x: Acting): string => text(treeOf(x), 'id');
