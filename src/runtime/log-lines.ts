import { makeQueue } from './bounded.ts';
import type { ProcessTime } from './process-time.ts';

/*
 * Lines on their way to somebody who may stop reading: a pager, a blocked log driver, a terminal that is held. Nothing waits for
 * them: what cannot be written stays here, up to a bound, and the oldest lines go first beyond it.
 */

/** Where lines go, without ever waiting. */
export type Sink = {
  /** @returns how many bytes were taken; fewer than given, or 0, when there is no room right now. @throws when they cannot be written at all */
  readonly write: (bytes: Uint8Array) => number;
};

export type Lines = {
  /** @param weighty a warning or an error: written at once, and dropped last */
  readonly add: (line: string, weighty: boolean) => void;
  /** Writes what is there while the sink takes it; at most `patienceMs` go by without any progress. For the end of the process. */
  readonly flush: (patienceMs: number) => void;
};

/** Lines that follow one another faster than this are written together: each write is a system call. */
export const GATHER_MS = 50;
/** And no more of them than this. */
const GATHERED_CHARACTERS_MAX = 64_000;
/** Bytes of lines that wait for a reader. */
export const WAITING_BYTES_MAX = 4_000_000;
/** Bytes handed over in one piece; a pipe holds 64 KiB. */
const PIECE_BYTES_MAX = 64 * 1024;
/** A sink that had no room is asked again after this long, then after twice as long, up to the second figure. */
const ASK_MS_FIRST = 2;
const ASK_MS_MAX = 50;
/** While the process ends, the pause between two looks for room. */
const END_LOOK_MS = 5;

type Waiting = { readonly line: string; readonly bytes: number; readonly order: number };

/** @param dropped makes the line that says how many were dropped */
export function makeLines(parts: {
  readonly sink: Sink;
  readonly time: ProcessTime;
  readonly dropped: (lines: number) => string;
  readonly bytesMax?: number;
}): Lines {
  const { sink, time } = parts;
  const bytesMax = parts.bytesMax ?? WAITING_BYTES_MAX;
  /** Lines gathered while the sink takes everything. */
  let gathered = '';
  let quietSince = Number.NEGATIVE_INFINITY;
  let armed = false;
  /** The rest of a piece of which a part was written: it goes first, whatever happens, or a line would be cut. */
  let rest: Buffer | null = null;
  const ordinary = makeQueue<Waiting>();
  const weighty = makeQueue<Waiting>();
  let waitingBytes = 0;
  let order = 0;
  let lost = 0;
  let asking: (() => void) | null = null;
  let askMs = ASK_MS_FIRST;

  const isStalled = (): boolean => rest !== null || waitingBytes > 0 || lost > 0;

  function shift(queue: typeof ordinary): Waiting | undefined {
    const line = queue.shift();
    if (line !== undefined) waitingBytes -= line.bytes;
    return line;
  }

  function keep(line: string, isWeighty: boolean): void {
    const bytes = Buffer.byteLength(line);
    (isWeighty ? weighty : ordinary).push({ line, bytes, order: order++ });
    waitingBytes += bytes;
    while (waitingBytes > bytesMax) {
      if (shift(ordinary) === undefined) shift(weighty);
      lost += 1;
    }
  }

  /** The next piece of what waits, in the order in which it came; null: nothing waits. */
  function nextPiece(): Buffer | null {
    let text = '';
    let bytes = 0;
    if (lost > 0) {
      text = parts.dropped(lost);
      bytes = Buffer.byteLength(text);
      lost = 0;
    }
    while (bytes < PIECE_BYTES_MAX) {
      const [plain, grave] = [ordinary.first(), weighty.first()];
      const from = grave === undefined || (plain !== undefined && plain.order < grave.order) ? ordinary : weighty;
      const next = shift(from);
      if (next === undefined) break;
      text += next.line;
      bytes += next.bytes;
    }
    return text === '' ? null : Buffer.from(text);
  }

  /** @returns whether the sink took anything */
  function writeOut(): boolean {
    let progress = false;
    for (;;) {
      rest ??= nextPiece();
      if (rest === null) return progress;
      let taken: number;
      try {
        taken = sink.write(rest);
      } catch {
        // Nobody is there, or the disk is full. There is nowhere to say so but here, once it works again.
        lost += linesIn(rest);
        rest = null;
        return progress;
      }
      if (taken > 0) progress = true;
      rest = taken >= rest.length ? null : rest.subarray(taken);
      if (rest !== null) return progress;
    }
  }

  function askAgain(): void {
    if (asking !== null) return;
    asking = time.after(askMs, () => {
      asking = null;
      askMs = writeOut() ? ASK_MS_FIRST : Math.min(ASK_MS_MAX, askMs * 2);
      if (isStalled()) askAgain();
      else askMs = ASK_MS_FIRST;
    });
  }

  function writeGathered(): void {
    if (gathered === '') return;
    rest = Buffer.from(gathered);
    gathered = '';
    quietSince = time.now() + GATHER_MS;
    writeOut();
    if (isStalled()) askAgain();
  }

  return {
    add: (line, isWeighty) => {
      if (isStalled()) return keep(line, isWeighty);
      gathered += line;
      const waits = !isWeighty && gathered.length <= GATHERED_CHARACTERS_MAX;
      if (!waits || time.now() >= quietSince) writeGathered();
      else if (!armed) {
        armed = true;
        time.after(GATHER_MS, () => {
          armed = false;
          writeGathered();
        });
      }
    },
    flush: (patienceMs) => {
      writeGathered();
      for (let waited = 0; isStalled() && waited < patienceMs; ) {
        if (writeOut()) waited = 0;
        else {
          sleep(END_LOOK_MS);
          waited += END_LOOK_MS;
        }
      }
    },
  };
}

function linesIn(bytes: Buffer): number {
  let lines = 0;
  for (const byte of bytes) if (byte === 0x0a) lines += 1;
  return lines;
}

/** Blocks the process; only for its end, when no timer fires any more. */
function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
