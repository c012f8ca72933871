import { keyOf, SETTINGS } from './table.ts';

/* The table of settings as documents and programs have it. */

/** Rows of the table in README.md. */
export function readmeTable(): string {
  const rows = SETTINGS.map((one) => `| \`${one.name}\` | ${one.meaning} | ${code(one.default)} |`);
  return ['| Variable | Meaning | Default |', '|---|---|---|', ...rows].join('\n');
}

const code = (value: string): string => (/\s/.test(value) || value === 'none' ? value : `\`${value}\``);

/** What `rota --help` prints about settings. */
export function helpTable(): string {
  return SETTINGS.map(
    (one) => `  ${one.name.padEnd(24)} ${one.meaning.replaceAll('`', '')}\n${' '.repeat(27)}default: ${one.default}`,
  ).join('\n');
}

/** The JSON Schema of the file of settings (schemas/config.json), for editors. A text that holds `${…}` is allowed for every setting. */
export function fileSchema(): object {
  const put = { type: 'string', pattern: '\\$\\{' };
  const properties: { [key: string]: object } = {};
  for (const one of SETTINGS) {
    const description = `${one.meaning.replaceAll('`', '')} (default: ${one.default})`;
    properties[keyOf(one.name)] =
      one.schema['type'] === 'string' ? { ...one.schema, description } : { description, anyOf: [one.schema, put] };
    if (one.secret)
      properties[`${keyOf(one.name)}_file`] = { type: 'string', description: `a file that holds ${keyOf(one.name)}` };
  }
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'The file of settings of Rota',
    type: 'object',
    additionalProperties: false,
    properties,
  };
}
