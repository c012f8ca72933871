import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

/** A file of the console as it is sent. */
export type ConsoleFile = {
  readonly type: string;
  readonly bytes: Buffer;
  /** Compressed when first asked for: most servers start more often than anybody looks at a page. */
  readonly gzip: () => Buffer;
  readonly brotli: () => Buffer;
  /** Strong, quotes included. */
  readonly etag: string;
  /** Its name holds a hash of what is in it, so it never changes. */
  readonly immutable: boolean;
};
/** Path below `/console/` → file. */
export type ConsoleFiles = ReadonlyMap<string, ConsoleFile>;

/** What the console may weigh, all files together, before anything is compressed. */
export const CONSOLE_BYTES_MAX = 10_000_000;

const TYPES: { readonly [extension: string]: string } = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
};

/**
 * Reads the console once, so that no path of a request ever touches the disk.
 *
 * @param basePath the path of the public address, without a slash at its end: `` or `/rota`
 * @returns null when it has not been built
 * @throws Error when it is larger than CONSOLE_BYTES_MAX
 */
export function readConsole(folder: string, basePath: string): ConsoleFiles | null {
  if (statSync(join(folder, 'index.html'), { throwIfNoEntry: false }) === undefined) return null;
  const files = new Map<string, ConsoleFile>();
  let total = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const type = TYPES[extname(entry.name)];
    if (!entry.isFile() || type === undefined) continue;
    const at = join(entry.parentPath, entry.name);
    const name = relative(folder, at).split(sep).join('/');
    const read = readFileSync(at);
    total += read.length;
    if (total > CONSOLE_BYTES_MAX)
      throw new Error(`The console in ${folder} is larger than ${CONSOLE_BYTES_MAX} bytes`);
    files.set(name, fileOf(name, type, name === 'index.html' ? withBase(read, basePath) : read));
  }
  return files;
}

function fileOf(name: string, type: string, bytes: Buffer): ConsoleFile {
  return {
    type,
    bytes,
    gzip: once(() => gzipSync(bytes, { level: 9 })),
    // Quality 9 takes a tenth of the time of 11 and is as small within a few hundred bytes.
    brotli: once(() => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } })),
    etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`,
    immutable: /-[\w-]{8}\.\w+$/.test(name),
  };
}

function once(make: () => Buffer): () => Buffer {
  let made: Buffer | null = null;
  return () => {
    made ??= make();
    return made;
  };
}

/** All addresses in the document are relative to this. */
function withBase(html: Buffer, basePath: string): Buffer {
  const href = `${basePath}/console/`.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
  return Buffer.from(html.toString('utf8').replace(/<base href="[^"]*"/, `<base href="${href}"`));
}
