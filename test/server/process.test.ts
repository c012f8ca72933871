import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { build, type Child, runNode, runRota, serveInChild } from '../support/child.ts';
import { readyFolder } from '../support/ready-folder.ts';
import { postJson, send, startParticipant } from '../support/server.ts';

/** A child process takes its time to start where several tests run side by side. */
const LIMIT_MS = 240_000;

const children: Child[] = [];
const keep = <Kept extends Child>(child: Kept): Kept => {
  children.push(child);
  return child;
};
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rota-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    child.process.kill('SIGKILL');
    await child.ended;
  }
  rmSync(folder, { recursive: true, force: true });
});

/** How a call ended, and all that it wrote. */
type Called = { readonly code: number; readonly said: string };

/**
 * Calls the command, one call after the other, in one process: each of its own would begin with loading the same.
 *
 * @param input what stands on standard input, for the one that reads it
 */
async function callAll(
  calls: readonly (readonly string[])[],
  settings: Readonly<Record<string, string>> = {},
  input = '',
): Promise<readonly Called[]> {
  build();
  const script = `
    const [{ run }, { linesTo }] = await Promise.all([import('./dist/cli/run.js'), import('./dist/runtime/log.js')]);
    // Both streams in one, in the order in which it was written.
    const write = (text) => { linesTo(2).add(String(text), true); return true; };
    Object.assign(process.stdout, { write });
    Object.assign(process.stderr, { write });
    for (const words of ${JSON.stringify(calls)}) write('exit code ' + (await run(words)) + '\\n');`;
  const child = keep(runNode(['--input-type=module', '-e', script], settings, input));
  expect((await child.ended).code).toBe(0);
  // What was said, and the code after it.
  const parts = child.output().split(/exit code (\w+)\n/);
  const called = calls.map((_, i) => ({ said: parts[2 * i] ?? '', code: Number(parts[2 * i + 1]) }));
  expect(parts, child.output()).toHaveLength(2 * calls.length + 1);
  return called;
}

describe('the command rota', { timeout: LIMIT_MS }, () => {
  test('lists every wrong setting and exits with 2', async () => {
    const child = keep(runRota(['serve'], { PORT: 'http', ROLE: 'boss', LEASE_SECONDS: '20', DATA_DIR: 'memory:' }));
    expect((await child.ended).code).toBe(2);
    expect(child.output()).toContain('PORT is "http", but must be a whole number from 0 to 65535');
    expect(child.output()).toContain('ROLE is "boss", but must be one of all, api, worker');
    expect(child.output()).toContain('LEASE_SECONDS is 20, but must be at least CALLBACK_TIMEOUT + 10, that is 25');
  });

  test('called wrongly says how, with the code 2', async () => {
    const wrong = [
      ...[[], ['fly'], ['serve', '--fast'], ['serve', 'extra'], ['migrate', 'now'], ['check'], ['--port', '9000']],
    ];
    const called = await callAll(wrong);
    for (const [i, { code, said }] of called.entries()) {
      expect(code, wrong[i]?.join(' ')).toBe(2);
      expect(said, wrong[i]?.join(' ')).toContain('rota check');
    }
  });

  test('says its version and all settings, and takes settings as flags, from a .env file and from a file, and prints where each came from', async () => {
    const file = join(folder, 'rota.yaml');
    writeFileSync(file, 'port: 7001\nhost: 0.0.0.0\ntries_max: 7\ndatabase_url: postgres://a:${PASS}@db/x\n');
    const bad = join(folder, 'bad.yaml');
    writeFileSync(bad, 'prot: 1\nport: many\n');
    const [version, help, print, check] = await callAll(
      [['--version'], ['--help'], ['config', 'print', '--port', '7003', '--config', file], ['config', 'check', bad]],
      { HOST: '127.0.0.2', PASS: 'marker-1', DATABSE_URL: 'postgres://marker-2@db/x' },
    );
    expect(version?.code).toBe(0);
    expect(version?.said).toMatch(/^rota \d+\.\d+\.\d+\n$/);
    expect(help?.code).toBe(0);
    for (const name of ['DATABASE_URL', 'RETRY_DELAYS', 'STOP_SECONDS', 'default: 8080'])
      expect(help?.said).toContain(name);
    expect(print?.code).toBe(0);
    expect(print?.said).toContain('PORT=7003  # --port\n');
    expect(print?.said).toContain('HOST=127.0.0.2  # environment\n');
    expect(print?.said).toContain(`TRIES_MAX=7  # ${file}:3:12\n`);
    expect(print?.said).toContain('DATABSE_URL is not a setting; did you mean DATABASE_URL?');
    expect(print?.said).not.toContain('marker');
    expect(check?.code).toBe(2);
    expect(check?.said).toContain(`${bad}:1:1: there is no setting "prot"; did you mean port?`);
    expect(check?.said).toContain(`${bad}:2:7: port is "many", but must be`);
  });

  test('converts a definition in Ruby, checks definitions, and writes a recipe to begin with, never over a file that is there', async () => {
    const file = join(folder, 'flows.rb');
    writeFileSync(file, "Ruote.define :name => 'one' do\n  alpha\nend\nRuote.define :name => 'two' do\n  bravo\nend\n");
    const out = join(folder, 'mine.radial');
    const said = await callAll(
      [
        ['convert', file],
        ['convert', '--name', 'two', file],
        ['check', 'examples/order.xml'],
        ['check', '-'],
        ['check', join(folder, 'none.xml')],
        ['new', 'saga', '--out', out],
        ['new', 'saga', '--out', out],
        ['check', out],
      ],
      {},
      '<define>\n  <alpha>\n</define>',
    );
    const [several, one, good, bad, none, first, again, check] = said;
    expect(several?.code).toBe(2);
    expect(several?.said).toContain('two in line 4');
    expect(one).toEqual({ code: 0, said: "define name: 'two'\n  bravo\n" });
    expect(good).toEqual({ code: 0, said: 'examples/order.xml: good (xml)\n' });
    expect(bad?.code).toBe(1);
    expect(bad?.said).toMatch(/^-:\d+:\d+: \S/);
    expect(none?.code).toBe(1);
    expect(first?.code).toBe(0);
    expect(again?.code).toBe(1);
    expect(again?.said).toContain('is there already');
    expect(check?.code).toBe(0);
    expect(check?.said).toContain('good (radial)\n');
  });

  test('is what npm start builds and becomes, with its words and its exit code', async () => {
    const version = keep(runNode(['scripts/start.mjs', '--version']));
    expect((await version.ended).code).toBe(0);
    expect(version.output()).toMatch(/^(Building Rota…\n)?rota \d+\.\d+\.\d+\n$/);
    expect(existsSync(new URL('../../dist/cli/main.js', import.meta.url))).toBe(true);
    const wrong = keep(runNode(['scripts/start.mjs'], { PORT: 'http' }));
    expect((await wrong.ended).code).toBe(2);
  });

  test('listens where --port and --host say, at loopback without; not where another program listens', async () => {
    const first = await startParticipant();
    // Flags win over the environment.
    const child = keep(
      runRota(['serve', '--port', String(first.port), '--host', '127.0.0.1'], {
        ...{ DATA_DIR: 'memory:', PORT: '0', HOST: '::1' },
      }),
    );
    expect((await child.ended).code).toBe(1);
    expect(child.output()).toContain(`Cannot listen at 127.0.0.1, port ${first.port}: another program listens there`);
    await first.stop();
  });

  test('migrates and exits', async () => {
    const child = keep(runRota(['migrate'], { DATA_DIR: readyFolder(join(folder, 'data')), LOG_LEVEL: 'silent' }));
    expect((await child.ended).code).toBe(0);
    expect(child.output()).toBe('The database schema is up to date.\n');
  });
});

describe('a server', { timeout: LIMIT_MS }, () => {
  test('is alone with its data directory, reads its settings anew, goes on after a stop where it was, and finishes what is under way', async () => {
    const participant = await startParticipant();
    const file = join(folder, 'rota.yaml');
    writeFileSync(file, 'cors_origins: [https://before.example]\n');
    const settings = { DATA_DIR: readyFolder(join(folder, 'data')), ROTA_CONFIG: file };
    const first = keep(await serveInChild(settings));
    // Another one is told so clearly.
    const another = keep(runRota(['serve'], { ...settings, PORT: '0' }));
    expect((await another.ended).code).toBe(1);
    expect(another.output()).toContain(settings.DATA_DIR);
    // Told to, it reads its settings anew; a file that is wrong changes nothing.
    const allowed = async (origin: string) =>
      (await send(first.url, 'GET', '/livez', { headers: { Origin: origin } })).headers['access-control-allow-origin'];
    expect(await allowed('https://after.example')).toBe(undefined);
    writeFileSync(file, 'cors_origins: [https://after.example]\n');
    first.process.kill('SIGHUP');
    await first.says(/"CORS_ORIGINS".*the settings were read anew/);
    expect(await allowed('https://after.example')).toBe('https://after.example');
    writeFileSync(file, 'cors_origins: 7\n');
    first.process.kill('SIGHUP');
    await first.says(/the settings cannot be read anew/);
    expect(await allowed('https://after.example')).toBe('https://after.example');
    writeFileSync(file, '');
    const { id } = (
      await postJson(first.url, '/v1/workflows', { workflow: 'define\n  alpha\n  bravo', callback: participant.url })
    ).json<{ id: string }>();
    const alpha = await participant.next();

    // Connections that are kept alive, or over which nothing was ever asked, must not keep the server from stopping.
    const silent = connect(Number(new URL(first.url).port), '127.0.0.1');
    await new Promise((resolve) => silent.once('connect', resolve));
    silent.on('error', () => {});
    const agent = new Agent({ keepAlive: true });
    await new Promise((resolve, reject) => {
      request(`${first.url}/livez`, { agent }, (response) => response.resume().on('end', resolve))
        .on('error', reject)
        .end();
    });
    first.process.kill('SIGINT');
    expect(await first.ended).toEqual({ code: 0, signal: null });
    expect(first.output()).toMatch(/"rota has stopped"/);
    agent.destroy();
    silent.destroy();

    const second = keep(await serveInChild({ ...settings, DRAIN_SECONDS: '600' }));
    expect((await send(second.url, 'POST', new URL(alpha.body.proceed_url).pathname)).status).toBe(201);
    const bravo = await participant.next();
    expect(bravo.body).toMatchObject({ workflow_id: id, participant: 'bravo' });

    // One that is told to stop says so at /readyz and finishes what is under way: requests are still answered until it stops listening.
    second.process.kill('SIGTERM');
    await second.says(/rota is stopping/);
    const ready = await send(second.url, 'GET', '/readyz?verbose');
    expect([ready.status, ready.text]).toEqual([503, '[-] serving\n[+] database\n']);
    expect((await send(second.url, 'GET', '/livez')).status).toBe(200);
    expect((await send(second.url, 'POST', new URL(bravo.body.proceed_url).pathname)).status).toBe(201);
    // Ten minutes of draining are cut short by the second signal.
    second.process.kill('SIGTERM');
    expect((await second.ended).code).toBe(1);
    await participant.stop();
  });
});
