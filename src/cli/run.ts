import { parseArgs } from 'node:util';
import { linesTo } from '../runtime/log.ts';
import { ConfigError } from '../server/config.ts';
import { helpTable } from '../server/settings/shown.ts';
import { version } from '../server/version.ts';
import { type Command, type CommandSpec, EXIT, UsageError } from './command.ts';
import { check } from './commands/check.ts';
import { completion, SHELLS } from './commands/completion.ts';
import { config } from './commands/config.ts';
import { convert, convertFlags } from './commands/convert.ts';
import { health } from './commands/health.ts';
import { keysFlags } from './commands/keys-flags.ts';
import { new_, newFlags } from './commands/new.ts';
import { batchCommands } from './remote/batch.ts';
import { carryCommands } from './remote/carry.ts';
import { conformanceCommands } from './remote/conformance.ts';
import { definitionCommands } from './remote/definitions.ts';
import { eraseCommands } from './remote/erase.ts';
import { eventCommands } from './remote/events.ts';
import { registryCommands } from './remote/registry.ts';
import { serverCommands } from './remote/server.ts';
import { workflowCommands } from './remote/workflows.ts';
import { type Flags, settingFlags } from './settings.ts';

/** Files one call of `rota check` reads. */
const FILES_MAX = 1_000;

/** What has a server or a database in it is loaded when it is called: all other commands begin several times as fast without. */
const later =
  (load: () => Promise<Command>): Command =>
  async (words, flags) =>
    (await load())(words, flags);
const serve = later(async () => (await import('./commands/serve.ts')).serve);
const dev = later(async () => (await import('./commands/dev.ts')).dev);
const migrate = later(async () => (await import('./commands/migrate.ts')).migrate);
const checkDatabase = later(async () => (await import('./commands/check-database.ts')).checkDatabaseCommand);
const tenants = later(async () => (await import('./commands/tenants.ts')).tenants);
const keys = later(async () => (await import('./commands/keys.ts')).keys);
const reseal = later(async () => (await import('./commands/reseal.ts')).reseal);

/** `rota secrets …` with one verb more, which is done in the database of the settings, not by a server. */
const withReseal = (others: CommandSpec): CommandSpec => ({
  ...others,
  usage: `${others.usage} | reseal`,
  verbs: [...(others.verbs ?? []), 'reseal'],
  flags: { ...settingFlags, ...others.flags },
  run: (words, flags) => (words[0] === 'reseal' && words.length === 1 ? reseal : others.run)(words, flags),
});

const commands: Readonly<Record<string, CommandSpec>> = {
  serve: {
    usage: 'rota serve [--no-migrate] [--port 8080] [--host 127.0.0.1] [--config rota.yaml]',
    about: 'start the server',
    run: serve,
    words: [0, 0],
    flags: { ...settingFlags, 'no-migrate': { type: 'boolean' } },
  },
  dev: {
    usage: 'rota dev [--port 8080] [--data-dir folder]',
    about: 'start a server to try things with: it keeps nothing, and has its console and a playground',
    run: dev,
    words: [0, 0],
    flags: settingFlags,
  },
  migrate: {
    usage: 'rota migrate [--dump-sql]',
    about: 'bring the database schema up to date, then exit; or print the SQL that does it',
    run: migrate,
    words: [0, 0],
    flags: { ...settingFlags, 'dump-sql': { type: 'boolean' } },
  },
  'check-database': {
    usage: 'rota check-database',
    about: 'say whether the rows of a database fit together, such as of one that was restored',
    run: checkDatabase,
    words: [0, 0],
    flags: settingFlags,
  },
  check: {
    usage: 'rota check [--strict] <file>…',
    about: 'read process definitions and say what is wrong with them; --strict: warnings are wrong',
    run: check,
    words: [1, FILES_MAX],
    flags: { strict: { type: 'boolean' }, json: { type: 'boolean' }, quiet: { type: 'boolean' } },
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
  ...workflowCommands,
  ...eventCommands,
  ...batchCommands,
  ...definitionCommands,
  ...registryCommands,
  ...eraseCommands,
  ...carryCommands,
  ...conformanceCommands,
  ...serverCommands,
  keys: {
    usage: 'rota keys generate | create | list | rotate <id> | revoke <id>',
    about: 'API keys: who may call the server',
    run: keys,
    words: [1, 2],
    verbs: ['generate', 'create', 'list', 'rotate', 'revoke'],
    flags: keysFlags,
  },
  tenants: {
    usage: 'rota tenants move <tenant> --from <DATABASE_URL> --to <DATABASE_URL> [--address <BASE_URL>]',
    about: 'move a tenant with everything to another cell (docs/scaling.md)',
    run: tenants,
    words: [2, 2],
    verbs: ['move'],
    flags: { from: { type: 'string' }, to: { type: 'string' }, address: { type: 'string' } },
  },
  secrets: withReseal(registryCommands['secrets'] as CommandSpec),
  health: {
    usage: 'rota health [--port 8080]',
    about: 'say whether the server of these settings answers, for containers',
    run: health,
    words: [0, 0],
    flags: settingFlags,
  },
  config: {
    usage: 'rota config check [file] | rota config print [--redacted] [--json]',
    about: 'read the settings and say what is wrong; print them and where each comes from',
    run: config,
    words: [1, 2],
    verbs: ['check', 'print'],
    flags: { ...settingFlags, redacted: { type: 'boolean' }, json: { type: 'boolean' } },
  },
  completion: {
    usage: `rota completion ${SHELLS.join('|')}`,
    about: 'print the script that completes commands and flags',
    run: completion(() => commands),
    words: [1, 1],
    verbs: SHELLS,
  },
};

/** Does what one call of `rota` asks for. @returns the exit code, or null: it goes on running */
export async function run(args: readonly string[]): Promise<number | null> {
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
    return refuse(firstSentence(error), command);
  }
  if (parsed.values['help'] === true) return say(helpOf(command));
  const { positionals: words } = parsed;
  const [least, most] = command.words;
  const extra = words[most];
  if (extra !== undefined) return refuse(`rota ${name} does not take ${JSON.stringify(extra)}.`, command);
  if (words.length < least) return refuse(`Something is missing after rota ${name}.`, command);
  try {
    return await command.run(words, parsed.values);
  } catch (error) {
    complain(error instanceof Error ? messages(error) : String(error));
    return error instanceof ConfigError || error instanceof UsageError ? EXIT.usage : EXIT.refused;
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

/** @param command the one that was called wrongly, where it is known; else all are listed */
function refuse(complaint: string, command?: CommandSpec): number {
  complain(`${complaint}\n\n${command === undefined ? usage() : `${usageOf(command)}\n\nAll commands: ${names()}`}`);
  return EXIT.usage;
}

function names(): string {
  return Object.keys(commands)
    .map((name) => `rota ${name}`)
    .join(', ');
}

function usageOf({ usage: how, about }: CommandSpec): string {
  return `  ${how}\n      ${about}`;
}

function usage(): string {
  return Object.values(commands).map(usageOf).join('\n');
}

function help(): string {
  return `rota: a workflow server

${usage()}
  rota --help, --version
      this text; the version; rota <command> --help has all flags of one

Exit codes: 0 done; 1 refused, or not completed; 2 called or set wrongly; 3 not to be reached, or failed; 4 not found; 5 out of time;
130 interrupted. Commands that speak to a server take --url (ROTA_URL), --key (ROTA_API_KEY), --tenant, --json, --quiet, --timeout <s>;
lists take --url several times, for cells: items of all of them, merged by time.

Settings, all optional. Each is a variable of the environment (or of a .env file), a flag (--data-dir) where it is no secret, or a key
(data_dir) of the YAML file given by --config or ROTA_CONFIG. A flag wins over the environment, the environment over the file.

${helpTable()}`;
}

/** The usage of one command with all its flags, but those that are settings. */
function helpOf(command: CommandSpec): string {
  const settings = new Set(Object.keys(settingFlags));
  const own = Object.entries(command.flags ?? {}).filter(([name]) => !settings.has(name));
  const flags = own.map(
    ([name, { type, multiple }]) => `  --${name}${type === 'string' ? ' <value>' : ''}${multiple === true ? ' …' : ''}`,
  );
  const isSet = Object.keys(command.flags ?? {}).some((name) => settings.has(name));
  return [usageOf(command), ...flags, ...(isSet ? ['  and a flag for each setting: rota --help lists them'] : [])].join(
    '\n',
  );
}
