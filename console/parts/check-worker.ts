import { type Schema, Validator } from '@cfworker/json-schema';
import type { Json } from '../../src/model/json.ts';

/* Checks a value against a stranger's schema. A pattern may take for ever: then the page ends this worker. */

export type Wrong = { readonly pointer: string; readonly detail: string };
type Ask = { readonly schema: Json; readonly value: Json };

self.onmessage = ({ data }: MessageEvent<Ask>): void => {
  try {
    const { errors } = new Validator(data.schema as Schema, '2020-12', false).validate(data.value);
    const wrong = errors
      // Who says only that something below is wrong says nothing of their own.
      .filter(({ keyword }) => !['properties', 'items', 'then', 'else', 'allOf', 'anyOf', '$ref'].includes(keyword))
      .map(({ instanceLocation, error }): Wrong => ({ pointer: instanceLocation.replace(/^#\/?/, ''), detail: error }));
    self.postMessage({ wrong });
  } catch (error) {
    self.postMessage({ failed: error instanceof Error ? error.message : String(error) });
  }
};
