import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/*
 * `npm run pack:try`: packs the package, installs it in an empty folder, and does there what the part *In a project of your own* of its README says, word by
 * word: `npx rota dev`, participants of koa and express, `npx rota launch order.xml … --wait`, the application of forty lines. Then the types of a stranger. It
 * needs the npm cache or a registry, so the tests of `npm test` leave it out; `.ci/run` runs it behind them.
 */

/** Bytes the packed package may have. */
const PACKED_MAX = 5 * 1024 * 1024;
/** Of the whole installation. */
const INSTALLED_MAX = 80 * 1024 * 1024;

const folder = mkdtempSync(join(tmpdir(), 'rota pack é '));
const failures: string[] = [];

function run(
  what: string,
  command: string,
  args: readonly string[],
  cwd = folder,
  env: Record<string, string> = {},
): string {
  const { status, stdout, stderr } = spawnSync(command, [...args], {
    cwd,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] ?? '', HOME: folder, ...env },
    timeout: 300_000,
  });
  if (status !== 0) {
    failures.push(what);
    console.error(`${what}: exit ${status}\n${stdout}\n${stderr}`);
  } else console.log(`${what}: good`);
  return stdout;
}

function check(what: string, isGood: boolean, detail: string): void {
  console.log(`${what}: ${isGood ? 'good' : 'WRONG'} (${detail})`);
  if (!isGood) failures.push(what);
}

const home = { HOME: process.env['HOME'] ?? folder };
try {
  const packed = run('npm pack', 'npm', ['pack', '--pack-destination', folder, '--json'], process.cwd(), home);
  const [{ filename, files }] = JSON.parse(packed.slice(packed.indexOf('['))) as [
    { readonly filename: string; readonly files: readonly { readonly path: string }[] },
  ];
  const { size } = statSync(join(folder, filename));
  check('size of the package', size <= PACKED_MAX, `${(size / 1e6).toFixed(2)} MB, ${files.length} files`);
  const strays = files
    .filter(({ path }) => /^(?:src|test|bench|node_modules)\/|\.env$/.test(path))
    .map(({ path }) => path);
  check('nothing that does not belong', strays.length === 0, strays.slice(0, 5).join(', ') || 'none');

  writeFileSync(join(folder, 'package.json'), '{"name":"stranger","private":true,"type":"module"}\n');
  const [install = ''] = readmeBlocks('README.md').flatMap(({ text }) => /^npm install .+$/m.exec(text)?.[0] ?? []);
  check('the install of the README', install.includes('../rota/rota-*.tgz'), install);
  const quiet = { npm_config_prefer_offline: 'true', npm_config_audit: 'false', npm_config_fund: 'false' };
  run('npm install', 'sh', ['-c', install.replace('../rota/rota-*.tgz', `./${filename}`)], folder, {
    ...home,
    ...quiet,
  });
  const du = spawnSync('du', ['-sb', 'node_modules'], { cwd: folder, encoding: 'utf8' }).stdout;
  const bytes = Number(du.split('\t')[0]);
  check('size of the installation', bytes <= INSTALLED_MAX, `${(bytes / 1e6).toFixed(1)} MB`);

  check('rota --version', /^rota \d+\.\d+\.\d+$/m.test(run('rota', 'npx', ['rota', '--version'])), 'said');
  writeFileSync(join(folder, 'types.ts'), readFileSync(new URL('stranger.ts.txt', import.meta.url)));
  const compiler = join(process.cwd(), 'node_modules/typescript/bin/tsc');
  const types = join(process.cwd(), 'node_modules/@types');
  const strict = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2023', '--lib', 'es2023'];
  run('types of a stranger', 'node', [compiler, ...strict, '--types', 'node', '--typeRoots', types, 'types.ts']);

  await asReadmeSays();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (failures.length > 0) {
  console.error(`\nwrong: ${failures.join(', ')}`);
  process.exit(1);
}

/** The blocks of the README's part about projects of others, in their order, each with its language. */
function readmeBlocks(path: string): readonly { readonly language: string; readonly text: string }[] {
  const readme = readFileSync(path, 'utf8');
  const part = readme.split('\n## ').find((one) => one.startsWith('In a project of your own\n')) ?? '';
  return [...part.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = '', text = '']) => ({ language, text }));
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** Every command and every program of that part; ports of its own, for those of the README may be in use here. */
async function asReadmeSays(): Promise<void> {
  const blocks = readmeBlocks(join(folder, 'node_modules/rota/README.md'));
  const of = (language: string): readonly string[] =>
    blocks.filter((one) => one.language === language).map(({ text }) => text);
  const [koa = '', express = ''] = of('js');
  const [definition = ''] = of('xml');
  const [first = '', launch = '', application = ''] = of('sh');
  const serve = first.trim().split('\n').at(-1) ?? '';
  check('what the README starts', serve === 'npx rota dev', serve);
  const [koaPort, expressPort] = [await freePort(), await freePort()];
  const here = (text: string): string =>
    text.replaceAll('8081', String(koaPort)).replaceAll('8082', String(expressPort));
  writeFileSync(join(folder, 'koa.mjs'), here(koa));
  writeFileSync(join(folder, 'express.mjs'), here(express));
  writeFileSync(join(folder, 'order.xml'), definition);

  const env = { PATH: process.env['PATH'] ?? '', HOME: folder, PORT: '0' };
  const shell = (command: string): ReturnType<typeof spawn> =>
    // A group of its own: npx starts further processes.
    spawn('sh', ['-c', command], { cwd: folder, env, detached: true });
  const children = [shell(serve), shell('node koa.mjs'), shell('node express.mjs')];
  try {
    const [server] = children;
    const url = server === undefined ? '' : await said(server, /(http:\S+)\/console\//);
    for (const page of ['/docs', '/docs/swagger-ui.css', '/docs/manual/index.html'])
      check(page, (await fetch(url + page)).ok, url + page);
    await Promise.all([koaPort, expressPort].map(listens));
    const outcome = run('rota launch --wait', 'sh', ['-c', here(launch)], folder, { ROTA_URL: url });
    check('the outcome', outcome.includes('completed'), outcome.trim().slice(0, 160));
    const whole = run('rota launch --wait --json', 'sh', ['-c', `${here(launch).trim()} --json`], folder, {
      ROTA_URL: url,
    });
    check('what both answered', whole.includes('"shipped":"2"'), whole.trim().slice(0, 160));
    const printed = run('examples/app.mjs', 'sh', ['-c', application]);
    check('what the application prints', printed.includes('2 items to Ada'), printed.trim().split('\n').at(-1) ?? '');
  } finally {
    for (const child of children) {
      const ended = new Promise((resolve) =>
        child.exitCode === null && child.signalCode === null ? child.once('close', resolve) : resolve(null),
      );
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGTERM');
      await ended;
    }
  }
}

/** Resolves once somebody listens there. */
async function listens(port: number): Promise<void> {
  for (let look = 0; look < 200; look++) {
    const isThere = await new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true));
      socket.on('error', () => resolve(false)).on('connect', () => socket.destroy());
    });
    if (isThere) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`Nobody listens at port ${port}`);
}

function said(child: ReturnType<typeof spawn>, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const hear = (chunk: Buffer): void => {
      text += chunk.toString('utf8');
      const found = pattern.exec(text)?.[1];
      if (found !== undefined) resolve(found);
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    child.once('close', (code) => reject(new Error(`it ended with ${code}: ${text}`)));
  });
}
