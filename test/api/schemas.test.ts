import { readdirSync, readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { schemaFiles } from '../../src/api/openapi.ts';
import { fileSchema } from '../../src/server/settings/shown.ts';

/** Those of requests and answers, and that of the file of settings. */
const schemas = [...schemaFiles(), ['config.json', fileSchema()] as const];
const folder = new URL('../../schemas/', import.meta.url);

describe('the published schemas', () => {
  test('are those requests are checked against; after a change run npm run schemas', () => {
    const files = new Map(
      readdirSync(folder).map((name) => [name, JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as unknown]),
    );
    expect(files).toEqual(new Map<string, unknown>(schemas));
  });

  test.each(schemas)('%s is a JSON Schema of 2020-12, complete in itself', (_name, schema) => {
    const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
    expect(ajv.validateSchema(schema)).toBe(true);
    expect(() => ajv.compile(schema)).not.toThrow();
  });
});
