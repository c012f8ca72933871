// Copies what draws /docs beside the compiled server. Plain JavaScript, for it is a part of the build.
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const from = join(root, 'node_modules/swagger-ui-dist');
const into = join(root, 'dist/docs');

if (existsSync(from)) {
  mkdirSync(into, { recursive: true });
  for (const name of ['swagger-ui-bundle.js', 'swagger-ui.css', 'LICENSE'])
    copyFileSync(join(from, name), join(into, name));
}
