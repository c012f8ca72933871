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
<meta name="color-scheme" content="light dark">
<link rel="stylesheet" href="docs/swagger-ui.css">
<link rel="stylesheet" href="docs/rota.css">
<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Ccircle cx='7.5' cy='8.5' r='5.5' fill='none' stroke='%231f5fbf' stroke-width='2.4'/%3E%3Ccircle cx='11.8' cy='4.2' r='3.4' fill='%231f5fbf' stroke='%23fff' stroke-width='1.2'/%3E%3C/svg%3E">
</head>
<body>
<header class="rota"><b>Rota</b> <span>the interface</span> <a href="docs/manual/index.html">manual</a> <a href="openapi.json">openapi.json</a> <a href="openapi.yaml">openapi.yaml</a></header>
<div id="interface"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
`;

// The same at /docs/.
const PAGE_BELOW = PAGE.replaceAll('="docs/', '="').replaceAll('="openapi.', '="../openapi.');

// What is shown is fixed: nothing in the address of the page chooses another description, and nothing is sent elsewhere to be judged.
const START = `const dark = matchMedia('(prefers-color-scheme: dark)');
const follow = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', follow);
follow();
SwaggerUIBundle({
  url: new URL('../openapi.json', document.currentScript.src).href,
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

// Of one product with the console and the manual, by day and by night.
const STYLE = `body { margin: 0; background: #f6f7f9; }
html.dark-mode body { background: #12161c; }
.rota { display: flex; flex-wrap: wrap; gap: 4px 16px; align-items: baseline; padding: 12px 20px; background: #fff; color: #566273; border-bottom: 1px solid #d8dde4;
  font: 14px/1.5 -apple-system, "Segoe UI", Roboto, "Noto Sans", Ubuntu, "Helvetica Neue", "Liberation Sans", Arial, sans-serif; }
.rota b { font-size: 17px; color: #1b2430; }
.rota span { flex: 1; }
.rota a { color: #1f5fbf; padding: 4px 0; }
html.dark-mode .rota { background: #191f27; color: #a3adbb; border-color: #2c3541; }
html.dark-mode .rota b { color: #e6eaf0; }
html.dark-mode .rota a { color: #7db0ff; }
.swagger-ui .info { margin: 24px 0; }
.swagger-ui .scheme-container { box-shadow: none; background: transparent; padding: 0 0 12px; }
`;

/** From this file: beside the compiled server, as `scripts/docs.mjs` puts them there; in a clone those of the package they come from. */
export const FOLDERS = ['../../../docs', '../../../../node_modules/swagger-ui-dist'] as const;

/** The page (also as it is with a slash behind it: `/`) and its files by path; null where swagger-ui is not there. Read once, when somebody first wants them. */
export function readDocs(): ReadonlyMap<string, DocsFile> | null {
  const folder = FOLDERS.map((path) => fileURLToPath(new URL(path, import.meta.url))).find(
    (path) => statSync(join(path, 'swagger-ui-bundle.js'), { throwIfNoEntry: false }) !== undefined,
  );
  if (folder === undefined) return null;
  const text = (type: string, content: string): DocsFile => ({ type, bytes: Buffer.from(content) });
  return new Map<string, DocsFile>([
    ['', text('text/html; charset=utf-8', PAGE)],
    ['/', text('text/html; charset=utf-8', PAGE_BELOW)],
    ['start.js', text('text/javascript; charset=utf-8', START)],
    ['rota.css', text('text/css; charset=utf-8', STYLE)],
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
  svg: 'image/svg+xml',
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
