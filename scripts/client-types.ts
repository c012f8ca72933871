import { schemaFiles } from '../src/api/openapi.ts';

/* The types of `rota/client`, made from the published schemas; `npm run schemas` writes them, test/client/types.test.ts holds them. */

type Schema = { readonly [keyword: string]: unknown };
/** Types that have a name, each with its shape. */
type Names = ReadonlyMap<string, string>;

const HEAD = `/* Written by \`npm run schemas\` from the schemas in schemas/. Do not edit. */\n`;

/** The text of src/client/types.ts. */
export function clientTypes(): string {
  const files = [...schemaFiles()];
  /** Schemas that have a name of their own; one that stands inside another is told by it. */
  const names = new Map<string, string>();
  for (const [file, schema] of files) names.set(nameOf(file, schema), shapeOf(schema));
  const inner = new Map<string, Schema>();
  for (const [, schema] of files) gather(schema, names, inner);
  const all = [
    ...files.map(([file, schema]) => [nameOf(file, schema), schema] as const),
    ...[...inner].map(([name, schema]) => [name, schema] as const),
  ].sort(([a], [b]) => (a < b ? -1 : 1));
  const texts = all.map(([name, schema]) => {
    const about = typeof schema['description'] === 'string' ? `/** ${schema['description']} */\n` : '';
    return `${about}export type ${name} = ${typeOf(schema, names, name)};\n`;
  });
  return `${HEAD}\n${texts.join('\n')}`;
}

const titled = (schema: Schema): string | null => {
  const { title } = schema;
  return typeof title === 'string' && /^[A-Z]\w*$/.test(title) ? title : null;
};

function nameOf(file: string, schema: Schema): string {
  const words = file.replace(/\.json$/, '').split('-');
  return titled(schema) ?? words.map((word) => `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`).join('');
}

/** What two schemas of one name have to share. */
const shapeOf = ({ $schema: _, $id: __, description: ___, ...rest }: Schema): string => JSON.stringify(rest);

/** Schemas with a title inside others. One whose title stands for another shape already gets no name. */
function gather(value: unknown, names: Map<string, string>, inner: Map<string, Schema>, depth = 0): void {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const one of value) gather(one, names, inner, depth + 1);
    return;
  }
  const schema = value as Schema;
  const name = titled(schema);
  if (depth > 0 && name !== null && !names.has(name)) {
    names.set(name, shapeOf(schema));
    inner.set(name, schema);
  }
  for (const one of Object.values(schema)) gather(one, names, inner, depth + 1);
}

function typeOf(schema: Schema, own: Names, top: string | null = null): string {
  const name = titled(schema);
  if (top === null && name !== null && own.get(name) === shapeOf(schema)) return name;
  const { const: constant, enum: values, anyOf, type } = schema;
  if (constant !== undefined) return JSON.stringify(constant);
  if (Array.isArray(values)) return values.map((value) => JSON.stringify(value)).join(' | ');
  if (Array.isArray(anyOf)) return [...new Set(anyOf.map((one: Schema) => typeOf(one, own)))].join(' | ');
  if (Array.isArray(type)) return type.map((one) => typeOf({ ...schema, type: one }, own)).join(' | ');
  switch (type) {
    case 'string':
    case 'boolean':
    case 'null':
      return type;
    case 'integer':
    case 'number':
      return 'number';
    case 'array':
      return arrayOf(schema, own);
    case 'object':
      return objectOf(schema, own);
    default:
      return 'unknown';
  }
}

function arrayOf({ prefixItems, items }: Schema, own: Names): string {
  if (Array.isArray(prefixItems)) return `readonly [${prefixItems.map((one: Schema) => typeOf(one, own)).join(', ')}]`;
  const item = typeof items === 'object' && items !== null ? typeOf(items as Schema, own) : 'unknown';
  return `readonly ${item.includes(' | ') && !item.startsWith('{') ? `(${item})` : item}[]`;
}

function objectOf({ properties, required, additionalProperties }: Schema, own: Names): string {
  const wanted = new Set(Array.isArray(required) ? required : []);
  const members = Object.entries((properties ?? {}) as Readonly<Record<string, Schema>>);
  if (members.length === 0) {
    const others =
      typeof additionalProperties === 'object' && additionalProperties !== null
        ? typeOf(additionalProperties as Schema, own)
        : 'unknown';
    return `{ readonly [name: string]: ${others} }`;
  }
  const lines = members.map(([key, schema]) => {
    const about =
      typeof schema['description'] === 'string' ? `/** ${schema['description'].replaceAll('*/', '* /')} */\n` : '';
    const quoted = /^[A-Za-z_]\w*$/.test(key) ? key : JSON.stringify(key);
    return `${about}readonly ${quoted}${wanted.has(key) ? '' : '?'}: ${typeOf(schema, own)};`;
  });
  return `{\n${lines.join('\n')}\n}`;
}
