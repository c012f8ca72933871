import process from 'node:process';
import { type CommandSpec, EXIT, UsageError } from '../command.ts';
import { remote, remoteFlags, type There } from './remote.ts';
import { readText, type Value } from './values.ts';

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
      const { definitions, workflows } = piecesOf(readText(file));
      if (!how.dryRun) for (const { name, keys } of definitions) await rota.definitions.put(name, keys, options);
      const imported: Value[] = [];
      for (const piece of workflows) {
        const answer = await rota.import(piece, how, options);
        imported.push(...((answer['imported'] ?? []) as readonly Value[]));
      }
      const would = how.dryRun ? 'would be ' : '';
      there.show(
        [
          `${imported.length} workflows and ${definitions.length} definitions ${would}imported`,
          ...imported.map(({ id, was }) => (was === undefined ? String(id) : `${was} -> ${id}`)),
        ].join('\n'),
        { imported, definitions: definitions.length },
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

/** The definitions of a file, and its workflows, each with its head and its end. What cannot be read is for the server to complain about. */
function piecesOf(text: string): {
  readonly definitions: readonly { readonly name: string; readonly keys: Value }[];
  readonly workflows: readonly string[];
} {
  const definitions: { name: string; keys: Value }[] = [];
  const workflows: string[] = [];
  let piece: string[] = [];
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    if (line.startsWith('{"rota_definition":')) {
      const shown = JSON.parse(line) as Value;
      const keys = Object.fromEntries(Object.entries(shown).filter(([key]) => !NO_KEYS.has(key)));
      definitions.push({ name: String(shown['name']), keys });
      continue;
    }
    piece.push(line);
    if (!line.startsWith('{"kind":"end"')) continue;
    workflows.push(`${piece.join('\n')}\n`);
    piece = [];
  }
  if (piece.length > 0) workflows.push(piece.join('\n'));
  if (definitions.length + workflows.length === 0) throw new UsageError('There is nothing in it');
  return { definitions, workflows };
}
