import { randomUUID } from 'node:crypto';
import { promises as files } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Problem } from '../problem.ts';

/*
 * A body that may be larger than what is held in memory: its beginning is held, the rest lies in a file that has no name any more once it is opened, so
 * that a server that is killed leaves nothing behind.
 */

/** Bytes of a body that are held in memory. */
export const SPOOLED_HELD_BYTES_MAX = 8 * 1024 * 1024;

/** A body that has been received. */
export type Spooled = {
  readonly bytes: number;
  /** Of all of it, as hexadecimal digits. */
  readonly sha256: string;
  /** All of it in pieces, from the beginning, as often as one likes. */
  readonly pieces: () => AsyncIterable<Uint8Array>;
};

export type Spool = {
  /** Resolves when there is room for more. @throws Problem `body_too_large` when there is no place for it */
  add(piece: Buffer): Promise<void>;
  /** How many bytes have been added, of which so many are held in memory. */
  readonly bytes: () => number;
  readonly held: () => number;
  pieces(): AsyncIterable<Uint8Array>;
  /** Forgets all of it. */
  close(): Promise<void>;
};

/** @param folder where the file is made */
export function makeSpool(folder = tmpdir()): Spool {
  const beginning: Buffer[] = [];
  let held = 0;
  let bytes = 0;
  let rest: files.FileHandle | null = null;

  async function openRest(): Promise<files.FileHandle> {
    const path = join(folder, `rota-body-${randomUUID()}`);
    const opened = await files.open(path, 'wx+', 0o600);
    await files.unlink(path);
    return opened;
  }

  async function* pieces(): AsyncGenerator<Uint8Array, void, undefined> {
    yield* beginning;
    if (rest === null) return;
    yield* rest.createReadStream({ start: 0, end: bytes - held - 1, autoClose: false });
  }

  return {
    add: async (piece) => {
      if (rest === null && held + piece.length <= SPOOLED_HELD_BYTES_MAX) {
        beginning.push(piece);
        held += piece.length;
        bytes += piece.length;
        return;
      }
      try {
        rest ??= await openRest();
        for (let at = 0; at < piece.length; ) {
          const { bytesWritten } = await rest.write(piece, at, piece.length - at, bytes - held);
          at += bytesWritten;
          bytes += bytesWritten;
        }
      } catch (error) {
        const why = error instanceof Error && 'code' in error ? String(error.code) : 'it cannot be written';
        throw new Problem(
          'body_too_large',
          `The server has no place for a body of more than ${SPOOLED_HELD_BYTES_MAX} bytes: ${why} in its folder for temporary files (TMPDIR); send it in parts`,
        );
      }
    },
    bytes: () => bytes,
    held: () => held,
    pieces,
    close: async () => {
      beginning.length = 0;
      const opened = rest;
      rest = null;
      await opened?.close();
    },
  };
}
