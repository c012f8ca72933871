#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { ConfigError, SETTINGS } from '../server/config.ts';
import { version } from '../server/version.ts';
import { check } from './commands/check.ts';
import { migrate } from './commands/migrate.ts';
import { serve } from './commands/serve.ts';

/** Exit codes: 0 done, 1 it failed, 2 it was called or set wrongly. */
const USAGE_WRONG = 2;

const commands: Readonly<Record<string, { readonly usage: string; readonly about: string; readonly run: Command }>> = {
  serve: { usage: 'rota serve', about: 'start the server', run: serve },
  migrate: { usage: 'rota migrate', about: 'bring the database schema up to date, then exit', run: migrate },
  check: { usage: 'rota check <file>', about: 'read a process definition and say what is wrong with it', run: check },
};

/** Takes the words after the command. @returns the exit code, or null: it goes on running */
export type Command = (words: readonly string[]) => Promise<number | null>;

const code = await main(process.argv.slice(2));
if (code !== null) process.exit(code);

async function main(args: readonly string[]): Promise<number | null> {
  let parsed: {
    readonly values: { readonly help?: boolean; readonly version?: boolean };
    readonly positionals: string[];
  };
  try {
    parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { help: { type: 'boolean', short: 'h' }, version: { type: 'boolean', short: 'v' } },
    });
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
  if (parsed.values.version === true) return say(`rota ${version}`);
  const [name, ...words] = parsed.positionals;
  if (parsed.values.help === true || name === 'help') return say(help());
  if (name === undefined) return refuse('Which command?');
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) return refuse(`There is no command ${JSON.stringify(name)}.`);
  try {
    return await command.run(words);
  } catch (error) {
    if (error instanceof ConfigError) {
      console.error(error.message);
      return USAGE_WRONG;
    }
    console.error(error instanceof Error ? messages(error) : error);
    return 1;
  }
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

function refuse(complaint: string): number {
  console.error(`${complaint}\n\n${usage()}`);
  return USAGE_WRONG;
}

function usage(): string {
  return Object.values(commands)
    .map((command) => `  ${command.usage.padEnd(24)} ${command.about}`)
    .join('\n');
}

function help(): string {
  return `rota: a workflow server

${usage()}
  ${'rota --help, --version'.padEnd(24)} this text; the version

Settings are environment variables, all optional:

${SETTINGS.map((setting) => `  ${setting.name.padEnd(24)} ${setting.meaning}\n${' '.repeat(27)}usually: ${setting.default}`).join('\n')}`;
}
