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

describe('the command rota', { timeout: LIMIT_MS }, () => {
  test('lists every wrong setting and exits with 2', async () => {
    const child = keep(runRota(['serve'], { PORT: 'http', ROLE: 'boss', LEASE_SECONDS: '20', DATA_DIR: 'memory:' }));
    expect((await child.ended).code).toBe(2);
    expect(child.output()).toContain('PORT is "http", but must be a whole number from 0 to 65535');
    expect(child.output()).toContain('ROLE is "boss", but must be one of all, api, worker');
    expect(child.output()).toContain('LEASE_SECONDS is 20, but must be at least CALLBACK_TIMEOUT + 10, that is 25');
  });

  test('called without a word says how and exits with 2', async () => {
    const child = keep(runRota([]));
    expect((await child.ended).code).toBe(2);
    expect(child.output()).toContain('rota check');
  });

  test('called wrongly in any other way says how as well, with the same code', async () => {
    const wrong = [['fly'], ['serve', '--fast'], ['serve', 'extra'], ['migrate', 'now'], ['check'], ['--port', '9000']];
    build();
    // All in one process: each would begin with loading the same.
    const script = `
      const [{ run }, { linesTo }] = await Promise.all([import('./dist/cli/run.js'), import('./dist/runtime/log.js')]);
      for (const words of ${JSON.stringify(wrong)}) {
        const code = await run(words);
        linesTo(2).add('exit code ' + code + '\\n', true);
      }`;
    const child = keep(runNode(['--input-type=module', '-e', script]));
    expect((await child.ended).code).toBe(0);
    const said = child.output().split('exit code 2\n');
    expect(said.pop()).toBe('');
    expect(said).toHaveLength(wrong.length);
    for (const [i, one] of said.entries()) expect(one, wrong[i]?.join(' ')).toContain('rota check');
  });

  test('converts a definition in Ruby, and exits with 2 when there are several', async () => {
    const file = join(folder, 'flows.rb');
    writeFileSync(file, "Ruote.define :name => 'one' do\n  alpha\nend\nRuote.define :name => 'two' do\n  bravo\nend\n");
    const several = keep(runRota(['convert', file]));
    const one = keep(runRota(['convert', '--name', 'two', file]));
    expect((await several.ended).code).toBe(2);
    expect(several.output()).toContain('two in line 4');
    expect((await one.ended).code).toBe(0);
    expect(one.output()).toBe("define name: 'two'\n  bravo\n");
  });

  test('writes a recipe to begin with, and never over a file that is there', async () => {
    const out = join(folder, 'mine.radial');
    const first = keep(runRota(['new', 'saga', '--out', out]));
    expect((await first.ended).code).toBe(0);
    const again = keep(runRota(['new', 'saga', '--out', out]));
    expect((await again.ended).code).toBe(1);
    expect(again.output()).toContain('is there already');
    const check = keep(runRota(['check', out]));
    expect((await check.ended).code).toBe(0);
    expect(check.output()).toContain('good (radial)\n');
  });

  test('says its version, and all settings with --help', async () => {
    const version = keep(runRota(['--version']));
    expect((await version.ended).code).toBe(0);
    expect(version.output()).toMatch(/^rota \d+\.\d+\.\d+\n$/);
    const help = keep(runRota(['--help']));
    expect((await help.ended).code).toBe(0);
    for (const name of ['DATABASE_URL', 'RETRY_DELAYS', 'STOP_SECONDS', 'default: 8080'])
      expect(help.output()).toContain(name);
  });

  test('takes settings as flags, from a .env file and from a file, and prints where each came from', async () => {
    writeFileSync(
      join(folder, 'rota.yaml'),
      'port: 7001\nhost: 0.0.0.0\ntries_max: 7\ndatabase_url: postgres://a:${PASS}@db/x\n',
    );
    const words = ['config', 'print', '--port', '7003', '--config', join(folder, 'rota.yaml')];
    const print = keep(
      runRota(words, { HOST: '127.0.0.2', PASS: 'marker-1', DATABSE_URL: 'postgres://marker-2@db/x' }),
    );
    expect((await print.ended).code).toBe(0);
    expect(print.output()).toContain('PORT=7003  # --port\n');
    expect(print.output()).toContain('HOST=127.0.0.2  # environment\n');
    expect(print.output()).toContain(`TRIES_MAX=7  # ${join(folder, 'rota.yaml')}:3:12\n`);
    expect(print.output()).toContain('DATABSE_URL is not a setting; did you mean DATABASE_URL?');
    expect(print.output()).not.toContain('marker');
    writeFileSync(join(folder, 'bad.yaml'), 'prot: 1\nport: many\n');
    const check = keep(runRota(['config', 'check', join(folder, 'bad.yaml')]));
    expect((await check.ended).code).toBe(2);
    expect(check.output()).toContain(`${join(folder, 'bad.yaml')}:1:1: there is no setting "prot"; did you mean port?`);
    expect(check.output()).toContain(`${join(folder, 'bad.yaml')}:2:7: port is "many", but must be`);
  });

  test('checks definitions: good ones are good, bad ones have line and column', async () => {
    const good = keep(runRota(['check', 'examples/order.xml']));
    expect([(await good.ended).code, good.output()]).toEqual([0, 'examples/order.xml: good (xml)\n']);
    const bad = keep(runRota(['check', '-'], {}, '<define>\n  <alpha>\n</define>'));
    expect((await bad.ended).code).toBe(1);
    expect(bad.output()).toMatch(/^-:\d+:\d+: \S/);
    const none = keep(runRota(['check', join(folder, 'none.xml')]));
    expect((await none.ended).code).toBe(1);
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
  test('that is told to stop says so at /readyz, finishes what is under way and exits with 0', async () => {
    // A participant that answers only when it is allowed to: its try is under way while the server stops.
    const participant = await startParticipant();
    const server = keep(await serveInChild({ DATA_DIR: readyFolder(join(folder, 'data')), DRAIN_SECONDS: '600' }));
    const launched = await postJson(server.url, '/v1/workflows', {
      workflow: 'define\n  alpha',
      callback: participant.url,
    });
    expect(launched.status).toBe(201);
    const { body } = await participant.next();

    server.process.kill('SIGTERM');
    await server.says(/rota is stopping/);
    const ready = await send(server.url, 'GET', '/readyz?verbose');
    expect([ready.status, ready.text]).toEqual([503, '[-] serving\n[+] database\n']);
    expect((await send(server.url, 'GET', '/livez')).status).toBe(200);
    // Requests are still answered until it stops listening.
    const { pathname } = new URL(body.proceed_url);
    expect((await send(server.url, 'POST', pathname)).status).toBe(201);

    // Ten minutes of draining are cut short by the second signal.
    server.process.kill('SIGTERM');
    expect((await server.ended).code).toBe(1);
    await participant.stop();
  });

  test('goes on after a stop where it was', async () => {
    const participant = await startParticipant();
    const file = join(folder, 'rota.yaml');
    writeFileSync(file, 'cors_origins: [https://before.example]\n');
    const settings = { DATA_DIR: readyFolder(join(folder, 'data')), ROTA_CONFIG: file };
    const first = keep(await serveInChild(settings));
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
    rmSync(file);
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

    const second = keep(await serveInChild(settings));
    const { pathname } = new URL(alpha.body.proceed_url);
    expect((await send(second.url, 'POST', pathname)).status).toBe(201);
    expect((await participant.next()).body).toMatchObject({ workflow_id: id, participant: 'bravo' });
    await participant.stop();
  });

  test('is told clearly that another one has its data directory', async () => {
    const settings = { DATA_DIR: readyFolder(join(folder, 'data')) };
    keep(await serveInChild(settings));
    const second = keep(runRota(['serve'], { ...settings, PORT: '0' }));
    expect((await second.ended).code).toBe(1);
    expect(second.output()).toContain(settings.DATA_DIR);
  });
});
