import { isObject, type Json, ownValue } from './json.ts';

/* JSON pointers (RFC 6901): where in a value something is. */

/** What is at the pointer; undefined when nothing is. */
export function atPointer(value: Json, pointer: string): Json | undefined {
  if (pointer === '') return value;
  let here: Json | undefined = value;
  for (const name of pathOf(pointer)) {
    if (Array.isArray(here))
      here = /^(0|[1-9]\d{0,8})$/.test(name) ? (here[Number(name)] as Json | undefined) : undefined;
    else here = isObject(here) ? ownValue(here, name) : undefined;
    if (here === undefined) return undefined;
  }
  return here;
}

/** The names that lead there, one after the other. */
export const pathOf = (pointer: string): readonly string[] =>
  pointer === ''
    ? []
    : pointer
        .slice(1)
        .split('/')
        .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));

export const isPointer = (text: string): boolean => text === '' || /^\/(?:[^~]|~[01])*$/.test(text);
