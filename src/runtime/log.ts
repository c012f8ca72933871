import { type DestinationStream, pino } from 'pino';
import { type ProcessTime, realTime } from './process-time.ts';

export type LogDetails = Readonly<Record<string, unknown>>;

/** One JSON line per event on standard output. What workflows carry (fields, bodies) and secrets never go in. */
export type Log = {
  readonly debug: (event: string, details?: LogDetails) => void;
  readonly info: (event: string, details?: LogDetails) => void;
  readonly warn: (event: string, details?: LogDetails) => void;
  /** A bug of ours, or something an operator has to see to. An Error under the key `err` is written with its stack and causes. */
  readonly error: (event: string, details?: LogDetails) => void;
  /** The same log with `details` on every line. */
  readonly with: (details: LogDetails) => Log;
};

/** What must not be read in a log even when somebody logs it by mistake. */
const SECRET: ReadonlySet<string> = new Set(['authorization', 'cookie', 'x-api-key', 'fields']);
const REDACTED = ['authorization', 'cookie', '*.authorization', '*.cookie', '*["x-api-key"]', 'fields', '*.fields'];

/** Lines that follow one another faster than this are written together: each write is a system call. */
export const GATHER_MS = 50;
/** And no more of them than this. */
const GATHERED_CHARACTERS_MAX = 64_000;
/** Warnings and errors wait for nothing. */
const WARN_LEVEL = 40;

/**
 * Makes the log.
 *
 * @param level trace, debug, info, warn, error, fatal or silent
 * @param destination where lines go; standard output unless given
 */
export function makeLog(options: {
  readonly level: string;
  readonly destination?: DestinationStream;
  readonly time?: ProcessTime;
}): Log {
  const settings = { level: options.level, base: null };
  const lines = gathering(options.destination ?? pino.destination({ dest: 1, sync: true }), options.time ?? realTime);
  // Looking for secrets costs more than the line, and most lines have nowhere to keep one.
  return logOn({ plain: pino(settings, lines), redacted: pino({ ...settings, redact: REDACTED }, lines) });
}

/** A line that comes alone is written at once; those right behind it together, a moment later, or when the process ends. */
function gathering(destination: DestinationStream, time: ProcessTime): DestinationStream & { lastLevel: number } {
  let text = '';
  let quietSince = Number.NEGATIVE_INFINITY;
  let armed = false;
  const flush = (): void => {
    if (text === '') return;
    const lines = text;
    text = '';
    quietSince = time.now() + GATHER_MS;
    destination.write(lines);
  };
  const gathered = {
    [Symbol.for('pino.metadata')]: true,
    lastLevel: 0,
    write: (line: string): void => {
      text += line;
      const waits = gathered.lastLevel < WARN_LEVEL && text.length <= GATHERED_CHARACTERS_MAX;
      if (!waits || time.now() >= quietSince) flush();
      else if (!armed) {
        armed = true;
        time.after(GATHER_MS, () => {
          armed = false;
          flush();
        });
      }
    },
  };
  process.once('exit', flush);
  return gathered;
}

type Line = (details: LogDetails, event: string) => void;
type Lines = {
  readonly debug: Line;
  readonly info: Line;
  readonly warn: Line;
  readonly error: Line;
  child(details: LogDetails): Lines;
};
type Ways = { readonly plain: Lines; readonly redacted: Lines };

function logOn({ plain, redacted }: Ways): Log {
  const via = (details: LogDetails): Lines => (isPlain(details) ? plain : redacted);
  return {
    debug: (event, details = {}) => via(details).debug(details, event),
    info: (event, details = {}) => via(details).info(details, event),
    warn: (event, details = {}) => via(details).warn(details, event),
    error: (event, details = {}) => via(details).error(details, event),
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
