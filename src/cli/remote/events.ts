import type { CloudEvent } from '../../client/index.ts';
import { type CommandSpec, EXIT, UsageError } from '../command.ts';
import { remote, remoteFlags, textFlag } from './remote.ts';
import { fieldFlags, fieldsOf, given, lineOf, readJson, readObject, readText } from './values.ts';

/* `rota message`, `rota events …`, `rota waits`: what comes in, and who waits for it. */

const USAGE = `Say one of
  rota events send --type t --source s [--data json] [--subject s] [--id i]
  rota events send --file events.json
  rota events list [--state kept] [--type t] [--key k] [--source s] [--limit 100]
  rota events show <event_id>
  rota events redeliver <event_id> [--start]`;

export const eventCommands: Readonly<Record<string, CommandSpec>> = {
  message: {
    usage: 'rota message <id> <name> [--data json] [--field k=text …]',
    about: 'send a message to one workflow',
    words: [2, 2],
    flags: { ...remoteFlags, ...fieldFlags, data: { type: 'string' } },
    run: remote(async ([id = '', name = ''], there) => {
      const data = textFlag(there.flags, 'data');
      const body = { ...(data === undefined ? {} : readObject(data, '--data')), ...fieldsOf(there.flags) };
      const answer = await there.rota.message(id, name, body, there.options);
      there.show(JSON.stringify(answer), answer);
      return EXIT.done;
    }),
  },
  events: {
    usage: 'rota events send | list | show <event_id> | redeliver <event_id>',
    about: 'events (CloudEvents) that come in',
    words: [1, 2],
    verbs: ['send', 'list', 'show', 'redeliver'],
    flags: {
      ...remoteFlags,
      type: { type: 'string' },
      source: { type: 'string' },
      data: { type: 'string' },
      subject: { type: 'string' },
      id: { type: 'string' },
      file: { type: 'string' },
      state: { type: 'string' },
      key: { type: 'string' },
      limit: { type: 'string' },
      start: { type: 'boolean' },
    },
    run: remote(async ([verb = '', id], there) => {
      const { rota, options, flags } = there;
      const wantsId = verb === 'show' || verb === 'redeliver';
      if ((id !== undefined) !== wantsId) throw new UsageError(USAGE);
      switch (verb) {
        case 'send': {
          const file = textFlag(flags, 'file');
          const event =
            file === undefined ? eventOf(flags) : (readJson(readText(file), file) as CloudEvent | CloudEvent[]);
          const answer = Array.isArray(event) ? await rota.send(event, options) : await rota.send(event, options);
          // One of several is a line of its own, as in every list.
          if (Array.isArray(answer)) for (const one of answer) there.show(JSON.stringify(one), one);
          else there.show(JSON.stringify(answer), answer);
          return EXIT.done;
        }
        case 'list': {
          const filter = given({
            state: textFlag(flags, 'state'),
            type: textFlag(flags, 'type'),
            key: textFlag(flags, 'key'),
            source: textFlag(flags, 'source'),
          });
          const line = lineOf('event_id', 'state', 'received_at', 'type', 'key', 'source', 'id');
          await there.list(rota.received.list(filter as Readonly<Record<string, string>>, options), line);
          return EXIT.done;
        }
        case 'show': {
          const event = await rota.received.get(id ?? '', options);
          there.show(JSON.stringify(event, null, 2), event);
          return EXIT.done;
        }
        case 'redeliver': {
          const body = flags['start'] === true ? { start: true } : {};
          const answer = await rota.received.redeliver(id ?? '', body, options);
          there.show(JSON.stringify(answer), answer);
          return EXIT.done;
        }
        default:
          throw new UsageError(USAGE);
      }
    }),
  },
  waits: {
    usage: 'rota waits [--type t] [--key k] [--workflow id] [--limit 100]',
    about: 'who waits for which event',
    words: [0, 0],
    flags: {
      ...remoteFlags,
      type: { type: 'string' },
      key: { type: 'string' },
      workflow: { type: 'string' },
      limit: { type: 'string' },
    },
    run: remote(async (_words, there) => {
      const { flags } = there;
      const filter = {
        type: textFlag(flags, 'type'),
        key: textFlag(flags, 'key'),
        workflow_id: textFlag(flags, 'workflow'),
      };
      const line = lineOf('workflow_id', 'expid', 'type', 'key', 'since', 'timeout_at');
      await there.list(there.rota.waits.list(filter, there.options), line);
      return EXIT.done;
    }),
  },
};

function eventOf(flags: Parameters<typeof textFlag>[0]): CloudEvent {
  const [type, source] = [textFlag(flags, 'type'), textFlag(flags, 'source')];
  if (type === undefined || source === undefined) throw new UsageError('Say --type and --source, or --file');
  const data = textFlag(flags, 'data');
  return {
    type,
    source,
    ...given({
      id: textFlag(flags, 'id'),
      subject: textFlag(flags, 'subject'),
      data: data === undefined ? undefined : readJson(data, '--data'),
    }),
  };
}
