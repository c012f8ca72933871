import process from 'node:process';
import { type CommandSpec, EXIT, UsageError } from '../command.ts';
import { remote, remoteFlags } from './remote.ts';
import { cell, readText, type Value } from './values.ts';

/* `rota export`, `rota import`: workflows and definitions that move from one server to another. */

export const movingCommands: Readonly<Record<string, CommandSpec>> = {
  export: {
    usage: 'rota export <id>… | --all [--definitions]',
    about: 'workflows as lines of JSON, to be imported elsewhere',
    words: [0, 1_000],
    flags: { ...remoteFlags, all: { type: 'boolean' }, definitions: { type: 'boolean' } },
    run: remote(async (ids, { rota, options, flags }) => {
      const isAll = flags['all'] === true;
      if (isAll === ids.length > 0) throw new UsageError('Say which workflows: their ids, or --all');
      const query = flags['definitions'] === true ? { definitions: 1 } : {};
      const one = async (id: string): Promise<void> => {
        const where = `/v1/workflows/${encodeURIComponent(id)}/export`;
        process.stdout.write(String(await rota.request('GET', where, { query }, options)));
      };
      if (isAll) for await (const { id } of rota.list({ limit: 1_000 }, options)) await one(id);
      else for (const id of ids) await one(id);
      return EXIT.done;
    }),
  },
  import: {
    usage: 'rota import <file> [--new-ids] [--dry-run]',
    about: 'take workflows that were exported',
    words: [1, 1],
    flags: { ...remoteFlags, 'new-ids': { type: 'boolean' }, 'dry-run': { type: 'boolean' } },
    run: remote(async ([file = ''], there) => {
      const { rota, options, flags } = there;
      const query = {
        new_ids: flags['new-ids'] === true ? 1 : undefined,
        dry_run: flags['dry-run'] === true ? 1 : undefined,
      };
      const asked = { body: readText(file), query, headers: { 'Content-Type': 'application/x-ndjson' } };
      const answer: Value = await rota.request('POST', '/v1/import', asked, options);
      const { imported, definitions } = answer;
      const count = (value: unknown): string => (Array.isArray(value) ? String(value.length) : cell(value));
      there.show(`${count(imported)} workflows, ${count(definitions)} definitions`, answer);
      return EXIT.done;
    }),
  },
};
