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
  /** Whether lines of the level debug are written: for those that would cost something to make. */
  readonly isDebug: () => boolean;
  /** The same log with `details` on every line. */
  readonly with: (details: LogDetails) => Log;
};

/** What must not be read in a log even when somebody logs it by mistake. */
const SECRETS = [
  'authorization',
  'cookie',
  'set-cookie',
  'x-api-key',
  'webhook-signature',
  'fields',
  'key',
  'token',
  'ticket',
  'secret',
  'password',
  'proceed_url',
  'callback_url',
];
const SECRET: ReadonlySet<string> = new Set(SECRETS);
const REDACTED = SECRETS.flatMap((name) =>
  name.includes('-') ? [`["${name}"]`, `*["${name}"]`] : [name, `*.${name}`],
);

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
}): LeveledLog {
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
  // What is below the level never gets there: children of a logger would keep the level they were born with.
  const settings = { level: 'trace', base: null };
  const least = { value: levelOf(options.level) };
  // Looking for secrets costs more than the line, and most lines have nowhere to keep one.
  const log = logOn(
    { plain: pino(settings, stream), redacted: pino({ ...settings, redact: REDACTED }, stream) },
    least,
  );
  return {
    ...log,
    setLevel: (level) => {
      least.value = levelOf(level);
    },
  };
}

/** A log whose level can be changed, for whatever was made of it as well. */
export type LeveledLog = Log & { readonly setLevel: (level: string) => void };

const LEVELS: ReadonlyMap<string, number> = new Map([
  ['trace', 10],
  ['debug', 20],
  ['info', 30],
  ['warn', 40],
  ['error', 50],
  ['fatal', 60],
]);
/** Silent is above all. */
const levelOf = (name: string): number => LEVELS.get(name) ?? Number.POSITIVE_INFINITY;

type Line = (details: LogDetails, sentence: string) => void;
type Writer = {
  readonly debug: Line;
  readonly info: Line;
  readonly warn: Line;
  readonly error: Line;
  child(details: LogDetails): Writer;
};
type Ways = { readonly plain: Writer; readonly redacted: Writer };

function logOn({ plain, redacted }: Ways, least: { readonly value: number }): Log {
  const via = (details: LogDetails): Writer => (isPlain(details) ? plain : redacted);
  return {
    isDebug: () => least.value <= 20,
    debug: (sentence, details) => {
      if (least.value <= 20) via(details).debug(details, sentence);
    },
    info: (sentence, details) => {
      if (least.value <= 30) via(details).info(details, sentence);
    },
    warn: (sentence, details) => {
      if (least.value <= 40) via(details).warn(details, sentence);
    },
    error: (sentence, details) => {
      if (least.value <= 50) via(details).error(details, sentence);
    },
    with: (details) => logOn({ plain: via(details).child(details), redacted: redacted.child(details) }, least),
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
  isDebug: () => false,
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  with: () => silentLog,
};
