import { createReadStream } from 'node:fs';
import process from 'node:process';
import { type CommandSpec, EXIT, UsageError } from '../command.ts';
import { remote, remoteFlags, type There } from './remote.ts';
import type { Value } from './values.ts';

/* `rota export`, `rota import`: workflows and stored definitions as lines of JSON, from one server to another. */

const WORKFLOWS_MAX = 10_000;

export const carryCommands: Readonly<Record<string, CommandSpec>> = {
  export: {
    usage: 'rota export <id>… | --all [--definitions]',
    about:
      'workflows as lines of JSON, with --definitions the stored definitions before them; pause or cancel what is to move',
    words: [0, WORKFLOWS_MAX],
    flags: { ...remoteFlags, all: { type: 'boolean' }, definitions: { type: 'boolean' } },
    run: remote(async (ids, there) => {
      const { rota, options, flags } = there;
      const isAll = flags['all'] === true;
      const hasDefinitions = flags['definitions'] === true;
      if (isAll === ids.length > 0 && !(hasDefinitions && !isAll && ids.length === 0))
        throw new UsageError('Say which: rota export <id> …, or --all');
      let definitions = 0;
      if (hasDefinitions)
        for await (const { name } of rota.definitions.list({}, options)) {
          const shown = await rota.definitions.get(String(name), {}, options);
          process.stdout.write(`${JSON.stringify({ rota_definition: 1, ...shown })}\n`);
          definitions += 1;
        }
      let workflows = 0;
      for await (const id of isAll ? idsOf(there) : ids) {
        process.stdout.write(await rota.export(id, options));
        workflows += 1;
      }
      there.note(`${workflows} workflows, ${definitions} definitions`);
      return EXIT.done;
    }),
  },
  import: {
    usage: 'rota import <file> [--new-ids] [--dry-run]',
    about: 'take in what rota export has written; - is standard input',
    words: [1, 1],
    flags: { ...remoteFlags, 'new-ids': { type: 'boolean' }, 'dry-run': { type: 'boolean' } },
    run: remote(async ([file = ''], there) => {
      const { rota, options, flags } = there;
      const how = { newIds: flags['new-ids'] === true, dryRun: flags['dry-run'] === true };
      const imported: Value[] = [];
      let definitions = 0;
      for await (const piece of piecesOf(file)) {
        if (typeof piece === 'string') {
          const answer = await rota.import(piece, how, options);
          imported.push(...((answer['imported'] ?? []) as readonly Value[]));
          continue;
        }
        definitions += 1;
        if (!how.dryRun) await rota.definitions.put(piece.name, piece.keys, options);
      }
      if (definitions + imported.length === 0) throw new UsageError('There is nothing in it');
      const would = how.dryRun ? 'would be ' : '';
      there.show(
        [
          `${imported.length} workflows and ${definitions} definitions ${would}imported`,
          ...imported.map(({ id, was }) => (was === undefined ? String(id) : `${was} -> ${id}`)),
        ].join('\n'),
        { imported, definitions },
      );
      return EXIT.done;
    }),
  },
};

async function* idsOf({ rota, options }: There): AsyncGenerator<string, void, undefined> {
  for await (const { id } of rota.list({}, options)) yield id;
}

/** What a stored definition says of itself beside its keys. */
const NO_KEYS: ReadonlySet<string> = new Set(
  'rota_definition name version active sha256 format created_at created_by'.split(' '),
);

/**
 * The definitions of a file, and its workflows, each with its head and its end: one after the other, so that no more than one is held. What cannot be
 * read is for the server to complain about.
 */
async function* piecesOf(
  file: string,
): AsyncGenerator<string | { readonly name: string; readonly keys: Value }, void, undefined> {
  let piece: string[] = [];
  for await (const line of linesOf(file)) {
    if (line.trim() === '') continue;
    if (line.startsWith('{"rota_definition":')) {
      const shown = JSON.parse(line) as Value;
      const keys = Object.fromEntries(Object.entries(shown).filter(([key]) => !NO_KEYS.has(key)));
      yield { name: String(shown['name']), keys };
      continue;
    }
    piece.push(line);
    if (!line.startsWith('{"kind":"end"')) continue;
    yield `${piece.join('\n')}\n`;
    piece = [];
  }
  if (piece.length > 0) yield piece.join('\n');
}

/** The lines of a file, `-` is standard input. @throws UsageError when it cannot be read */
async function* linesOf(file: string): AsyncGenerator<string, void, undefined> {
  const source = file === '-' ? process.stdin : createReadStream(file);
  source.setEncoding('utf8');
  let begun: string[] = [];
  const pieces = source[Symbol.asyncIterator]() as AsyncIterator<string, undefined>;
  for (;;) {
    const next = await pieces.next().catch((error: unknown) => {
      throw new UsageError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    });
    if (next.done === true) break;
    for (const [i, text] of next.value.split('\n').entries()) {
      if (i > 0) {
        yield begun.join('');
        begun = [];
      }
      begun.push(text);
    }
  }
  yield begun.join('');
}
