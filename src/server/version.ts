import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The version in package.json, which lies above this file whether it runs from `src` or from `dist`. */
export const version: string = readVersion();

/** What it was built from: of a checkout its commit, else what the build has noted; null: nobody knows. */
export const commit: string | null = readCommit();

/** The folder of package.json, where there is one. */
function home(): string | null {
  for (let folder = dirname(fileURLToPath(import.meta.url)); folder !== dirname(folder); folder = dirname(folder))
    if (existsSync(join(folder, 'package.json'))) return folder;
  return null;
}

function readVersion(): string {
  const folder = home();
  if (folder === null) return 'unknown';
  const read: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return typeof read === 'object' && read !== null && 'version' in read ? String(read.version) : 'unknown';
}

function readCommit(): string | null {
  const folder = home();
  if (folder === null) return null;
  const noted = join(folder, 'dist', 'commit');
  try {
    const found = commitOf(join(folder, '.git')) ?? (existsSync(noted) ? readFileSync(noted, 'utf8').trim() : null);
    return found !== null && /^[0-9a-f]{40}([0-9a-f]{24})?$/.test(found) ? found : null;
  } catch {
    // A checkout of somebody else, which may not be read: a server starts without knowing.
    return null;
  }
}

/** The commit that a checkout stands at. `.git` is a file where it is one of several checkouts. */
function commitOf(git: string): string | null {
  if (!existsSync(git)) return null;
  const folder = statSync(git).isDirectory()
    ? git
    : readFileSync(git, 'utf8')
        .replace(/^gitdir: /, '')
        .trim();
  const text = (file: string): string | null => (existsSync(file) ? readFileSync(file, 'utf8') : null);
  const head = text(join(folder, 'HEAD'))?.trim() ?? '';
  const name = /^ref: (.+)$/.exec(head)?.[1];
  if (name === undefined) return head;
  const common = resolve(folder, text(join(folder, 'commondir'))?.trim() ?? '.');
  const packed = (text(join(common, 'packed-refs')) ?? '').split('\n').find((line) => line.endsWith(` ${name}`));
  return (text(join(common, name)) ?? packed?.split(' ')[0] ?? null)?.trim() ?? null;
}
