#!/usr/bin/env node
import './node-version.ts';
import { parseArgs } from 'node:util';
import { linesTo } from '../runtime/log.ts';
import { ConfigError } from '../server/config.ts';
import { helpTable } from '../server/settings/shown.ts';
import { version } from '../server/version.ts';
import { check } from './commands/check.ts';
import { config } from './commands/config.ts';
import { convert, convertFlags } from './commands/convert.ts';
import { keys, keysFlags } from './commands/keys.ts';
import { migrate } from './commands/migrate.ts';
import { new_, newFlags } from './commands/new.ts';
import { serve } from './commands/serve.ts';
import { type Flags, settingFlags } from './settings.ts';

/** Exit codes: 0 done, 1 it failed, 2 it was called or set wrongly. */
const USAGE_WRONG = 2;

type FlagKinds = Readonly<Record<string, { readonly type: 'string' | 'boolean' }>>;

const commands: Readonly<
  Record<
    string,
    {
      readonly usage: string;
      readonly about: string;
      readonly run: Command;
      /** Words it takes, at least and at most. */
      readonly words: readonly [number, number];
      readonly flags?: FlagKinds;
    }
  >
> = {
  serve: {
    usage: 'rota serve [--port 8080] [--host 127.0.0.1] [--config rota.yaml]',
    about: 'start the server',
    run: serve,
    words: [0, 0],
    flags: settingFlags,
  },
  migrate: {
    usage: 'rota migrate',
    about: 'bring the database schema up to date, then exit',
    run: migrate,
    words: [0, 0],
    flags: settingFlags,
  },
  check: {
    usage: 'rota check <file>',
    about: 'read a process definition and say what is wrong with it',
    run: check,
    words: [1, 1],
  },
  convert: {
    usage: 'rota convert [--from ruby] [--to radial|xml|json] [--name <name> | --all --out <folder>] <file>',
    about: 'write a definition in another format; Ruby is read, never run',
    run: convert,
    words: [1, 1],
    flags: convertFlags,
  },
  new: {
    usage: 'rota new [<recipe>] [--out <file>]',
    about: 'write a recipe of the cookbook to begin with; list them',
    run: new_,
    words: [0, 1],
    flags: newFlags,
  },
  keys: {
    usage: 'rota keys generate | create | list | rotate <id> | revoke <id>',
    about: 'API keys: who may call the server',
    run: keys,
    words: [1, 2],
    flags: keysFlags,
  },
  config: {
    usage: 'rota config check [file] | rota config print [--redacted]',
    about: 'read the settings and say what is wrong; print them and where each comes from',
    run: config,
    words: [1, 2],
    flags: { ...settingFlags, redacted: { type: 'boolean' } },
  },
};

/** Takes the words and flags after the command. @returns the exit code, or null: it goes on running */
export type Command = (words: readonly string[], flags: Flags) => Promise<number | null>;

const code = await main(process.argv.slice(2));
if (code !== null) process.exit(code);

async function main(args: readonly string[]): Promise<number | null> {
  const [name] = args;
  if (name === undefined) return refuse('Which command?');
  if (name === '--version' || name === '-v') return say(`rota ${version}`);
  if (name === '--help' || name === '-h' || name === 'help') return say(help());
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined)
    return refuse(
      name.startsWith('-')
        ? `${name} is a flag; the command comes first.`
        : `There is no command ${JSON.stringify(name)}.`,
    );
  let parsed: { readonly values: Flags; readonly positionals: readonly string[] };
  try {
    const options = { help: { type: 'boolean', short: 'h' }, ...command.flags } as const;
    parsed = parseArgs({ args: args.slice(1), allowPositionals: true, options });
  } catch (error) {
    return refuse(firstSentence(error));
  }
  if (parsed.values['help'] === true) return say(help());
  const { positionals: words } = parsed;
  const [least, most] = command.words;
  const extra = words[most];
  if (extra !== undefined) return refuse(`rota ${name} does not take ${JSON.stringify(extra)}.`);
  if (words.length < least) return refuse(`Something is missing after rota ${name}.`);
  try {
    return await command.run(words, parsed.values);
  } catch (error) {
    complain(error instanceof Error ? messages(error) : String(error));
    return error instanceof ConfigError ? USAGE_WRONG : 1;
  }
}

/** Node explains flags in several sentences, of which the first says what is wrong. */
function firstSentence(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\. To specify.*$/s, '.');
}

/** An error and what caused it; the stack only on request, for most readers are operators. */
function messages(error: Error): string {
  if (process.env['LOG_LEVEL'] === 'debug' && error.stack !== undefined) return error.stack;
  const cause = error.cause instanceof Error ? `\n  because: ${messages(error.cause)}` : '';
  return error.message + cause;
}

function say(text: string): number {
  console.log(text);
  return 0;
}

/** Without waiting for whoever reads it, as the log. */
function complain(text: string): void {
  linesTo(2).add(`${text}\n`, true);
}

function refuse(complaint: string): number {
  complain(`${complaint}\n\n${usage()}`);
  return USAGE_WRONG;
}

function usage(): string {
  return Object.values(commands)
    .map((command) => `  ${command.usage}\n      ${command.about}`)
    .join('\n');
}

function help(): string {
  return `rota: a workflow server

${usage()}
  rota --help, --version
      this text; the version

Settings, all optional. Each is a variable of the environment (or of a .env file), a flag (--data-dir) where it is no secret, or a key
(data_dir) of the YAML file given by --config or ROTA_CONFIG. A flag wins over the environment, the environment over the file.

${helpTable()}`;
}
