import { type CommandSpec, EXIT, type FlagKinds, UsageError } from '../command.ts';
import { remote, remoteFlags, type There, textFlag } from './remote.ts';
import { given, lineOf, readObject, type Value } from './values.ts';

/* What a server keeps beside workflows, each a list with a few things to do: schedules, participants, subscriptions, secrets. */

type Verb = {
  /** What stands behind the verb, such as `<id>`. */
  readonly takes: readonly string[];
  readonly run: (words: readonly string[], there: There) => Promise<void>;
};

/** A command with verbs; without one it lists. */
function family(
  name: string,
  about: string,
  flags: FlagKinds,
  verbs: Readonly<Record<string, Verb>>,
  hints: Readonly<Record<string, string>> = {},
): CommandSpec {
  const usages = Object.entries(verbs).map(([verb, { takes }]) =>
    ['rota', name, verb, ...takes, hints[verb] ?? ''].join(' ').trimEnd(),
  );
  return {
    usage: `rota ${name} [list] | ${Object.entries(verbs)
      .filter(([verb]) => verb !== 'list')
      .map(([verb, { takes }]) => [verb, ...takes].join(' '))
      .join(' | ')}`,
    about,
    words: [0, 4],
    verbs: Object.keys(verbs),
    flags: { ...remoteFlags, limit: { type: 'string' }, ...flags },
    run: remote(async ([word = 'list', ...words], there) => {
      const verb = Object.hasOwn(verbs, word) ? verbs[word] : undefined;
      if (verb === undefined || verb.takes.length !== words.length)
        throw new UsageError(`Say one of\n  ${usages.join('\n  ')}`);
      await verb.run(words, there);
      return EXIT.done;
    }),
  };
}

const showValue = (there: There, value: unknown): void => there.show(JSON.stringify(value, null, 2), value);
const reasonOf = ({ flags }: There): { readonly reason?: string } => given({ reason: textFlag(flags, 'reason') });
/** What --file holds. */
const specOf = (there: There): Value | undefined => {
  const file = textFlag(there.flags, 'file');
  return file === undefined ? undefined : readObject(`@${file}`, '--file');
};
const needed = <Given>(value: Given | undefined, what: string): Given => {
  if (value === undefined) throw new UsageError(`Say ${what}`);
  return value;
};
const FILE = { file: { type: 'string' } } as const;
const REASON = { reason: { type: 'string' } } as const;

export const registryCommands: Readonly<Record<string, CommandSpec>> = {
  schedules: family(
    'schedules',
    'when definitions start by themselves',
    { ...REASON, definition: { type: 'string' }, from: { type: 'string' }, to: { type: 'string' } },
    {
      list: {
        takes: [],
        run: (_words, there) =>
          there.list(
            there.rota.schedules.list({ definition: textFlag(there.flags, 'definition') }, there.options),
            lineOf('id', 'next_at', 'paused', 'definition', 'version'),
          ),
      },
      show: {
        takes: ['<id>'],
        run: async ([id = ''], there) => showValue(there, await there.rota.schedules.get(id, there.options)),
      },
      pause: {
        takes: ['<id>'],
        run: async ([id = ''], there) => {
          await there.rota.schedules.pause(id, reasonOf(there), there.options);
          there.done();
        },
      },
      resume: {
        takes: ['<id>'],
        run: async ([id = ''], there) => {
          await there.rota.schedules.resume(id, reasonOf(there), there.options);
          there.done();
        },
      },
      run: {
        takes: ['<id>'],
        run: async ([id = ''], there) => {
          const launched = await there.rota.schedules.run(id, {}, there.options);
          there.show(String(launched['id']), launched);
        },
      },
      backfill: {
        takes: ['<id>'],
        run: async ([id = ''], there) => {
          const from = needed(textFlag(there.flags, 'from'), '--from and --to: times such as 2026-03-01T00:00:00Z');
          const to = needed(textFlag(there.flags, 'to'), '--to: a time such as 2026-03-08T00:00:00Z');
          const answer = await there.rota.schedules.backfill(id, { from, to }, there.options);
          there.show(`${answer['count']} are started`, answer);
        },
      },
    },
    { list: '[--definition name]', backfill: '--from time --to time' },
  ),
  participants: family(
    'participants',
    'where participants are, for workflows that do not say it themselves',
    { ...FILE, callback: { type: 'string' } },
    {
      list: {
        takes: [],
        run: (_words, there) =>
          there.list(there.rota.participants.list({}, there.options), (one) =>
            lineOf('name', 'kind', 'enabled', 'url', 'description')({ enabled: true, ...one }),
          ),
      },
      show: {
        takes: ['<name>'],
        run: async ([name = ''], there) => showValue(there, await there.rota.participants.get(name, there.options)),
      },
      put: {
        takes: ['<name>'],
        run: async ([name = ''], there) => {
          const spec = { ...specOf(there), ...given({ url: textFlag(there.flags, 'callback') }) };
          showValue(there, await there.rota.participants.put(name, spec, there.options));
        },
      },
      delete: {
        takes: ['<name>'],
        run: async ([name = ''], there) => {
          await there.rota.participants.delete(name, there.options);
          there.done();
        },
      },
    },
    { put: '--callback URL | --file participant.json' },
  ),
  subscriptions: family(
    'subscriptions',
    'who is told what happens to workflows',
    {
      ...FILE,
      target: { type: 'string' },
      events: { type: 'string' },
      state: { type: 'string' },
      enable: { type: 'boolean' },
      disable: { type: 'boolean' },
    },
    {
      list: {
        takes: [],
        run: (_words, there) =>
          there.list(
            there.rota.subscriptions.list({}, there.options),
            lineOf('id', 'enabled', 'url', 'events', 'disabled_reason'),
          ),
      },
      show: {
        takes: ['<id>'],
        run: async ([id = ''], there) => showValue(there, await there.rota.subscriptions.get(id, there.options)),
      },
      create: {
        takes: [],
        run: async (_words, there) => {
          const spec = { ...specOf(there), ...changesOf(there) };
          const url = needed(typeof spec['url'] === 'string' ? spec['url'] : undefined, '--target URL, or --file');
          const made = await there.rota.subscriptions.create({ ...spec, url }, there.options);
          there.show(String(made['id']), made);
        },
      },
      update: {
        takes: ['<id>'],
        run: async ([id = ''], there) => {
          const changes = { ...specOf(there), ...changesOf(there) };
          showValue(there, await there.rota.subscriptions.patch(id, changes, there.options));
        },
      },
      delete: {
        takes: ['<id>'],
        run: async ([id = ''], there) => {
          await there.rota.subscriptions.delete(id, there.options);
          there.done();
        },
      },
      test: {
        takes: ['<id>'],
        run: async ([id = ''], there) => {
          await there.rota.subscriptions.test(id, {}, there.options);
          there.done();
        },
      },
      deliveries: {
        takes: ['<id>'],
        run: ([id = ''], there) =>
          there.list(
            there.rota.subscriptions.deliveries(id, { state: textFlag(there.flags, 'state') }, there.options),
            lineOf('id', 'state', 'tries', 'type', 'workflow_id', 'next_at'),
          ),
      },
      redeliver: {
        takes: ['<id>'],
        run: async ([id = ''], there) => {
          // One way to say which, never two.
          const which = specOf(there) ?? { state: 'spent' };
          const answer = await there.rota.subscriptions.redeliver(id, which, there.options);
          there.show(`${answer['count']} are sent again`, answer);
        },
      },
    },
    {
      create: '--target URL [--events workflow.*,…] | --file subscription.json',
      update: '[--target URL] [--events …] [--enable|--disable] [--file changes.json]',
      deliveries: '[--state owed|failing|delivered|spent]',
      redeliver: '[--file ids.json]',
    },
  ),
  secrets: family(
    'secrets',
    'what messages to participants are signed with',
    { ...REASON, match: { type: 'string' }, type: { type: 'string' }, overlap: { type: 'string' } },
    {
      list: {
        takes: [],
        run: (_words, there) =>
          there.list(there.rota.secrets.list({}, there.options), lineOf('id', 'kind', 'type', 'match', 'created_at')),
      },
      show: {
        takes: ['<id>'],
        run: async ([id = ''], there) => showValue(there, await there.rota.secrets.get(id, there.options)),
      },
      create: {
        takes: [],
        run: async (_words, there) => {
          const body = given({
            kind: 'webhook',
            match: textFlag(there.flags, 'match'),
            type: textFlag(there.flags, 'type'),
          });
          const made = await there.rota.secrets.create(body, there.options);
          there.show(String(made['secret'] ?? made['public_key']), made);
        },
      },
      reveal: {
        takes: ['<id>'],
        run: async ([id = ''], there) => {
          const shown = await there.rota.secrets.reveal(id, reasonOf(there), there.options);
          there.show(String(shown['secret'] ?? shown['public_key']), shown);
        },
      },
      rotate: {
        takes: ['<id>'],
        run: async ([id = ''], there) => {
          const overlap = textFlag(there.flags, 'overlap');
          const body = given({ overlap_seconds: overlap === undefined ? undefined : secondsOf(overlap) });
          showValue(there, await there.rota.secrets.rotate(id, body, there.options));
        },
      },
      revoke: {
        takes: ['<id>'],
        run: async ([id = ''], there) => {
          await there.rota.secrets.revoke(id, reasonOf(there), there.options);
          there.done();
        },
      },
    },
    { create: '[--match URL] [--type v1|v1a]', rotate: '[--overlap 1d]' },
  ),
};

function changesOf({ flags }: There): Value {
  const isEnabled = flags['enable'] === true ? true : flags['disable'] === true ? false : undefined;
  const events = textFlag(flags, 'events');
  return given({ url: textFlag(flags, 'target'), events: events?.split(','), enabled: isEnabled });
}

const UNIT_SECONDS: ReadonlyMap<string, number> = new Map([
  ['s', 1],
  ['m', 60],
  ['h', 3600],
  ['d', 86_400],
]);

function secondsOf(text: string): number {
  const [, count, unit = ''] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const seconds = UNIT_SECONDS.get(unit);
  if (count === undefined || seconds === undefined)
    throw new UsageError('--overlap is a number and a unit: 1d, 12h, 0s');
  return Number(count) * seconds;
}
