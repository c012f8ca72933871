import process from 'node:process';
import { RotaError } from '../../client/index.ts';
import { type CommandSpec, EXIT, UsageError } from '../command.ts';
import { diffLines } from './diff.ts';
import { remote, remoteFlags, type There, textFlag } from './remote.ts';
import { cell, given, lineOf, readObject, readText, type Value } from './values.ts';

/* `rota definitions …`: definitions that a server keeps. */

const USAGE = `Say one of
  rota definitions list [--prefix p] [--q words]
  rota definitions put <name> <file> [--option file.json] [--note text]
  rota definitions get <name[@version]>
  rota definitions versions <name>
  rota definitions diff <name> <a> <b>
  rota definitions activate <name> <version>
  rota definitions delete <name>`;

type Verb = {
  readonly words: readonly [number, number];
  readonly run: (words: readonly string[], there: There) => Promise<void>;
};

const verbs: Readonly<Record<string, Verb>> = {
  list: {
    words: [0, 0],
    run: async (_words, there) => {
      const filter = { prefix: textFlag(there.flags, 'prefix'), q: textFlag(there.flags, 'q') };
      const line = lineOf('name', 'version', 'format', 'updated_at', 'description');
      await there.list(there.rota.definitions.list(filter, there.options), line);
    },
  },
  put: {
    words: [2, 2],
    run: async ([name = '', file = ''], there) => {
      const option = textFlag(there.flags, 'option');
      const note = textFlag(there.flags, 'note');
      const text = readText(file);
      // The text alone keeps the other keys of the active version, and so does a note; --option says them all anew.
      const keys =
        option !== undefined
          ? readObject(`@${option}`, '--option')
          : note !== undefined
            ? await keysOf(name, there)
            : null;
      const body = keys === null ? text : { ...keys, ...given({ note }), definition: text };
      const put = await there.rota.definitions.put(name, body, there.options);
      for (const warning of Array.isArray(put['warnings']) ? put['warnings'] : [])
        there.note(`warning: ${cell((warning as Value)['message'])}`);
      there.show(`${cell(put['name'])}@${cell(put['version'])}`, put);
    },
  },
  get: {
    words: [1, 1],
    run: async ([name = ''], there) => {
      const [plain, version] = versioned(name);
      if (there.isJson) {
        there.show('', await there.rota.definitions.get(plain, { version }, there.options));
        return;
      }
      const text = await there.rota.definitions.text(plain, { version }, there.options);
      process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
    },
  },
  versions: {
    words: [1, 1],
    run: async ([name = ''], there) => {
      const line = (one: Value): string =>
        [
          cell(one['version']),
          one['active'] === true ? 'active' : '-',
          cell(one['created_at']),
          cell(one['note']),
        ].join('  ');
      await there.list(there.rota.definitions.versions(name, {}, there.options), line);
    },
  },
  diff: {
    words: [3, 3],
    run: async ([name = '', a = '', b = ''], there) => {
      const [before, after] = [await radialOf(name, a, there), await radialOf(name, b, there)];
      const lines = diffLines(before, after);
      const head = lines.length === 0 ? [] : [`--- ${name}@${a}`, `+++ ${name}@${b}`];
      there.show([...head, ...lines].join('\n'), { from: Number(a), to: Number(b), lines });
    },
  },
  activate: {
    words: [2, 2],
    run: async ([name = '', version = ''], there) => {
      const active = await there.rota.definitions.activate(name, numberOf(version), there.options);
      there.show(`${name}@${version}`, active);
    },
  },
  delete: {
    words: [1, 1],
    run: async ([name = ''], there) => {
      await there.rota.definitions.delete(name, there.options);
      there.done();
    },
  },
};

export const definitionCommands: Readonly<Record<string, CommandSpec>> = {
  definitions: {
    usage:
      'rota definitions list | put <name> <file> | get <name[@v]> | versions | diff <name> <a> <b> | activate | delete',
    about: 'stored definitions and their versions',
    words: [1, 4],
    verbs: Object.keys(verbs),
    flags: {
      ...remoteFlags,
      prefix: { type: 'string' },
      q: { type: 'string' },
      option: { type: 'string' },
      note: { type: 'string' },
      limit: { type: 'string' },
    },
    run: remote(async ([word = '', ...words], there) => {
      const verb = Object.hasOwn(verbs, word) ? verbs[word] : undefined;
      if (verb === undefined || words.length < verb.words[0] || words.length > verb.words[1])
        throw new UsageError(USAGE);
      await verb.run(words, there);
      return EXIT.done;
    }),
  },
};

function versioned(name: string): readonly [string, number | undefined] {
  const [, plain = name, version] = /^(.+)@(\d{1,9})$/.exec(name) ?? [];
  return [plain, version === undefined ? undefined : Number(version)];
}

function numberOf(version: string): number {
  if (!/^\d{1,9}$/.test(version))
    throw new UsageError(`${JSON.stringify(version)} is no version: versions are numbers`);
  return Number(version);
}

/** What a shown definition says of itself beside the keys that are stored with its text. */
const NO_KEYS: ReadonlySet<string> = new Set(
  'name version active sha256 format definition note created_at created_by'.split(' '),
);

/** The keys of the active version; none where nothing has that name yet. */
async function keysOf(name: string, { rota, options }: There): Promise<Value> {
  const shown = await unless('definition_not_found', rota.definitions.get(name, {}, options));
  return Object.fromEntries(Object.entries(shown ?? {}).filter(([key]) => !NO_KEYS.has(key)));
}

/** A version as Radial, whatever it was written in; what Radial cannot say, such as a diagram, as its own text. */
async function radialOf(name: string, version: string, { rota, options }: There): Promise<readonly string[]> {
  const number = numberOf(version);
  const where = `/v1/definitions/${encodeURIComponent(name)}/versions/${number}`;
  const radial = rota.request<string>('GET', where, { headers: { Accept: 'text/plain' } }, options);
  const text =
    (await unless('not_acceptable', radial)) ?? (await rota.definitions.text(name, { version: number }, options));
  return text.replace(/\n$/, '').split('\n');
}

/** Null where the server refuses with this code. */
async function unless<Result>(code: string, asked: Promise<Result>): Promise<Result | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof RotaError && error.code === code) return null;
    throw error;
  }
}
