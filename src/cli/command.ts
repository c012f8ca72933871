import type { Flags } from './settings.ts';

/** Exit codes, the same for all commands. */
export const EXIT = {
  done: 0,
  /** The server refused it, or a workflow did not complete. */
  refused: 1,
  /** It was called or set wrongly. */
  usage: 2,
  /** The server cannot be reached, or failed. */
  unreachable: 3,
  notFound: 4,
  outOfTime: 5,
  interrupted: 130,
} as const;

/** Takes the words and flags after the command. @returns the exit code, or null: it goes on running */
export type Command = (words: readonly string[], flags: Flags) => Promise<number | null>;

export type FlagKinds = Readonly<
  Record<string, { readonly type: 'string' | 'boolean'; readonly multiple?: boolean; readonly short?: string }>
>;

export type CommandSpec = {
  readonly usage: string;
  readonly about: string;
  readonly run: Command;
  /** Words it takes, at least and at most. */
  readonly words: readonly [number, number];
  readonly flags?: FlagKinds;
  /** Words that may come first, for completion. */
  readonly verbs?: readonly string[];
};

/** It was called wrongly: the command ends with exit code 2 and this sentence. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
