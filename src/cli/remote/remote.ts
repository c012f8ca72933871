import process from 'node:process';
import { type CallOptions, Rota, RotaError } from '../../client/index.ts';
import { urlOf } from '../../model/url.ts';
import { painted } from '../colour.ts';
import { type Command, EXIT, type FlagKinds, UsageError } from '../command.ts';
import type { Flags } from '../settings.ts';

/* What all commands that speak to a server share: where it is, how answers are shown, and how they end. */

export const remoteFlags = {
  url: { type: 'string', multiple: true },
  key: { type: 'string' },
  tenant: { type: 'string' },
  json: { type: 'boolean' },
  quiet: { type: 'boolean' },
  timeout: { type: 'string' },
} as const satisfies FlagKinds;

/** Seconds a --timeout may say. */
const TIMEOUT_SECONDS_MAX = 366 * 86_400;

export type There = {
  readonly rota: Rota;
  /** Given to each call: --timeout ends them all. */
  readonly options: CallOptions;
  /** Seconds that --timeout says. */
  readonly timeout: number | undefined;
  readonly isJson: boolean;
  readonly flags: Flags;
  /** Data for standard output: a text for people, or with --json the value. */
  readonly show: (text: string, value: unknown) => void;
  /** That something was done; nothing with --quiet. */
  readonly done: (text?: string) => void;
  /** Something for people on standard error; nothing with --quiet. */
  readonly note: (text: string) => void;
  /** Prints items as they come, a line each, no more than --limit or the given bound. */
  readonly list: <Item>(items: AsyncIterable<Item>, line: (item: Item) => string) => Promise<void>;
};

/** Items a list prints unless --limit says otherwise. */
const LISTED_MAX = 100;

/** Makes a command of what is done over HTTP. @param run resolves to an exit code, or to nothing where all went well */
export function remote(
  run: (words: readonly string[], there: There) => Promise<number | undefined | null>,
  /** Flags that words stand for. */
  flagsIn: (words: readonly string[]) => Flags = () => ({}),
): Command {
  return async (words, given) => {
    const flags = { ...given, ...flagsIn(words) };
    const onInterrupt = (): never => process.exit(EXIT.interrupted);
    // Whoever reads has enough (`rota list | head`).
    const onClosed = (): never => process.exit(EXIT.done);
    process.once('SIGINT', onInterrupt);
    process.stdout.once('error', onClosed);
    try {
      return (await run(words, connect(flags))) ?? EXIT.done;
    } catch (error) {
      if (!(error instanceof RotaError)) throw error;
      complain(error);
      return exitOf(error);
    } finally {
      process.off('SIGINT', onInterrupt);
      process.stdout.off('error', onClosed);
    }
  };
}

function connect(flags: Flags): There {
  const timeout = secondsOf(textFlag(flags, 'timeout'));
  const isJson = flags['json'] === true;
  const isQuiet = flags['quiet'] === true;
  const note = (text: string): void => {
    if (!isQuiet) console.error(text);
  };
  return {
    rota: rotaOf(flags),
    options: timeout === undefined ? {} : { signal: AbortSignal.timeout(timeout * 1000) },
    timeout,
    isJson,
    flags,
    show: (text, value) => console.log(isJson ? JSON.stringify(value) : text),
    done: (text = 'OK') => {
      if (!isQuiet) console.log(isJson ? JSON.stringify({ status: text }) : text);
    },
    note,
    list: async (items, line) => {
      const most = limitOf(flags);
      let count = 0;
      for await (const item of items) {
        if (count === most) {
          note(`There are more; --limit ${most * 10} shows more of them.`);
          return;
        }
        count += 1;
        console.log(isJson ? JSON.stringify(item) : line(item));
      }
      if (count === 0 && !isJson) note('There are none.');
    },
  };
}

/** Somebody sits before it: they are told sooner than a program. */
const RETRY = { tries: 3, maxDelay: 10 } as const;

export function rotaOf(flags: Flags): Rota {
  // A word may stand for the flag, and then it is one.
  const urls = [textFlag(flags, 'url') ?? textFlags(flags, 'url')].flat().filter((url) => url !== '');
  for (const url of urls) if (urlOf(url) === null) throw new UsageError(`--url ${url} is no address`);
  return new Rota({ url: urls, key: textFlag(flags, 'key'), tenant: textFlag(flags, 'tenant'), retry: RETRY });
}

export function textFlag(flags: Flags, name: string): string | undefined {
  const value = flags[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** All values of a flag that may be given several times. */
export function textFlags(flags: Flags, name: string): readonly string[] {
  const value = flags[name];
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

export const limitOf = (flags: Flags): number => numberFlag(flags, 'limit') ?? LISTED_MAX;

export function numberFlag(flags: Flags, name: string): number | undefined {
  const text = textFlag(flags, name);
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`--${name} must be a whole number, not ${JSON.stringify(text)}`);
  return Number(text);
}

function secondsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seconds = Number(text);
  if (!(seconds > 0 && seconds <= TIMEOUT_SECONDS_MAX))
    throw new UsageError(`--timeout must be a number of seconds, not ${JSON.stringify(text)}`);
  return seconds;
}

/** What went wrong, for people: the sentence, what is wrong in detail, and where to look it up. */
export function complain(error: RotaError): void {
  console.error(painted(isOutOfTime(error) ? 'Out of time (--timeout).' : error.message, 'red', process.stderr));
  for (const { detail, pointer, line, column } of error.errors ?? []) {
    const place =
      line !== undefined ? `line ${line}, column ${column ?? 1}: ` : pointer !== undefined ? `${pointer}: ` : '';
    console.error(`  ${place}${detail ?? ''}`);
  }
  if (error.requestId !== undefined && error.status !== undefined && error.status >= 500)
    console.error(`  request ${error.requestId}`);
}

const isOutOfTime = ({ code, cause }: RotaError): boolean =>
  code === 'timeout' || (code === 'aborted' && cause instanceof Error && cause.name === 'TimeoutError');

export function exitOf(error: RotaError): number {
  const { code, status } = error;
  if (isOutOfTime(error)) return EXIT.outOfTime;
  if (code === 'aborted') return EXIT.interrupted;
  if (code === 'expression_ambiguous' || code === 'several_servers') return EXIT.usage;
  if (status === undefined) return code.endsWith('_not_found') ? EXIT.notFound : EXIT.unreachable;
  if (status >= 500) return EXIT.unreachable;
  // The four fixed calls say 400 where others say 404.
  return status === 404 || code === 'workflow_not_found' || code === 'workitem_not_found'
    ? EXIT.notFound
    : EXIT.refused;
}
