import { setTimeout as pause } from 'node:timers/promises';
import { type CommandSpec, EXIT, UsageError } from '../command.ts';
import { numberFlag, remote, remoteFlags, type There, textFlag } from './remote.ts';
import { cell, fieldFlags, fieldsOf, given, lineOf, pairsOf, type Value } from './values.ts';

/* `rota batch …`: one thing done to many workflows. */

const ACTIONS = ['cancel', 'kill', 'pause', 'resume', 'replay', 'redeliver', 'proceed'] as const;
const USAGE = `Say one of
  rota batch ${ACTIONS.join('|')} --filter name=value … | --all [--reason text] [--rate n] [--dry-run] [--follow]
  rota batch list
  rota batch show <batch_id> [--follow]
  rota batch items <batch_id>
  rota batch stop <batch_id>`;
const LOOK_MS = 500;

export const batchCommands: Readonly<Record<string, CommandSpec>> = {
  batch: {
    usage: `rota batch ${ACTIONS.join('|')} --filter k=v … | --all [--reason text] [--rate n] [--dry-run] [--follow]; rota batch list | show | items | stop <batch_id>`,
    about: 'one thing done to many workflows',
    words: [1, 2],
    verbs: [...ACTIONS, 'list', 'show', 'items', 'stop'],
    flags: {
      ...remoteFlags,
      ...fieldFlags,
      filter: { type: 'string', multiple: true },
      all: { type: 'boolean' },
      reason: { type: 'string' },
      rate: { type: 'string' },
      'dry-run': { type: 'boolean' },
      follow: { type: 'boolean' },
      limit: { type: 'string' },
    },
    run: remote(async ([verb = '', id], there) => {
      const { rota, options } = there;
      const wantsId = ['show', 'items', 'stop'].includes(verb);
      if ((id !== undefined) !== wantsId) throw new UsageError(USAGE);
      switch (verb) {
        case 'list':
          await there.list(rota.batches.list({}, options), lineOf('id', 'state', 'action', 'total', 'done', 'failed'));
          return EXIT.done;
        case 'show':
          return followed(await rota.batches.get(id ?? '', options), there);
        case 'items':
          await there.list(
            rota.batches.items(id ?? '', {}, options),
            lineOf('workflow_id', 'object', 'outcome', 'code', 'message'),
          );
          return EXIT.done;
        case 'stop':
          await rota.batches.stop(id ?? '', {}, options);
          there.done();
          return EXIT.done;
        default:
          return begin(verb, there);
      }
    }),
  },
};

async function begin(action: string, there: There): Promise<number> {
  if (!ACTIONS.some((one) => one === action)) throw new UsageError(USAGE);
  const { rota, options, flags } = there;
  const filter = pairsOf(flags, 'filter');
  const isAll = flags['all'] === true;
  if (isAll === Object.keys(filter).length > 0) throw new UsageError('Say which: --filter name=value, or --all');
  const fields = fieldsOf(flags);
  const isDry = flags['dry-run'] === true;
  const body = given({
    action,
    filter: isAll ? { all: true } : filter,
    params: fields === undefined ? undefined : { fields },
    reason: textFlag(flags, 'reason'),
    rate: numberFlag(flags, 'rate'),
    dry_run: isDry ? true : undefined,
  });
  const batch = await rota.batches.create(body, options);
  if (!isDry) return followed(batch, there);
  const { matches, at_least: atLeast } = batch;
  there.show(matches === undefined ? `at least ${cell(atLeast)} match` : `${cell(matches)} match`, batch);
  return EXIT.done;
}

/** Shows a batch; with --follow again and again until it is over. Exit 1 when something of it failed. */
async function followed(batch: Value, there: There): Promise<number> {
  let now = batch;
  there.show(countsOf(now), now);
  while (there.flags['follow'] === true && ['collecting', 'running'].includes(String(now['state']))) {
    await pause(LOOK_MS, undefined, there.options.signal === undefined ? {} : { signal: there.options.signal });
    now = await there.rota.batches.get(String(now['id']), there.options);
    there.show(countsOf(now), now);
  }
  return now['state'] === 'failed' || Number(now['failed'] ?? 0) > 0 ? EXIT.refused : EXIT.done;
}

const countsOf = (batch: Value): string =>
  [
    batch['id'],
    batch['state'],
    ...['total', 'done', 'failed', 'skipped', 'left'].map((name) => `${name} ${cell(batch[name])}`),
  ].join('  ');
