import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { schemaFiles } from '../src/api/openapi.ts';
import { fileSchema } from '../src/server/settings/shown.ts';
import { clientTypes } from './client-types.ts';

/*
 * `npm run schemas`: writes schemas/*.json from src/api/schemas.ts and from the table of settings, and the types of the client from them.
 * test/api/schemas.test.ts and test/client/types.test.ts fail when they differ.
 */

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(root, 'schemas');
mkdirSync(folder, { recursive: true });
for (const file of readdirSync(folder)) if (file.endsWith('.json')) rmSync(join(folder, file));
for (const [name, schema] of [...schemaFiles(), ['config.json', fileSchema()] as const])
  writeFileSync(join(folder, name), `${JSON.stringify(schema, null, 2)}\n`);
const types = join(root, 'src/client/types.ts');
writeFileSync(types, clientTypes());
spawnSync(process.execPath, [join(root, 'node_modules/@biomejs/biome/bin/biome'), 'format', '--write', folder, types], {
  stdio: 'inherit',
});
