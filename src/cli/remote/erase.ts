import { type CommandSpec, EXIT, UsageError } from '../command.ts';
import { remote, remoteFlags, textFlag } from './remote.ts';
import { given } from './values.ts';

type Told = {
  readonly workflows: readonly string[];
  readonly erased: object;
  readonly kept: object;
  readonly not_reached: readonly string[];
  readonly next_cursor: string | null;
};

const USAGE = `Say one of
  rota erase <workflow_id> [--reason why]
  rota erase --value <text> [--replacement <text>] [--within] [--dry-run] [--reason why]`;

const listed = (rows: object): string =>
  Object.entries(rows)
    .map(([place, n]) => `${n} ${place}`)
    .join(', ') || 'none';

/** `rota erase`: a workflow that is over, or a value wherever workflows keep it; goes on until all of them were looked through. */
export const eraseCommands: Readonly<Record<string, CommandSpec>> = {
  erase: {
    usage: 'rota erase <workflow_id> | rota erase --value <text> [--within] [--dry-run]',
    about: 'erase a workflow that is over, or a value (a person’s address, say) in all of them',
    words: [0, 1],
    flags: {
      ...remoteFlags,
      value: { type: 'string' },
      replacement: { type: 'string' },
      within: { type: 'boolean' },
      'dry-run': { type: 'boolean' },
      reason: { type: 'string' },
    },
    run: remote(async ([id], there) => {
      const { rota, flags, options } = there;
      const value = textFlag(flags, 'value');
      if ((id === undefined) === (value === undefined)) throw new UsageError(USAGE);
      const reason = given({ reason: textFlag(flags, 'reason') });
      const tell = (rows: Told['erased'], notReached: readonly string[], whole: object): typeof EXIT.done => {
        there.show(`rows: ${listed(rows)}`, whole);
        for (const sentence of notReached) there.note(`not reached: ${sentence}`);
        return EXIT.done;
      };
      if (id !== undefined) {
        const path = `/v1/workflows/${encodeURIComponent(id)}/erase`;
        const told = await rota.request<Told>('POST', path, { body: reason }, options);
        return tell(told.erased, told.not_reached, told);
      }
      const body = {
        ...{ value: value ?? '', within: flags['within'] === true, dry_run: flags['dry-run'] === true, ...reason },
        ...given({ replacement: textFlag(flags, 'replacement') }),
      };
      const workflows: string[] = [];
      const found = new Map<string, number>();
      let told: Told | null = null;
      do {
        const more: { cursor?: string } = told === null ? {} : { cursor: told.next_cursor ?? '' };
        told = await rota.request<Told>('POST', '/v1/erasures', { body: { ...body, ...more } }, options);
        workflows.push(...told.workflows);
        for (const [place, n] of Object.entries(told.erased) as [string, number][])
          found.set(place, (found.get(place) ?? 0) + n);
      } while (told.next_cursor !== null);
      if (!there.isJson) for (const workflow of workflows) there.show(workflow, workflow);
      if (Object.keys(told.kept).length > 0) there.note(`left, for things are known by it: ${listed(told.kept)}`);
      const rows = Object.fromEntries(found);
      return tell(rows, told.not_reached, { ...told, workflows, erased: rows });
    }),
  },
};
