import { closeSync, constants, fstatSync, openSync, readlinkSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { isatty } from 'node:tty';
import type { Sink } from './log-lines.ts';

/** Streams that are kept only because letting go of them would close the descriptor. */
const kept: Socket[] = [];

/**
 * Standard output (1) or standard error (2) as a sink that never waits.
 *
 * A write to a full pipe or a held terminal blocks the whole process, unless its descriptor says otherwise, and that is shared with
 * whoever else has the pipe or the terminal. So both are opened once more, for us alone. Sockets cannot be opened again: they are made
 * non-blocking as Node does it. Files take what they are given.
 */
export function descriptorSink(descriptor: 1 | 2): Sink {
  const own = nonBlocking(descriptor);
  return {
    write: (bytes) => {
      try {
        return writeSync(own, bytes);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'EAGAIN' || code === 'EINTR') return 0;
        throw error;
      }
    },
  };
}

/** @returns a descriptor whose writes do not block where that can be had */
function nonBlocking(descriptor: 1 | 2): number {
  const stat = fstatSync(descriptor);
  if (stat.isSocket()) return withoutWaiting(descriptor);
  if (!stat.isFIFO() && !isatty(descriptor)) return descriptor;
  try {
    const opened = openSync(
      `/proc/self/fd/${descriptor}`,
      constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY,
    );
    const same = readlinkSync(`/proc/self/fd/${opened}`) === readlinkSync(`/proc/self/fd/${descriptor}`);
    if (same) return opened;
    closeSync(opened);
  } catch {
    // No /proc, or the right to open it went with a change of user: as with sockets.
  }
  return stat.isFIFO() ? withoutWaiting(descriptor) : descriptor;
}

function withoutWaiting(descriptor: 1 | 2): number {
  kept.push(new Socket({ fd: descriptor, readable: false, writable: true }).unref());
  return descriptor;
}
