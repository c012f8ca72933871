import { readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { beforeAll, describe, expect, test } from 'vitest';
import { makeSite, pageOf, slug } from '../../scripts/site.mjs';
import { FOLDERS } from '../../src/api/resources/docs/page.ts';

/* The documents, as pages and as they stand: links lead somewhere, questions to their answers, and the search finds them. */

const root = join(import.meta.dirname, '../..');
let site: ReadonlyMap<string, string | Uint8Array>;
let pages: readonly (readonly [string, string])[];
beforeAll(async () => {
  site = await makeSite();
  pages = [...site].flatMap(([name, content]) => (name.endsWith('.html') ? [[name, String(content)] as const] : []));
});

const idsOf = (html: string): ReadonlySet<string> =>
  new Set([...html.matchAll(/ id="([^"]+)"/g)].map(([, id = '']) => id));

describe('as pages', () => {
  test('every link leads to a page that is there, and to a place in it', () => {
    expect(pages.length).toBeGreaterThan(30);
    const ids = new Map(pages.map(([name, html]) => [name, idsOf(html)]));
    const broken = pages.flatMap(([name, html]) =>
      [...html.matchAll(/<a [^>]*href="([^"]*)"/g)]
        .map(([, href = '']) => href)
        .filter((href) => {
          if (/^https?:/.test(href)) return false;
          const [page = '', id] = href.split('#');
          const there = ids.get(page === '' ? name : page);
          return there === undefined || (id !== undefined && !there.has(decodeURIComponent(id)));
        })
        .map((href) => `${name}: ${href}`),
    );
    expect(broken).toEqual([]);
  });

  test('nothing is fetched from elsewhere, and no script is in a page', () => {
    for (const [name, html] of pages) {
      const loaded = [...html.matchAll(/<(?:script|img|link)[^>]*(?:src|href)="([^"]+)"/g)].map(([, to = '']) => to);
      expect(
        loaded.filter((to) => to !== 'data:,' && !site.has(to)),
        name,
      ).toEqual([]);
      expect(html).not.toMatch(/<script>|\son\w+="/);
    }
    const bytes = [...site.values()].reduce((sum, content) => sum + Buffer.byteLength(content), 0);
    expect(bytes).toBeLessThan(3_000_000);
  });

  test('the search finds places by their words, without a server', () => {
    const context = createContext({});
    for (const script of ['minisearch.js', 'sections.js']) runInContext(String(site.get(script)), context);
    const found = runInContext(
      `const search = new MiniSearch({ fields: ['title', 'page', 'text'], storeFields: ['at'], searchOptions: { prefix: true, boost: { title: 4 }, combineWith: 'AND' } });
       search.addAll(ROTA_SECTIONS);
       ['rolling node', 'business key', 'saga', 'concurrent_iterator'].map((asked) => search.search(asked).slice(0, 5).map(({ at }) => at))`,
      context,
    ) as readonly (readonly string[])[];
    expect(found[0]).toContain('upgrading.html#rolling-one-node-after-the-other');
    expect(found[1]?.length).toBeGreaterThan(1);
    expect(found[2]).toContain('cookbook.html#saga-undo-what-was-done');
    expect(found[3]).toContain('definitions.html#concurrent_iterator-citerator');
  });
});

describe('as they stand', () => {
  const read = (file: string): string => readFileSync(join(root, file), 'utf8');
  const links = (file: string): readonly string[] =>
    [
      ...read(file)
        .replace(/```[\s\S]*?```/g, '')
        .matchAll(/\]\((?!https?:)([^)\s]+)\)/g),
    ].map(([, to = '']) => to);
  const anchors = (file: string): ReadonlySet<string> =>
    new Set(
      [
        ...read(file)
          .replace(/```[\s\S]*?```/g, '')
          .matchAll(/^#+ (.*)$/gm),
      ].map(([, title = '']) => slug(title.replaceAll('`', ''))),
    );

  test('each of thirty questions of the first week is answered within two clicks from the README', () => {
    expect(links('README.md')).toContain('docs/questions.md');
    const asked = read('docs/questions.md')
      .split('\n')
      .filter((line) => line.startsWith('- '));
    expect(asked.length).toBeGreaterThanOrEqual(30);
    for (const line of asked) {
      const to = [...line.matchAll(/\]\(([^)]+)\)/g)].map(([, target = '']) => target);
      expect(to.length, line).toBeGreaterThan(0);
      for (const target of to) {
        const [path = '', anchor] = target.split('#');
        const file = path === '' ? 'docs/questions.md' : posix.join('docs', path);
        if (anchor !== undefined) expect(anchors(file).has(anchor), `${line}: ${target}`).toBe(true);
      }
    }
  });

  test('the compiled server looks for what draws /docs where the build puts it', () => {
    const compiled = 'file:///rota/dist/api/resources/docs/page.js';
    expect(new URL(FOLDERS[0], compiled).pathname).toBe('/rota/dist/docs');
    expect(readFileSync(join(root, 'scripts/docs.mjs'), 'utf8')).toContain("join(root, 'dist/docs')");
  });

  test('every document is a page that the contents or another page lead to', () => {
    const led = new Set(
      pages.flatMap(([name, html]) =>
        [...html.matchAll(/href="([^"#]+\.html)/g)].map(([, to = '']) => to).filter((to) => to !== name),
      ),
    );
    expect(pages.map(([name]) => name).filter((name) => !led.has(name))).toEqual([]);
    expect(pageOf('docs/decisions/README.md')).toBe('decisions.html');
    expect(dirname(pageOf('docs/decisions/0001-rooms-and-arrows.md'))).toBe('.');
  });
});
