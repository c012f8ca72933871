import { statSync } from 'node:fs';
import type { CallOptions, Entry, Rota } from '../../client/index.ts';
import { RotaError } from '../../client/index.ts';
import { painted, paintedStatus } from '../colour.ts';
import { type CommandSpec, EXIT, UsageError } from '../command.ts';
import type { Flags } from '../settings.ts';
import { complain, exitOf, limitOf, remote, remoteFlags, type There, textFlag, textFlags } from './remote.ts';
import { type Branch, treeLines } from './tree.ts';
import { cell, fieldFlags, fieldsOf, given, readJson, readText, type Value } from './values.ts';

/* `rota launch`, and what is done with workflows and workitems once they are there. */

const PAGE_MAX = 1_000;

export const workflowCommands: Readonly<Record<string, CommandSpec>> = {
  launch: {
    usage:
      'rota launch <file|name[@version]> [--callback URL | --callback name=URL …] [--field k=text|k:=json …] [--fields @file.json] [--business-key k] [--notify URL] [--strict] [--wait]',
    about: 'launch a definition from a file, or a stored one by its name',
    words: [1, 1],
    flags: {
      ...remoteFlags,
      ...fieldFlags,
      callback: { type: 'string', multiple: true },
      'business-key': { type: 'string' },
      notify: { type: 'string' },
      strict: { type: 'boolean' },
      wait: { type: 'boolean' },
    },
    run: remote(async ([what = ''], there) => {
      const { rota, options, flags } = there;
      const body = given({
        ...callbacksOf(textFlags(flags, 'callback')),
        fields: fieldsOf(flags),
        business_key: textFlag(flags, 'business-key'),
        notify: textFlag(flags, 'notify'),
        strict: flags['strict'] === true ? true : undefined,
      });
      // A folder may be called as a definition is.
      const isFile = what === '-' || statSync(what, { throwIfNoEntry: false })?.isFile() === true;
      const launched = isFile
        ? await rota.launch({ ...addressed(body), workflow: readText(what) }, options)
        : await rota.run(what, body, options);
      for (const { message } of launched.warnings ?? []) there.note(`warning: ${message}`);
      if (flags['wait'] !== true) {
        there.show(launched.id, launched);
        return EXIT.done;
      }
      there.note(launched.id);
      return waitFor(launched.id, there);
    }),
  },
  wait: {
    usage: 'rota wait <id>',
    about: 'wait until a workflow is over, or in error; exit 0 when it is completed',
    words: [1, 1],
    flags: remoteFlags,
    run: remote(([id = ''], there) => waitFor(id, there)),
  },
  list: {
    usage: 'rota list [--status s] [--name n] [--tag t] [--business-key k] [--where path=value …] [--limit 100]',
    about: 'workflows, the newest first',
    words: [0, 0],
    flags: {
      ...remoteFlags,
      status: { type: 'string' },
      name: { type: 'string' },
      tag: { type: 'string' },
      'business-key': { type: 'string' },
      where: { type: 'string', multiple: true },
      limit: { type: 'string' },
    },
    run: remote(async (_words, there) => {
      const { rota, options, flags } = there;
      const where = textFlags(flags, 'where').map((one) => {
        const at = one.indexOf('=');
        if (at < 1) throw new UsageError(`--where ${one} must be path=value`);
        return [`field.${one.slice(0, at)}`, one.slice(at + 1)] as const;
      });
      const filter = {
        limit: Math.min(limitOf(flags) + 1, PAGE_MAX),
        status: textFlag(flags, 'status'),
        name: textFlag(flags, 'name'),
        tag: textFlag(flags, 'tag'),
        business_key: textFlag(flags, 'business-key'),
        ...Object.fromEntries(where),
      };
      await there.list(rota.list(filter, options), ({ id, status, name, launched_at }) =>
        [id, paintedStatus(status.padEnd(10)), launched_at, name ?? '-'].join('  '),
      );
      return EXIT.done;
    }),
  },
  show: {
    usage: 'rota show <id>',
    about: 'how a workflow stands: its errors, and its tree with what is live',
    words: [1, 1],
    flags: remoteFlags,
    run: remote(async ([id = ''], there) => {
      const workflow = await there.rota.show(id, there.options);
      there.show(await standing(workflow, there.rota, there.options), workflow);
      return EXIT.done;
    }),
  },
  tail: {
    usage: 'rota tail [id] [--after n] [--kinds workflow.*,workitem.opened]',
    about: 'what happens, as it happens; of one workflow until it is over',
    words: [0, 1],
    flags: { ...remoteFlags, after: { type: 'string' }, kinds: { type: 'string' } },
    run: remote(async ([id], { rota, flags, options, isJson }) => {
      const watching = { after: textFlag(flags, 'after'), kinds: textFlag(flags, 'kinds') };
      for await (const entry of rota.events(id, watching, options))
        console.log(isJson ? JSON.stringify(entry) : entryLine(entry, id === undefined));
      return EXIT.done;
    }),
  },
  history: {
    usage: 'rota history <id> [--order desc] [--kinds …] [--limit 100]',
    about: 'what a workflow has been through',
    words: [1, 1],
    flags: { ...remoteFlags, order: { type: 'string' }, kinds: { type: 'string' }, limit: { type: 'string' } },
    run: remote(async ([id = ''], there) => {
      const filter = { order: textFlag(there.flags, 'order'), kinds: textFlag(there.flags, 'kinds') };
      const entries = there.rota.history(id, filter, there.options);
      await there.list(entries, (entry) => entryLine({ workflow_id: id, ...entry }, false));
      return EXIT.done;
    }),
  },
  proceed: {
    usage: 'rota proceed <url|workitem> [--field k=text …]',
    about: 'hand a workitem back',
    words: [1, 1],
    flags: { ...remoteFlags, ...fieldFlags },
    run: remote(async ([it = ''], there) => {
      const fields = fieldsOf(there.flags);
      await there.rota.proceed(it, fields === undefined ? {} : { fields }, there.options);
      there.done();
      return EXIT.done;
    }),
  },
  fail: {
    usage: 'rota fail <url|workitem> --message text [--class name] [--retry]',
    about: 'give a workitem up',
    words: [1, 1],
    flags: {
      ...remoteFlags,
      message: { type: 'string' },
      class: { type: 'string' },
      retry: { type: 'boolean' },
    },
    run: remote(async ([it = ''], there) => {
      const { flags } = there;
      const message = textFlag(flags, 'message');
      if (message === undefined) throw new UsageError('Say --message: what went wrong');
      const more = given({ class: textFlag(flags, 'class'), retry: flags['retry'] === true ? true : undefined });
      await there.rota.fail(it, { message, ...more }, there.options);
      there.done();
      return EXIT.done;
    }),
  },
  redeliver: {
    usage: 'rota redeliver <workitem> [--reason text]',
    about: 'try the callback of a workitem now',
    words: [1, 1],
    flags: { ...remoteFlags, reason: { type: 'string' } },
    run: remote(async ([it = ''], there) => {
      await there.rota.workitems.redeliver(it, reasonOf(there.flags), there.options);
      there.done();
      return EXIT.done;
    }),
  },
  cancel: eachWorkflow(
    'cancel',
    'end workflows in order: participants are told, handlers run',
    (rota, id, body, options) => rota.cancel(id, body, options),
  ),
  kill: eachWorkflow(
    'kill',
    'end workflows at once: participants are told, no handlers run',
    (rota, id, body, options) => rota.kill(id, body, options),
  ),
  pause: eachWorkflow('pause', 'hold workflows', (rota, id, body, options) => rota.pause(id, body, options)),
  resume: eachWorkflow('resume', 'let workflows go on', (rota, id, body, options) => rota.resume(id, body, options)),
  retry: {
    usage: 'rota retry <id> [--from step] [--fork] [--field k=text …] [--reason text]',
    about: 'go on from a step, or from what is in error; with --fork as another workflow',
    words: [1, 1],
    flags: {
      ...{ ...remoteFlags, ...fieldFlags, from: { type: 'string' }, fork: { type: 'boolean' } },
      reason: { type: 'string' },
    },
    run: remote(async ([id = ''], there) => {
      const { flags } = there;
      const body = given({
        from: textFlag(flags, 'from'),
        fields: fieldsOf(flags),
        fork: flags['fork'] === true ? true : undefined,
        reason: textFlag(flags, 'reason'),
      });
      const told = await there.rota.retry(id, body, there.options);
      there.show(told.from === null ? told.id : `${told.id}  from ${told.from}`, told);
      return EXIT.done;
    }),
  },
  replay: {
    usage: 'rota replay <id> [expression] [--field k=text …] [--tree file] [--reason text]',
    about: 'try again what failed, with other fields or another tree',
    words: [1, 2],
    flags: { ...remoteFlags, ...fieldFlags, tree: { type: 'string' }, reason: { type: 'string' } },
    run: remote(async ([id = '', expression], there) => {
      const { flags } = there;
      const tree = textFlag(flags, 'tree');
      const body = given({
        expression,
        fields: fieldsOf(flags),
        tree: tree === undefined ? undefined : readJson(`@${tree}`, '--tree'),
        reason: textFlag(flags, 'reason'),
      });
      await there.rota.replay(id, body, there.options);
      there.done();
      return EXIT.done;
    }),
  },
  workitems: {
    usage: 'rota workitems [--participant p] [--workflow id] [--status open|failed] [--limit 100]',
    about: 'what waits for participants',
    words: [0, 0],
    flags: {
      ...remoteFlags,
      participant: { type: 'string' },
      workflow: { type: 'string' },
      status: { type: 'string' },
      limit: { type: 'string' },
    },
    run: remote(async (_words, there) => {
      const { flags } = there;
      const filter = {
        participant: textFlag(flags, 'participant'),
        workflow_id: textFlag(flags, 'workflow'),
        status: textFlag(flags, 'status'),
      };
      await there.list(there.rota.workitems.list(filter, there.options), ({ id, participant, status, opened_at }) =>
        [id, status, opened_at, participant].join('  '),
      );
      return EXIT.done;
    }),
  },
  errors: {
    usage: 'rota errors [--class c] [--participant p] [--limit 100]',
    about: 'what is in error and waits for somebody',
    words: [0, 0],
    flags: {
      ...remoteFlags,
      class: { type: 'string' },
      participant: { type: 'string' },
      limit: { type: 'string' },
    },
    run: remote(async (_words, there) => {
      const { flags } = there;
      const filter = { class: textFlag(flags, 'class'), participant: textFlag(flags, 'participant') };
      const line = (one: Value): string =>
        `${cell(one['workflow_id'])}  ${cell(one['expression_id'])}  ${cell(one['class'])}: ${cell(one['message'])}`;
      await there.list(there.rota.errors.list(filter, there.options), line);
      return EXIT.done;
    }),
  },
};

async function waitFor(id: string, there: There): Promise<number> {
  const workflow = await there.rota.wait(id, {}, there.options);
  const { status, fields, errors } = workflow;
  const outcome = [
    paintedStatus(status),
    ...errors.map((error) => `${error.expression_id}  ${error.class}: ${error.message}`),
    JSON.stringify(fields),
  ];
  there.show(outcome.join('\n'), workflow);
  return status === 'completed' ? EXIT.done : EXIT.refused;
}

/** One URL for all, or one for each name. */
function callbacksOf(given: readonly string[]): Value {
  const named = new Map<string, string>();
  let all: string | undefined;
  for (const one of given) {
    const [, name, url] = /^(.+?)=((?:https?:\/\/|svc:).*)$/s.exec(one) ?? [];
    if (/^(?:https?:\/\/|svc:)/.test(one)) all = one;
    else if (name !== undefined && url !== undefined) named.set(name, url);
    else throw new UsageError(`--callback ${one} must be a URL, or name=URL`);
  }
  const isNamed = named.size > 0;
  if (isNamed && all !== undefined) throw new UsageError('Say one --callback for all, or one for each name; not both');
  return {
    ...(isNamed ? { callbacks: Object.fromEntries(named) } : {}),
    ...(all === undefined ? {} : { callback: all }),
  };
}

/** A launch wants one of the two; where neither was said, no participant has an address of its own. */
const addressed = (body: Value): Value =>
  'callback' in body || 'callbacks' in body ? body : { ...body, callbacks: {} };

function eachWorkflow(
  verb: string,
  about: string,
  act: (rota: Rota, id: string, body: Value, options: CallOptions) => Promise<void>,
): CommandSpec {
  const isCancel = verb === 'cancel';
  return {
    usage: `rota ${verb} <id>… [--reason text]${isCancel ? ' [--compensate]' : ''}`,
    about,
    words: [1, PAGE_MAX],
    flags: {
      ...remoteFlags,
      reason: { type: 'string' },
      ...(isCancel ? { compensate: { type: 'boolean' } as const } : {}),
    },
    run: remote(async (ids, there) => {
      const body = { ...reasonOf(there.flags), ...(there.flags['compensate'] === true ? { compensate: true } : {}) };
      let worst: number = EXIT.done;
      // One that is refused is told, and the others are done all the same.
      for (const id of ids)
        try {
          await act(there.rota, id, body, there.options);
          there.done();
        } catch (error) {
          if (!(error instanceof RotaError)) throw error;
          complain(error);
          worst = Math.max(worst, exitOf(error));
        }
      return worst;
    }),
  };
}

const reasonOf = (flags: Flags): { readonly reason?: string } => {
  const reason = textFlag(flags, 'reason');
  return reason === undefined ? {} : { reason };
};

function entryLine(entry: Entry, isOfAll: boolean): string {
  const { n, at, kind, workflow_id, ...rest } = entry;
  const more = Object.entries(rest).map(([name, value]) => `${name}=${cell(value)}`);
  return [...(isOfAll ? [workflow_id] : []), n, at, kind, ...more].join(' ');
}

type Shown = Awaited<ReturnType<Rota['show']>>;

async function standing(workflow: Shown, rota: Rota, options: CallOptions): Promise<string> {
  const { id, name, status, launched_at, ended_at, tree, errors, workitems, timers } = workflow;
  const live = new Map(workflow.expressions.map((one) => [one.expid, one.state]));
  for (let cursor = workflow.expressions_cursor; cursor !== null; ) {
    const more: Shown = await rota.request(
      'GET',
      `/v1/workflows/${encodeURIComponent(id)}`,
      { query: { cursor } },
      options,
    );
    for (const one of more.expressions) live.set(one.expid, one.state);
    cursor = more.expressions_cursor;
  }
  const holders = new Map(workitems.map((one) => [one.expression_id.split('!')[0] ?? '', one.id]));
  return [
    `${id}  ${paintedStatus(status)}${name === null ? '' : `  ${name}`}`,
    `launched ${launched_at}${ended_at === null ? '' : `, over ${ended_at}`}`,
    ...errors.map((error) => `${painted('error', 'red')} ${error.expression_id}  ${error.class}: ${error.message}`),
    ...timers.map((timer) => `timer ${timer.due_at}  ${timer.action}  ${timer.expression_id}`),
    ...(tree === null ? [] : treeLines(tree as Branch, live, holders)),
  ].join('\n');
}
