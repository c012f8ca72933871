// `npm run docs:site`: the documents as pages that need no server, with a search that needs none either. Plain JavaScript, for it is a part of the build:
// the server shows them at /docs/manual/. Into dist/docs/manual, or the folder that is given.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Documents by the chapter of the contents in which they stand, in its order. */
const CHAPTERS = [
  ['Begin', ['README.md', 'docs/questions.md', 'docs/start.md', 'docs/console.md']],
  ['Write', ['docs/definitions.md', 'docs/cookbook.md', 'docs/patterns.md', 'docs/bpmn.md']],
  ['Call', ['docs/api-v1.md', 'docs/clients.md']],
  [
    'Run',
    [
      'docs/operating.md',
      'docs/security.md',
      'docs/scaling.md',
      'docs/performance.md',
      'docs/upgrading.md',
      'docs/releases.md',
      'CHANGELOG.md',
    ],
  ],
  ['Come over', ['docs/from-ruote.md', 'docs/compatibility.md']],
  [
    'Look inside',
    ['docs/architecture.md', 'docs/glossary.md', 'docs/decisions/README.md', 'CONTRIBUTING.md', 'SECURITY.md'],
  ],
];
const LISTED = CHAPTERS.flatMap(([, files]) => files);

/** The page a document becomes: all lie in one folder. */
export function pageOf(file) {
  if (file === 'README.md') return 'index.html';
  if (file === 'SECURITY.md') return 'reporting.html';
  const name = file
    .replace(/^docs\//, '')
    .replace(/\.md$/, '')
    .replace(/\/README$/, '')
    .replaceAll('/', '-')
    .toLowerCase();
  return `${name}.html`;
}

const escaped = (text) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
const plain = (html) =>
  html
    .replace(/<[^>]*>/g, ' ')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/&amp;/g, '&')
    .replace(/\s+/g, ' ')
    .trim();
/** Of a heading, as GitHub makes them, so that links are right there as well. */
export const slug = (text) =>
  text
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}_\- ]/gu, '')
    .replaceAll(' ', '-');

/** All files of the site by name: texts, and pictures as bytes. */
export async function makeSite() {
  const { Marked } = await import('marked');
  const documents = [
    ...LISTED,
    ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md'))
      .map((name) => posix.join('docs', name.replaceAll('\\', '/'))),
  ];
  const files = [...new Set(documents)].filter((file) => existsSync(join(root, file)));
  const known = new Set(files);
  const site = new Map();
  const sections = [];

  for (const file of files) {
    const headings = [];
    const seen = new Map();
    const idOf = (text) => {
      const name = slug(text);
      const n = seen.get(name) ?? 0;
      seen.set(name, n + 1);
      return n === 0 ? name : `${name}-${n}`;
    };
    const target = (href) => {
      if (/^(?:[a-z]+:|#)/i.test(href)) return href;
      const [path, anchor] = href.split('#');
      const to = posix.normalize(posix.join(posix.dirname(file), path));
      const found = known.has(to) ? to : known.has(posix.join(to, 'README.md')) ? posix.join(to, 'README.md') : null;
      return found === null ? null : pageOf(found) + (anchor === undefined ? '' : `#${anchor}`);
    };
    /** Documents that are only named become links, too. */
    const linked = (text) =>
      escaped(text).replace(/\b(?:docs\/[\w/-]+|CONTRIBUTING|CHANGELOG|SECURITY|README)\.md\b/g, (name) =>
        known.has(name) && name !== file ? `<a href="${pageOf(name)}">${name}</a>` : name,
      );
    const marked = new Marked({
      gfm: true,
      renderer: {
        heading({ tokens, depth }) {
          const html = this.parser.parseInline(tokens);
          const title = plain(html);
          const id = idOf(title);
          headings.push({ depth, id, title });
          return `<h${depth} id="${id}">${html} <a class="here" href="#${id}" aria-label="A link to this place">#</a></h${depth}>\n`;
        },
        link({ href, tokens }) {
          const inner = escaped(plain(this.parser.parseInline(tokens, this.parser.textRenderer)));
          const to = target(href);
          return to === null ? inner : `<a href="${escaped(to)}">${inner}</a>`;
        },
        image({ href, text }) {
          const from = join(root, dirname(file), href);
          site.set(basename(href), readFileSync(from));
          return `<img src="${escaped(basename(href))}" alt="${escaped(text)}">`;
        },
        // Marks of the tables that are made; there is no other HTML in the documents.
        html: ({ text }) => (text.startsWith('<!--') ? '' : escaped(text)),
        text(token) {
          return token.tokens === undefined ? linked(token.raw) : this.parser.parseInline(token.tokens);
        },
      },
    });
    const body = marked.parse(readFileSync(join(root, file), 'utf8'));
    const page = pageOf(file);
    const title = headings[0]?.title ?? file;
    site.set(page, layout(page, title, body, headings));
    // A section of text for each heading, for the search.
    const parts = body.split(/(?=<h[1-4] id=")/);
    for (const part of parts) {
      const head = /^<h[1-4] id="([^"]*)">([\s\S]*?) <a class="here"/.exec(part);
      const text = plain(part.replace(/^<h[1-4][\s\S]*?<\/h[1-4]>/, ''));
      if (head !== null)
        sections.push({ id: sections.length, at: `${page}#${head[1]}`, page: title, title: plain(head[2]), text });
    }
  }
  site.set('manual.css', STYLE);
  site.set('rota.svg', MARK);
  site.set('sections.js', `globalThis.ROTA_SECTIONS = ${JSON.stringify(sections).replaceAll('<', '\\u003c')};\n`);
  site.set(
    'minisearch.js',
    readFileSync(join(root, 'node_modules/minisearch/dist/umd/index.js'), 'utf8').replace(
      /\n\/\/# sourceMappingURL=.*$/s,
      '\n',
    ),
  );
  site.set('search.js', SEARCH);
  return site;
}

function layout(page, title, body, headings) {
  const contents = CHAPTERS.map(
    ([chapter, files]) =>
      `<p>${chapter}</p><ul>${files
        .map((file) => {
          const to = pageOf(file);
          const name = file === 'README.md' ? 'Rota' : nameOf(file);
          return `<li><a href="${to}"${to === page ? ' aria-current="page"' : ''}>${escaped(name)}</a>${to === page ? within(headings) : ''}</li>`;
        })
        .join('')}</ul>`,
  ).join('\n');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}${page === 'index.html' ? '' : ' · Rota'}</title>
<link rel="stylesheet" href="manual.css">
<link rel="icon" href="rota.svg">
</head>
<body>
<nav aria-label="Contents">
<a class="mark" href="index.html"><img src="rota.svg" alt="" width="20" height="20"> Rota</a>
<search><input id="search" type="search" placeholder="Search the manual" aria-label="Search the manual" autocomplete="off"><ol id="found" hidden></ol></search>
<details id="contents" open>
<summary>Contents</summary>
${contents}
</details>
</nav>
<main>
${body}</main>
<script src="search.js"></script>
</body>
</html>
`;
}

/** The title of a document, from its first line. */
function nameOf(file) {
  const first = readFileSync(join(root, file), 'utf8').split('\n', 1)[0] ?? '';
  return first.replace(/^#+ /, '').replace(/^Security$/, file === 'SECURITY.md' ? 'Reporting a weakness' : 'Security');
}

const within = (headings) => {
  const second = headings.filter(({ depth }) => depth === 2);
  return second.length === 0
    ? ''
    : `<ul>${second.map(({ id, title }) => `<li><a href="#${id}">${escaped(title)}</a></li>`).join('')}</ul>`;
};

// A wheel, and whose turn it is.
const MARK = `<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><circle cx='7.5' cy='8.5' r='5.5' fill='none' stroke='#1f5fbf' stroke-width='2.4'/><circle cx='11.8' cy='4.2' r='3.4' fill='#1f5fbf' stroke='#fff' stroke-width='1.2'/></svg>\n`;

// The colours are those of the console (console/styles/tokens.css): one product, one face.
const STYLE = `:root {
  color-scheme: light dark;
  --ground: light-dark(#fff, #12161c); --side: light-dark(#f6f7f9, #191f27); --words: light-dark(#1b2430, #e6eaf0); --quiet: light-dark(#566273, #a3adbb);
  --line: light-dark(#d8dde4, #2c3541); --edge: light-dark(#7d8898, #7a8594); --code: light-dark(#f1f3f6, #202833); --link: light-dark(#1f5fbf, #7db0ff);
  --here: light-dark(#e7f0fd, #1b2c47);
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "Liberation Mono", "DejaVu Sans Mono", monospace;
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-padding-top: 1rem; }
body {
  margin: 0; display: grid; grid-template-columns: 18rem minmax(0, 1fr); background: var(--ground); color: var(--words);
  font: 16px/1.6 -apple-system, "Segoe UI", Roboto, "Noto Sans", Ubuntu, Cantarell, "Helvetica Neue", "Liberation Sans", Arial, system-ui, sans-serif;
}
nav { position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 1rem 0.8rem 2rem; background: var(--side); border-right: 1px solid var(--line); font-size: 14.5px; line-height: 1.4; }
nav .mark { display: flex; gap: 0.5rem; align-items: center; padding: 0 0.6rem 0.7rem; font-size: 1.25rem; font-weight: 700; color: var(--words); }
nav .mark img { border: 0; border-radius: 0; }
nav summary { display: none; cursor: pointer; padding: 0.6rem; font-weight: 600; }
nav p { margin: 1.1rem 0 0.2rem; padding: 0 0.6rem; color: var(--quiet); font-size: 13px; font-weight: 600; }
nav ul { list-style: none; margin: 0; padding: 0; }
nav ul ul { padding-left: 0.8rem; font-size: 13.5px; }
nav li a { display: block; padding: 0.28rem 0.6rem; border-radius: 6px; color: var(--words); }
nav ul ul a { color: var(--quiet); }
nav li a:hover { background: var(--code); text-decoration: none; }
nav a[aria-current] { background: var(--here); font-weight: 600; }
main { padding: 2rem 2.5rem 5rem; max-width: 62rem; min-width: 0; }
h1, h2, h3, h4 { line-height: 1.3; font-weight: 650; }
h1 { font-size: 1.9rem; margin: 0 0 1rem; }
h2 { font-size: 1.35rem; margin: 2.4rem 0 0.8rem; padding-top: 1.2rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.1rem; margin: 1.8rem 0 0.6rem; }
h4 { font-size: 1rem; margin: 1.4rem 0 0.4rem; }
a { color: var(--link); text-decoration: none; text-underline-offset: 2px; overflow-wrap: anywhere; }
main a:not(.here) { text-decoration: underline; text-decoration-color: color-mix(in srgb, currentColor 40%, transparent); }
main a:hover, main a:focus { text-decoration-color: currentColor; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 1px; border-radius: 4px; }
.here { visibility: hidden; font-weight: 400; }
:is(h1, h2, h3, h4):hover .here, .here:focus { visibility: visible; }
pre { background: var(--code); padding: 0.8rem 1rem; border-radius: 8px; overflow-x: auto; line-height: 1.5; }
code { font-family: var(--mono); background: var(--code); border-radius: 4px; padding: 0.1em 0.3em; font-size: 0.86em; overflow-wrap: anywhere; }
pre code { padding: 0; overflow-wrap: normal; }
table { border-collapse: collapse; display: block; overflow-x: auto; margin: 1rem 0; font-size: 14.5px; line-height: 1.5; }
th, td { border-bottom: 1px solid var(--line); padding: 0.45rem 0.9rem 0.45rem 0; text-align: left; vertical-align: top; }
th { color: var(--quiet); font-weight: 600; white-space: nowrap; }
td:first-child code { overflow-wrap: normal; }
li { margin: 0.2rem 0; }
nav li { margin: 0; }
blockquote { margin: 1rem 0; padding: 0 1rem; border-left: 4px solid var(--line); color: var(--quiet); }
img { max-width: 100%; height: auto; border: 1px solid var(--line); border-radius: 8px; }
#search { width: 100%; min-height: 36px; padding: 0.3rem 0.6rem; font: inherit; color: inherit; background: var(--ground); border: 1px solid var(--edge); border-radius: 6px; }
#found { margin: 0.5rem 0; padding: 0; list-style: none; }
#found li { padding: 0.25rem 0; }
#found small { color: var(--quiet); display: block; padding: 0 0.6rem; }
@media (max-width: 50rem) {
  body { display: block; }
  nav { position: static; height: auto; border: 0; border-bottom: 1px solid var(--line); padding: 0.7rem 1rem; }
  nav .mark { padding: 0 0 0.5rem; }
  nav summary { display: list-item; padding: 0.6rem 0 0; min-height: 40px; }
  nav li a { padding: 0.55rem 0.6rem; }
  main { padding: 1.2rem 1rem 4rem; }
  h1 { font-size: 1.6rem; }
}
@media print { nav { display: none; } body { display: block; } }
`;

// Scripts are fetched when somebody begins to search, and the index is made then: by the page itself, from a file or a server alike.
const SEARCH = `(() => {
  const FOUND_MAX = 20;
  const input = document.getElementById('search');
  const list = document.getElementById('found');
  let index = null;
  // On a telephone the contents would stand before every page.
  if (matchMedia('(max-width: 50rem)').matches) document.getElementById('contents').open = false;
  const script = (src) => new Promise((resolve, reject) => {
    const element = document.createElement('script');
    element.src = src;
    element.onload = resolve;
    element.onerror = reject;
    document.head.append(element);
  });
  async function made() {
    index ??= Promise.all([script('minisearch.js'), script('sections.js')]).then(() => {
      const search = new MiniSearch({
        fields: ['title', 'page', 'text'],
        storeFields: ['at', 'title', 'page'],
        searchOptions: { prefix: true, fuzzy: 0.15, boost: { title: 4, page: 2 }, combineWith: 'AND' },
      });
      search.addAll(globalThis.ROTA_SECTIONS);
      return search;
    });
    return index;
  }
  async function look() {
    const asked = input.value.trim();
    const found = asked === '' ? [] : (await made()).search(asked).slice(0, FOUND_MAX);
    if (input.value.trim() !== asked) return;
    list.replaceChildren(...found.map(({ at, title, page }) => {
      const item = document.createElement('li');
      const link = document.createElement('a');
      const where = document.createElement('small');
      link.href = at;
      link.textContent = title;
      where.textContent = page;
      item.append(link, where);
      return item;
    }));
    if (asked !== '' && found.length === 0) list.textContent = 'Nothing was found.';
    list.hidden = asked === '';
  }
  input.addEventListener('focus', made, { once: true });
  input.addEventListener('input', look);
})();
`;

/** @returns what was written; null where only what runs is installed, and there is nothing to make it with */
export async function writeSite(into) {
  if (!existsSync(join(root, 'node_modules/marked/package.json')) || !existsSync(join(root, 'docs'))) return null;
  const site = await makeSite();
  rmSync(into, { recursive: true, force: true });
  mkdirSync(into, { recursive: true });
  for (const [name, content] of site) writeFileSync(join(into, name), content);
  const bytes = [...site.values()].reduce((sum, content) => sum + Buffer.byteLength(content), 0);
  return `${into}: ${site.size} files, ${(bytes / 1e6).toFixed(2)} MB`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const written = await writeSite(process.argv[2] ?? join(root, 'dist/docs/manual'));
  if (written !== null) console.log(written);
}
