import { type DestinationStream, pino } from 'pino';

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
const REDACTED = ['authorization', 'cookie', '*.authorization', '*.cookie', '*["x-api-key"]', 'fields', '*.fields'];

/**
 * Makes the log.
 *
 * @param level trace, debug, info, warn, error, fatal or silent
 * @param destination where lines go; standard output unless given
 */
export function makeLog(options: { readonly level: string; readonly destination?: DestinationStream }): Log {
  const settings = { level: options.level, base: null, redact: REDACTED };
  return logOn(options.destination === undefined ? pino(settings) : pino(settings, options.destination));
}

type Line = (details: LogDetails, event: string) => void;
type Lines = {
  readonly debug: Line;
  readonly info: Line;
  readonly warn: Line;
  readonly error: Line;
  child(details: LogDetails): Lines;
};

function logOn(lines: Lines): Log {
  return {
    debug: (event, details = {}) => lines.debug(details, event),
    info: (event, details = {}) => lines.info(details, event),
    warn: (event, details = {}) => lines.warn(details, event),
    error: (event, details = {}) => lines.error(details, event),
    with: (details) => logOn(lines.child(details)),
  };
}

/** A log that says nothing. */
export const silentLog: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  with: () => silentLog,
};
