import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/*
 * The page that shows the interface and lets people try it. What draws it is swagger-ui, three files that lie beside the compiled server
 * (scripts/docs.mjs copies them); from its sources the server takes them from the package.
 */

/** A file of the page. */
export type DocsFile = { readonly type: string; readonly bytes: Uint8Array };

/** The page may run the scripts of this server and ask this server, and nothing else. swagger-ui sets styles in its elements and draws small
 * pictures from data. */
export const DOCS_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

// Addresses are relative, so that they are right behind a path, too.
const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Rota: the interface</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
<link rel="icon" href="data:,">
</head>
<body>
<div id="interface"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
`;

// What is shown is fixed: nothing in the address of the page chooses another description, and nothing is sent elsewhere to be judged.
const START = `SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#interface',
  queryConfigEnabled: false,
  validatorUrl: null,
  persistAuthorization: false,
  deepLinking: true,
  docExpansion: 'list',
  defaultModelsExpandDepth: 0,
  tryItOutEnabled: false,
});
`;

const FOLDERS = ['../../../../docs', '../../../../node_modules/swagger-ui-dist'] as const;

/** The page and its files by path; null where swagger-ui is not there. Read once, when somebody first wants them. */
export function readDocs(): ReadonlyMap<string, DocsFile> | null {
  const folder = FOLDERS.map((path) => fileURLToPath(new URL(path, import.meta.url))).find(
    (path) => statSync(join(path, 'swagger-ui-bundle.js'), { throwIfNoEntry: false }) !== undefined,
  );
  if (folder === undefined) return null;
  const text = (type: string, content: string): DocsFile => ({ type, bytes: Buffer.from(content) });
  return new Map<string, DocsFile>([
    ['', text('text/html; charset=utf-8', PAGE)],
    ['start.js', text('text/javascript; charset=utf-8', START)],
    ['swagger-ui-bundle.js', { type: 'text/javascript; charset=utf-8', bytes: read(folder, 'swagger-ui-bundle.js') }],
    ['swagger-ui.css', { type: 'text/css; charset=utf-8', bytes: read(folder, 'swagger-ui.css') }],
  ]);
}

const MANUALS = ['../../../../docs/manual', '../../../../dist/docs/manual'] as const;
const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  png: 'image/png',
};

/** The documents as pages (scripts/site.mjs), by name; null where they were not built. Read once, when somebody first wants them. */
export function readManual(): ReadonlyMap<string, DocsFile> | null {
  const folder = MANUALS.map((path) => fileURLToPath(new URL(path, import.meta.url))).find(
    (path) => statSync(join(path, 'index.html'), { throwIfNoEntry: false }) !== undefined,
  );
  if (folder === undefined) return null;
  return new Map(
    readdirSync(folder).flatMap((name) => {
      const type = TYPES[name.slice(name.lastIndexOf('.') + 1)];
      return type === undefined ? [] : [[name, { type, bytes: readFileSync(join(folder, name)) }]];
    }),
  );
}

/** Without the line that leads to a map, which is not there. */
const read = (folder: string, name: string): Uint8Array =>
  Buffer.from(readFileSync(join(folder, name), 'utf8').replace(/\n(?:\/\/|\/\*)# sourceMappingURL=.*$/s, '\n'));
