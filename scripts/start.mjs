// `npm start`: builds what is missing or older than its sources, then becomes the server.
// Plain JavaScript, for it runs before anything is built. The server runs in this very process: signals reach it
// directly, its exit code is ours, and nothing can be left behind.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildConsole } from './console.mjs';
import { writeSite } from './site.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
const stampFile = 'built-from';

stopOnOldNode();
await buildIfNeeded();
if (existsSync(join(root, 'console'))) await buildConsole();
stopWithNpm();
const args = process.argv.slice(2);
// `npm start -- --port 9000`: flags alone are those of `serve`.
const isServe = args.length === 0 || (args[0].startsWith('--') && !['--help', '--version'].includes(args[0]));
process.argv = [process.argv[0], join(dist, 'cli/main.js'), ...(isServe ? ['serve'] : []), ...args];
await import(pathToFileURL(join(dist, 'cli/main.js')).href);

/** Also when `npm ci` ran with another Node: nothing of what comes next may fail for a reason nobody understands. */
function stopOnOldNode() {
  const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const wanted = engines.node.replace('>=', '');
  const [major, minor] = wanted.split('.').map(Number);
  const [ownMajor, ownMinor] = process.versions.node.split('.').map(Number);
  if (ownMajor > major || (ownMajor === major && ownMinor >= minor)) return;
  fail(
    `Rota needs Node ${wanted} or later, but this is Node ${process.versions.node}. Install a later one, then run \`npm ci\`.`,
  );
}

/**
 * npm hands signals on to us, all but SIGKILL. Whoever kills npm means the server: without this it would live on, hold the
 * data directory and the port, and nobody would know its process id.
 */
function stopWithNpm() {
  if (process.env.npm_lifecycle_event !== 'start') return;
  const parent = process.ppid;
  const look = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(look);
    process.kill(process.pid, 'SIGTERM');
  }, 500);
  look.unref();
}

async function buildIfNeeded() {
  // An installed package has no sources: what it brings is built.
  if (!existsSync(join(root, 'src'))) return;
  const wanted = fingerprint();
  if (stampOf(dist) === wanted) return;
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  if (!existsSync(compiler)) {
    if (existsSync(join(dist, 'cli/main.js'))) return; // production install: run what was built
    fail('Rota is not built and the compiler is not installed. Run `npm ci` (without --omit=dev), then try again.');
  }
  console.error('Building Rota…');
  // Built beside and moved into place, so that servers started at the same moment never see half a build.
  // Types are not checked here; that is what `npm run check` is for, and it takes longer than the build.
  const fresh = join(root, `dist-${process.pid}`);
  const built = spawnSync(
    process.execPath,
    [compiler, '-p', join(root, 'tsconfig.build.json'), '--noCheck', '--declaration', 'false', '--outDir', fresh],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  if (built.status !== 0) {
    rmSync(fresh, { recursive: true, force: true });
    fail('The build failed; see above.');
  }
  await writeSite(join(fresh, 'docs/manual'));
  writeFileSync(join(fresh, stampFile), wanted);
  moveIntoPlace(fresh, wanted);
}

function moveIntoPlace(fresh, wanted) {
  const old = `${fresh}-old`;
  for (let attempt = 1; stampOf(dist) !== wanted; attempt++) {
    try {
      if (existsSync(dist)) renameSync(dist, old);
      renameSync(fresh, dist);
    } catch (error) {
      // Another start was quicker; look again whether its build is as good as ours.
      if (attempt === 10) throw error;
    }
  }
  for (const left of [fresh, old]) rmSync(left, { recursive: true, force: true });
}

function stampOf(folder) {
  try {
    return readFileSync(join(folder, stampFile), 'utf8');
  } catch {
    return null;
  }
}

function fingerprint() {
  const hash = createHash('sha256');
  const sources = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
  for (const file of [...sources, join(root, 'tsconfig.json'), join(root, 'tsconfig.build.json')])
    hash.update(file.slice(root.length)).update('\0').update(readFileSync(file)).update('\0');
  return hash.digest('hex');
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
