// Builds the pages of the console into dist/pages when their sources are newer than what is there. Plain JavaScript, for `npm start` runs it
// before anything else is built.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** Everything a page may be made of. */
const SOURCES = [
  'console',
  'src/model',
  'src/events',
  'src/language',
  'src/interpreter',
  'examples',
  'package-lock.json',
];
const STAMP = 'built-from';

/** @returns false when the builder is not installed and nothing is built */
export async function buildConsole(into = join(root, 'dist/pages')) {
  const wanted = fingerprint();
  if (stampOf(into) === wanted) return true;
  if (!existsSync(join(root, 'node_modules/vite/package.json'))) return existsSync(join(into, 'index.html'));
  const { build } = await import('vite');
  // Built beside and moved into place, so that those who start at the same moment never see half a build.
  const fresh = `${into}-${process.pid}`;
  mkdirSync(fresh, { recursive: true });
  await build({ configFile: join(root, 'console/vite.config.ts'), build: { outDir: fresh, emptyOutDir: true } });
  writeFileSync(join(fresh, STAMP), wanted);
  const old = `${fresh}-old`;
  for (let attempt = 1; stampOf(into) !== wanted; attempt++) {
    try {
      if (existsSync(into)) renameSync(into, old);
      renameSync(fresh, into);
    } catch (error) {
      if (attempt === 10) throw error;
    }
  }
  for (const left of [fresh, old]) rmSync(left, { recursive: true, force: true });
  return true;
}

function stampOf(folder) {
  try {
    return readFileSync(join(folder, STAMP), 'utf8');
  } catch {
    return null;
  }
}

function fingerprint() {
  const hash = createHash('sha256');
  for (const file of SOURCES.flatMap(filesOf))
    hash.update(file.slice(root.length)).update('\0').update(readFileSync(file)).update('\0');
  return hash.digest('hex');
}

function filesOf(source) {
  const at = join(root, source);
  if (source.endsWith('.json')) return [at];
  return readdirSync(at, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (!(await buildConsole())) {
    console.error(
      'The console is not built and its builder is not installed. Run `npm ci` (without --omit=dev), then try again.',
    );
    process.exit(1);
  }
}
