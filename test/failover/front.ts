import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freePort } from '../support/free-port.ts';
import { until } from '../support/until.ts';

/*
 * What stands before cells: HAProxy where it is installed, with the lines of docs/scaling.md, else a proxy of our own that does the same. Only addresses and
 * the tenants of cell b are put in.
 */

export type Front = {
  readonly name: 'haproxy' | 'our own';
  readonly url: string;
  /** Opens the way to the cells. @param ports where the node of each listens */
  readonly open: (ports: { readonly a: number; readonly b: number }) => Promise<void>;
  /** From now on launches of a tenant go there; at first all go to a. */
  readonly send: (tenant: string, cell: 'a' | 'b') => void;
  readonly close: () => Promise<void>;
};

/** A tenant that nobody has: the list of tenants of b is never empty. */
const NOBODY = 'nobody';

export async function makeFront(): Promise<Front> {
  const program = findProgram('haproxy');
  if (program === null) console.log('no HAProxy found (haproxy): a proxy of our own stands before the cells');
  const port = await freePort();
  return program === null ? ownFront(port) : haproxyFront(program, port);
}

/** Where a program is; null: it is not installed. */
export function findProgram(name: string): string | null {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? null;
}

type Ports = { readonly a: number; readonly b: number };
type Put = readonly (readonly [what: RegExp, by: string])[];

/** The lines of the manual for a file, with other addresses. */
function linesFor(file: string, put: Put): string {
  const manual = readFileSync(new URL('../../docs/scaling.md', import.meta.url), 'utf8');
  const [, begun = ''] = manual.split(`\`\`\`text\n# ${file}`);
  const [lines = ''] = begun.split('```');
  return put.reduce((text, [what, by]) => {
    if (!what.test(text)) throw new Error(`docs/scaling.md has no ${what} among its lines for ${file}`);
    return text.replace(what, by);
  }, lines);
}

export function haproxyLines(port: number, ports: Ports, ofB: readonly string[]): string {
  const paths = ofB.map((tenant) => `/t/${tenant}/`).join(' ');
  return linesFor('haproxy.cfg', [
    [/bind .*/, `bind 127.0.0.1:${port}`],
    [/\/t\/acme\/ \/t\/globex\//, paths],
    [/server a1 \S+/, `server a1 127.0.0.1:${ports.a}`],
    [/ *server a2 .*\n/, ''],
    [/server b1 \S+/, `server b1 127.0.0.1:${ports.b}`],
  ]);
}

export function nginxLines(port: number, ports: Ports, ofB: readonly string[]): string {
  return linesFor('nginx.conf', [
    [/^.*\n/, ''],
    [/t\/acme\|t\/globex/, ofB.map((tenant) => `t/${tenant}`).join('|')],
    [/server \S+; server \S+;/, `server 127.0.0.1:${ports.a};`],
    [/upstream cell_b \{ server \S+;/, `upstream cell_b { server 127.0.0.1:${ports.b};`],
    [/listen .*/, `listen 127.0.0.1:${port};`],
    [/ *ssl_certificate .*\n/, ''],
    [/ *ssl_certificate_key .*\n/, ''],
  ]);
}

function haproxyFront(program: string, port: number): Front {
  const url = `http://127.0.0.1:${port}`;
  const folder = mkdtempSync(join(tmpdir(), 'rota-haproxy-'));
  const file = join(folder, 'haproxy.cfg');
  const ofB = new Set([NOBODY]);
  let ports = { a: 0, b: 0 };
  const write = (): void => writeFileSync(file, haproxyLines(port, ports, [...ofB]));
  let reload = (): unknown => undefined;
  let end = async (): Promise<void> => {};
  return {
    name: 'haproxy',
    url,
    open: async (given) => {
      ports = given;
      write();
      // A master reads the file again when it is told to, and goes on with what is under way.
      const child = spawn(program, ['-W', '-db', '-f', file], { stdio: ['ignore', 'ignore', 'pipe'] });
      let said = '';
      child.stderr.on('data', (chunk: Buffer) => {
        said = (said + chunk.toString('utf8')).slice(-10_000);
      });
      let isOver = false;
      const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
      void ended.then(() => {
        isOver = true;
      });
      process.once('exit', () => child.kill('SIGTERM'));
      reload = () => child.kill('SIGUSR2');
      end = async () => {
        child.kill('SIGTERM');
        await ended;
      };
      await until('HAProxy answers', async () => {
        if (isOver) throw new Error(`HAProxy ended: ${said}`);
        return (await fetch(`${url}/c/a/livez`).catch(() => null))?.status === 200;
      });
    },
    send: (tenant, cell) => {
      if (cell === 'b') ofB.add(tenant);
      else ofB.delete(tenant);
      if (ports.a === 0) return;
      write();
      reload();
    },
    close: async () => {
      await end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function ownFront(port: number): Front {
  const ofB = new Set<string>();
  let ports = { a: 0, b: 0 };
  const proxy = createServer((request, response) => {
    const [, kind = '', name = '', rest = ''] = /^\/([ct])\/([^/]+)(\/.*)$/.exec(request.url ?? '') ?? [];
    const cell = kind === 'c' ? name : ofB.has(name) ? 'b' : 'a';
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      const { host: _, connection: __, 'content-length': ___, ...headers } = request.headers;
      const method = request.method ?? 'GET';
      const body = chunks.length === 0 ? {} : { body: Buffer.concat(chunks) };
      const answer = await fetch(`http://127.0.0.1:${cell === 'b' ? ports.b : ports.a}${rest}`, {
        method,
        headers: headers as Record<string, string>,
        redirect: 'manual',
        ...body,
      }).catch(() => null);
      if (answer === null) {
        response.writeHead(502).end();
        return;
      }
      const told = Object.fromEntries(
        ['location', 'retry-after', 'content-type'].flatMap((key) =>
          answer.headers.has(key) ? [[key, answer.headers.get(key) ?? '']] : [],
        ),
      );
      response.writeHead(answer.status, told).end(Buffer.from(await answer.arrayBuffer()));
    });
  });
  return {
    name: 'our own',
    url: `http://127.0.0.1:${port}`,
    open: (given) => {
      ports = given;
      return new Promise((resolve) => proxy.listen(port, '127.0.0.1', () => resolve()));
    },
    send: (tenant, cell) => {
      if (cell === 'b') ofB.add(tenant);
      else ofB.delete(tenant);
    },
    close: async () => {
      proxy.close();
      proxy.closeAllConnections();
    },
  };
}
