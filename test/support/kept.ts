import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/* What takes seconds to be made of the sources, and is kept until they change: this run and the next ones begin with it. */

const root = fileURLToPath(new URL('../../', import.meta.url));
/** Inside the project, so that packages and migrations are found from there; and where nobody looks. */
const place = join(root, 'node_modules');
const PREFIX = '.rota-';
/** What nobody has asked for in a day is thrown away. */
const KEPT_MS_MAX = 86_400_000;

/** Where a thing is, or is to be: made in `fresh`, it is moved there by `put`, as a whole. */
export type Kept = { readonly folder: string; readonly isThere: boolean; readonly fresh: () => string };

/** @param sources the files, and folders of files, of which it is made */
export function keptOf(name: string, sources: readonly string[]): Kept {
  const folder = join(place, `${PREFIX}${name}-${fingerprint(sources)}`);
  const isThere = existsSync(folder);
  if (isThere) utimesSync(folder, new Date(), new Date());
  return { folder, isThere, fresh: () => mkdtempSync(join(place, `${PREFIX}new-`)) };
}

export function put(fresh: string, { folder }: Kept): void {
  try {
    renameSync(fresh, folder);
  } catch (error) {
    // Another process was quicker, with the same.
    if (!existsSync(folder)) throw error;
    rmSync(fresh, { recursive: true, force: true });
  }
  for (const name of readdirSync(place).filter((each) => each.startsWith(PREFIX)))
    if (Date.now() - statSync(join(place, name)).mtimeMs > KEPT_MS_MAX)
      rmSync(join(place, name), { recursive: true, force: true });
}

function fingerprint(sources: readonly string[]): string {
  const hash = createHash('sha256');
  const files = ['package-lock.json', ...sources].flatMap((source) =>
    statSync(join(root, source)).isFile()
      ? [source]
      : readdirSync(join(root, source), { recursive: true, encoding: 'utf8' })
          .filter((name) => /\.(ts|sql|json)$/.test(name))
          .map((name) => join(source, name))
          .sort(),
  );
  for (const file of files) {
    hash.update(file).update('\0');
    hash.update(readFileSync(join(root, file))).update('\0');
  }
  return hash.digest('hex').slice(0, 32);
}
