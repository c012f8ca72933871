/** Marks a property that may be absent. Neither JSON nor ajv sees it. */
const OPTIONAL: unique symbol = Symbol('optional');

/** A JSON Schema (2020-12) as it stands: a plain value, to print and to check against. */
export type Schema = { readonly [keyword: string]: unknown; readonly [OPTIONAL]?: true };

/** The schema of an object, whose parts can be had one by one. */
export type ObjectSchema<Properties> = Schema & {
  readonly properties: Properties;
  /** Absent when none is. */
  readonly required?: readonly string[];
};

/**
 * The words schemas are written in.
 *
 * Only what we need of them, and nothing is computed: a library for this was a third of all the files a start had to load.
 */
export const Type = {
  String: (options: Schema = {}): Schema => ({ type: 'string', ...options }),
  Number: (options: Schema = {}): Schema => ({ type: 'number', ...options }),
  Integer: (options: Schema = {}): Schema => ({ type: 'integer', ...options }),
  Boolean: (options: Schema = {}): Schema => ({ type: 'boolean', ...options }),
  Null: (): Schema => ({ type: 'null' }),
  Literal: (value: string): Schema => ({ type: 'string', const: value }),
  OneOf: (values: readonly string[], description: string): Schema => ({
    type: 'string',
    enum: [...values],
    description,
  }),
  Array: (items: Schema, options: Schema = {}): Schema => ({ type: 'array', items, ...options }),
  Union: (schemas: readonly Schema[], options: Schema = {}): Schema => ({ anyOf: [...schemas], ...options }),
  /** A property that may be absent. */
  Optional: (schema: Schema): Schema => ({ ...schema, [OPTIONAL]: true }),
  /** An object with these properties; more of them do no harm unless `additionalProperties` says otherwise. */
  Object: <Properties extends { readonly [name: string]: Schema }>(
    properties: Properties,
    options: Schema = {},
  ): ObjectSchema<Properties> => {
    const required = Object.keys(properties).filter((name) => properties[name]?.[OPTIONAL] !== true);
    return { type: 'object', ...(required.length === 0 ? {} : { required }), properties, ...options };
  },
};
