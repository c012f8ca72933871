import { pino } from 'pino';
import { descriptorSink } from './descriptor.ts';
import { type Lines, makeLines, type Sink } from './log-lines.ts';
import { type ProcessTime, realTime } from './process-time.ts';

export type LogDetails = Readonly<Record<string, unknown>>;
/**
 * What a line is about, for alerts and programs: `event` is a short fixed name (`try.failed`) that stays when the sentence beside it is
 * written better.
 */
export type LineDetails = LogDetails & { readonly event: string };

/**
 * One JSON line for everything that happens, on standard output: a sentence for people (`msg`) and `event` for programs. What workflows
 * carry (fields, bodies) and secrets never go in.
 */
export type Log = {
  readonly debug: (sentence: string, details: LineDetails) => void;
  readonly info: (sentence: string, details: LineDetails) => void;
  readonly warn: (sentence: string, details: LineDetails) => void;
  /** A bug of ours, or something an operator has to see to. An Error under the key `err` is written with its stack and causes. */
  readonly error: (sentence: string, details: LineDetails) => void;
  /** The same log with `details` on every line. */
  readonly with: (details: LogDetails) => Log;
};

/** What must not be read in a log even when somebody logs it by mistake. */
const SECRET: ReadonlySet<string> = new Set(['authorization', 'cookie', 'x-api-key', 'fields']);
const REDACTED = ['authorization', 'cookie', '*.authorization', '*.cookie', '*["x-api-key"]', 'fields', '*.fields'];

/** Warnings and errors are written at once, and dropped last. */
const WARN_LEVEL = 40;
/** Whoever reads the log has this long to take the rest of it when the process ends. */
const END_PATIENCE_MS = 500;

/** Standard output and standard error are there once in a process, so their lines are gathered once. */
const shared = new Map<1 | 2, Lines>();

/** Lines to standard output (1) or standard error (2): written without waiting, the rest of them when the process ends. */
export function linesTo(descriptor: 1 | 2): Lines {
  const known = shared.get(descriptor);
  if (known !== undefined) return known;
  const lines = makeLines({ sink: descriptorSink(descriptor), time: realTime, dropped: droppedLine });
  shared.set(descriptor, lines);
  process.once('exit', () => lines.flush(END_PATIENCE_MS));
  return lines;
}

/** What stands in the log in place of lines nobody read in time. */
function droppedLine(lines: number): string {
  const msg = 'lines of the log were dropped: nobody read them in time';
  return `${JSON.stringify({ level: WARN_LEVEL, time: Date.now(), event: 'log.dropped', lines, msg })}\n`;
}

/**
 * Makes the log.
 *
 * @param level trace, debug, info, warn, error, fatal or silent
 * @param sink where lines go; standard output unless given
 */
export function makeLog(options: {
  readonly level: string;
  readonly sink?: Sink;
  readonly time?: ProcessTime;
  /** Bytes of lines that wait while the sink takes none. */
  readonly bytesMax?: number;
}): Log {
  const { sink, time = realTime, bytesMax } = options;
  const lines =
    sink === undefined
      ? linesTo(1)
      : makeLines({ sink, time, dropped: droppedLine, ...(bytesMax === undefined ? {} : { bytesMax }) });
  const stream = {
    [Symbol.for('pino.metadata')]: true,
    lastLevel: 0,
    write: (line: string): void => lines.add(line, stream.lastLevel >= WARN_LEVEL),
  };
  const settings = { level: options.level, base: null };
  // Looking for secrets costs more than the line, and most lines have nowhere to keep one.
  return logOn({ plain: pino(settings, stream), redacted: pino({ ...settings, redact: REDACTED }, stream) });
}

type Line = (details: LogDetails, sentence: string) => void;
type Writer = {
  readonly debug: Line;
  readonly info: Line;
  readonly warn: Line;
  readonly error: Line;
  child(details: LogDetails): Writer;
};
type Ways = { readonly plain: Writer; readonly redacted: Writer };

function logOn({ plain, redacted }: Ways): Log {
  const via = (details: LogDetails): Writer => (isPlain(details) ? plain : redacted);
  return {
    debug: (sentence, details) => via(details).debug(details, sentence),
    info: (sentence, details) => via(details).info(details, sentence),
    warn: (sentence, details) => via(details).warn(details, sentence),
    error: (sentence, details) => via(details).error(details, sentence),
    with: (details) => logOn({ plain: via(details).child(details), redacted: redacted.child(details) }),
  };
}

/** Nothing in it is, or may hold, what must not be read. */
function isPlain(details: LogDetails): boolean {
  for (const key in details) {
    const value = details[key];
    if ((typeof value === 'object' && value !== null) || SECRET.has(key)) return false;
  }
  return true;
}

/** A log that says nothing. */
export const silentLog: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  with: () => silentLog,
};
