import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { BODY_EXAMPLES } from '../../src/api/openapi-examples.ts';
import { published } from '../../src/api/schemas.ts';
import type { Running } from '../../src/server/start.ts';
import { everyOperation } from '../support/described.ts';
import { postJson, send, startServer } from '../support/server.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

let server: Running;
beforeAll(async () => {
  server = await startServer({ TEST_CLOCK: '1' });
}, 60_000);
afterAll(() => server.stop(), 60_000);

type Document = {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly operationId: string }>>>>;
};

describe('/openapi.json', () => {
  test('describes every address there is, and nothing else', async () => {
    const document = (await send(server.url, 'GET', '/openapi.json')).json<Document>();
    expect(document.openapi).toBe('3.1.0');
    const ids = new Set<string>();
    for (const [path, methods] of Object.entries(document.paths)) {
      const answer = await send(server.url, 'OPTIONS', path.replaceAll(/[{}]/g, 'x'));
      const allowed = String(answer.headers['allow'])
        .split(', ')
        .filter((method) => !['HEAD', 'OPTIONS'].includes(method));
      // An address may be one of several: /v1/workflows/count is that of a workflow, too.
      const methodsThere = Object.entries(document.paths)
        .filter(([other]) => new RegExp(`^${other.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path))
        .flatMap(([, there]) => Object.keys(there).map((method) => method.toUpperCase()));
      expect(allowed.sort(), path).toEqual([...new Set(methodsThere)].sort());
      for (const { operationId } of Object.values(methods)) {
        expect(ids.has(operationId), operationId).toBe(false);
        ids.add(operationId);
      }
    }
    expect(ids.size).toBeGreaterThan(25);
  });

  test('refers only to what it holds', async () => {
    const { text } = await send(server.url, 'GET', '/openapi.json');
    const references = [...text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name ?? '');
    expect(references.length).toBeGreaterThan(20);
    for (const name of references) expect(Object.keys(published)).toContain(name);
  });

  test('has every status that anything was answered with here, and says who may call', async () => {
    type Described = {
      responses: Record<string, unknown>;
      security: unknown[];
      tags: string[];
      'x-rota-scope'?: string;
    };
    const { paths, tags, info, servers } = (await send(server.url, 'GET', '/openapi.json')).json<{
      paths: Record<string, Record<string, Described>>;
      tags: { name: string }[];
      info: { version: string };
      servers: unknown[];
    }>();
    expect(info.version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(servers).toEqual([{ url: '/', description: 'This server' }]);
    const known = tags.map(({ name }) => name);
    for (const [path, item] of Object.entries(paths))
      for (const [method, { responses, security, tags: own, 'x-rota-scope': scope }] of Object.entries(item)) {
        expect(known, path).toContain(own[0]);
        if (security.length > 0) expect(Object.keys(responses), path).toEqual(expect.arrayContaining(['401', '403']));
        if (scope !== undefined) expect(JSON.stringify(security), path).toContain(scope);
        // Asked for what is not there, with a body that is none: the status is one that is described.
        const body = ['post', 'patch'].includes(method) ? { body: '{' } : {};
        const asked = path.replaceAll(/\{\w+\}/g, 'none');
        if (method === 'get' && /stream$/.test(path)) continue;
        const { status } = await send(server.url, method.toUpperCase(), asked, {
          headers: { 'Content-Type': 'application/json' },
          ...body,
        });
        expect(Object.keys(responses), `${method} ${path}: ${status}`).toContain(String(status));
      }
  });

  test('stands the eye of a linter that looks for what others would stumble over', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rota-openapi-'));
    try {
      const file = join(folder, 'openapi.json');
      writeFileSync(file, (await send(server.url, 'GET', '/openapi.json')).text);
      const cli = join(root, 'node_modules/@redocly/cli/bin/cli.js');
      const given = [cli, 'lint', file, '--config', join(root, 'redocly.yaml'), '--format', 'json'];
      // Nothing is sent, and no newer version is looked for.
      const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };
      const { stdout } = spawnSync(process.execPath, given, { env, encoding: 'utf8' });
      const { totals, problems } = JSON.parse(stdout.slice(stdout.indexOf('{'))) as {
        totals: { errors: number; warnings: number };
        problems: { message: string; ruleId: string }[];
      };
      expect(problems.map(({ ruleId, message }) => `${ruleId}: ${message}`)).toEqual([]);
      expect(totals).toMatchObject({ errors: 0, warnings: 0 });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('can be had as YAML, says the same there, and is not sent twice to who has it', async () => {
    const json = await send(server.url, 'GET', '/openapi.json');
    const yaml = await send(server.url, 'GET', '/openapi.yaml');
    expect(yaml.headers['content-type']).toMatch(/^application\/yaml/);
    expect(parse(yaml.text)).toEqual(json.json());
    // Many readers are of YAML 1.1, in which `Yes` is true and a date is no text.
    expect(parse(yaml.text, { version: '1.1' })).toEqual(json.json());
    for (const answer of [json, yaml]) {
      const path = answer === json ? '/openapi.json' : '/openapi.yaml';
      const etag = String(answer.headers['etag']);
      const again = await send(server.url, 'GET', path, { headers: { 'If-None-Match': etag } });
      expect([again.status, again.text]).toEqual([304, '']);
    }
  });

  test('has an example of each body, which fits its schema', () => {
    const check = new Ajv2020({ strict: false, allowUnionTypes: true, validateFormats: false });
    for (const { id, body } of everyOperation()) {
      // A file is no example in JSON.
      if (body === undefined || id === 'importWorkflows') continue;
      const example = BODY_EXAMPLES[id];
      expect(example, id).toBeDefined();
      const fits = check.compile(body.schema);
      expect(fits(example), `${id}: ${check.errorsText(fits.errors)}`).toBe(true);
    }
  });

  test('tells the truth about problems', async () => {
    const check = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(published.problem);
    for (const answer of [
      await send(server.url, 'GET', '/v1/nothing'),
      await postJson(server.url, '/v1/workflows', {}),
      await postJson(server.url, '/v1/workflows', '{'),
      await postJson(server.url, '/v1/definitions/validate', {}),
    ])
      expect(check(answer.json()), JSON.stringify(check.errors)).toBe(true);
  });
});

describe('/docs', () => {
  test('is a page of this server alone', async () => {
    const page = await send(server.url, 'GET', '/docs');
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
    const policy = String(page.headers['content-security-policy']);
    expect(policy).toMatch(/^default-src 'none'; script-src 'self';/);
    expect(policy).not.toMatch(/unsafe-eval|https?:|\*/);
    expect(page.headers['x-content-type-options']).toBe('nosniff');
    // The sign in the page itself names the language it is drawn in.
    expect(page.text.replace(/"data:image\/svg\+xml,[^"]*"/, '')).not.toMatch(/https?:|<script>|\son\w+=/);
    const files = [...page.text.matchAll(/(?:src|href)="(docs\/[^"/]+)"/g)].map(([, name]) => name ?? '');
    expect(files).toHaveLength(4);
    for (const name of files) {
      const file = await send(server.url, 'GET', `/${name}`);
      expect([file.status, file.headers['content-type']], name).toEqual([
        200,
        name.endsWith('.css') ? 'text/css; charset=utf-8' : 'text/javascript; charset=utf-8',
      ]);
      expect(file.text.slice(-300)).not.toContain('sourceMappingURL');
    }
    for (const name of ['package.json', '..%2fpackage.json', 'swagger-ui.js', ''])
      expect((await send(server.url, 'GET', `/docs/${name}`)).status, name).not.toBe(name === '' ? 500 : 200);
  });

  test('has links that lead somewhere, with a slash behind its address and without, behind any path', async () => {
    const statusOf = async (url: URL): Promise<number> => (await send(server.url, 'GET', url.pathname.slice(5))).status;
    for (const at of ['/docs', '/docs/']) {
      const page = await send(server.url, 'GET', at);
      expect(page.headers['content-type'], at).toBe('text/html; charset=utf-8');
      const links = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)]
        .map(([, to = '']) => to)
        .filter((to) => !to.startsWith('data:'));
      expect(links.length, at).toBe(7);
      // As a browser sees it behind a proxy that serves all of this at /rota.
      // The manual is there once it was built.
      for (const to of links)
        if (!to.includes('manual')) expect(await statusOf(new URL(to, `http://x/rota${at}`)), `${at}: ${to}`).toBe(200);
      const manual = links.find((to) => to.includes('manual')) ?? '';
      expect(new URL(manual, `http://x/rota${at}`).pathname).toBe('/rota/docs/manual/index.html');
    }
    // What a script would ask for below its own name is nowhere.
    for (const none of ['/docs/rota.css/', '/docs/manual/index.html/'])
      expect((await send(server.url, 'GET', none)).status, none).toBe(404);
    const manual = await send(server.url, 'GET', '/docs/manual');
    expect([manual.status, manual.headers['location']]).toEqual([308, 'manual/']);
    const { text: script } = await send(server.url, 'GET', '/docs/start.js');
    expect(script).toContain("new URL('../openapi.json', document.currentScript.src)");
  });

  test('can be turned off', async () => {
    const without = await startServer({ DOCS: '0' });
    expect((await send(without.url, 'GET', '/docs')).status).toBe(404);
    expect((await send(without.url, 'GET', '/openapi.json')).text).not.toContain('/docs');
    await without.stop();
  }, 60_000);
});

describe('/v1/definitions/validate', () => {
  test('gives the tree and the participants of a good definition', async () => {
    const workflow =
      'define order\n  concurrence\n    stock\n    participant credit\n  shipping\n  define shipping\n    carrier';
    const answer = await postJson(server.url, '/v1/definitions/validate', { workflow });
    expect(answer.status).toBe(200);
    expect(answer.json()).toMatchObject({
      valid: true,
      tree: ['define', { order: null }, expect.any(Array)],
      errors: [],
      participants: ['carrier', 'credit', 'stock'],
    });
  });

  test('tells what is wrong with a bad one, and where', async () => {
    const answer = await postJson(server.url, '/v1/definitions/validate', { workflow: '<a>\n<b></a>' });
    expect(answer.status).toBe(200);
    expect(answer.json()).toMatchObject({
      valid: false,
      participants: [],
      errors: [{ message: expect.any(String), line: 2, column: expect.any(Number) }],
    });
  });
});
