import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/*
 * `npm run pack:try`: packs the package, installs it in an empty folder, and does there what the documents say: the example application, the
 * participants for node, koa and express, types of a stranger, `rota dev`, `rota launch … --wait`. It takes a minute and needs the npm cache or a registry,
 * so CI does not run it.
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
  run('npm install', 'npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', filename], folder, home);
  const du = spawnSync('du', ['-sb', 'node_modules'], { cwd: folder, encoding: 'utf8' }).stdout;
  const bytes = Number(du.split('\t')[0]);
  check('size of the installation', bytes <= INSTALLED_MAX, `${(bytes / 1e6).toFixed(1)} MB`);

  check('rota --version', /^rota \d+\.\d+\.\d+$/m.test(run('rota', 'npx', ['rota', '--version'])), 'said');
  cpSync(join(folder, 'node_modules/rota/examples'), join(folder, 'examples'), { recursive: true });
  const app = run('examples/app.mjs', 'node', ['examples/app.mjs', 'Grace']);
  check('what the application prints', app.includes('2 items to Grace'), app.trim().split('\n').at(-1) ?? '');

  writeFileSync(join(folder, 'types.ts'), readFileSync(new URL('stranger.ts.txt', import.meta.url)));
  const compiler = join(process.cwd(), 'node_modules/typescript/bin/tsc');
  const types = join(process.cwd(), 'node_modules/@types');
  const strict = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2023', '--lib', 'es2023'];
  run('types of a stranger', 'node', [compiler, ...strict, '--types', 'node', '--typeRoots', types, 'types.ts']);

  run(
    'npm install koa express',
    'npm',
    ['install', '--prefer-offline', '--no-audit', '--no-fund', 'koa', 'express'],
    folder,
    home,
  );
  await dev();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (failures.length > 0) {
  console.error(`\nwrong: ${failures.join(', ')}`);
  process.exit(1);
}

/** The program of the document that begins with `import <name>`, at another port. */
function fromDocument(name: string, port: number): string {
  const text = readFileSync(join(folder, 'node_modules/rota/docs/clients.md'), 'utf8');
  const block = new RegExp(`\`\`\`js\\n(import ${name} [\\s\\S]*?)\`\`\``).exec(text)?.[1];
  if (block === undefined) throw new Error(`docs/clients.md has no program that imports ${name}`);
  const file = join(folder, `${name.toLowerCase()}.mjs`);
  writeFileSync(file, block.replace('8081', String(port)));
  return file;
}

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

/** `rota dev`, a participant, and `rota launch order.radial --wait`, each a process; the participants of koa and of express, too. */
async function dev(): Promise<void> {
  const rota = join(folder, 'node_modules/rota/dist/cli/main.js');
  const env = { PATH: process.env['PATH'] ?? '', HOME: folder };
  const server = spawn(process.execPath, [rota, 'dev', '--port', '0'], { cwd: folder, env: { ...env } });
  const participant = spawn(process.execPath, ['examples/participants/node.mjs'], {
    cwd: folder,
    env: { ...env, PORT: '0' },
  });
  const apps: ReturnType<typeof spawn>[] = [];
  try {
    const [url, callback] = await Promise.all([said(server, /(http:\S+)\/console\//), said(participant, /(http:\S+)/)]);
    writeFileSync(join(folder, 'order.radial'), 'define order\n  greeter\n');
    const words = [
      'launch',
      'order.radial',
      '--callback',
      callback,
      '--field',
      'who=Ada',
      '--wait',
      '--json',
      '--url',
      url,
    ];
    const printed = run('rota launch --wait', process.execPath, [rota, ...words]);
    check('the outcome', printed.includes('"greeter_greeting":"Hello, Ada"'), printed.slice(0, 120).trim());
    const ports = [await freePort(), await freePort()] as const;
    for (const [i, name] of ['Koa', 'express'].entries())
      apps.push(spawn(process.execPath, [fromDocument(name, ports[i] ?? 0)], { cwd: folder, env }));
    writeFileSync(join(folder, 'both.radial'), 'define both\n  stock\n  shipping\n');
    const urls = ports.map((port) => `http://127.0.0.1:${port}/`);
    const asked = ['--callback', `stock=${urls[0]}`, '--callback', `shipping=${urls[1]}`, '--field', 'items=2'];
    const both = run('koa and express', process.execPath, [
      ...[rota, 'launch', 'both.radial', ...asked, '--wait', '--json', '--url', url],
    ]);
    check('what both answered', both.includes('"shipped":"2"'), both.slice(0, 160).trim());
  } finally {
    for (const child of [server, participant, ...apps]) {
      child.kill('SIGTERM');
      await new Promise((resolve) => child.once('close', resolve));
    }
  }
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
