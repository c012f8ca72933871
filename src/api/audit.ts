import { randomDigits } from '../identity/key-text.ts';
import type { Principal } from '../identity/principal.ts';
import { EVERY_TENANT } from '../identity/secrets.ts';
import type { Json, JsonObject } from '../model/json.ts';
import { storable } from '../model/storable.ts';
import { cut } from '../model/text.ts';
import type { Log } from '../runtime/log.ts';
import type { ProcessTime } from '../runtime/process-time.ts';
import type { Store } from '../store/store.ts';
import type { Audited, Call, Operation, Reply } from './operation.ts';
import { problemFor } from './problem.ts';

/*
 * What was done to the server, and by whom; of what happens to workflows their history tells. Each thing has a row before it is done, which
 * says afterwards what came of it, so nothing was done without one. What strangers can make happen as often as they like is gathered: a row
 * for each of them and minute.
 */

export type Auditing = {
  /** Does what a handler does, with a row about it. */
  record(action: Audited, call: Call, handle: () => Reply | Promise<Reply>): Promise<Reply>;
  /** Writes a row about something that is done. */
  write(entry: Entry & { readonly outcome: string }): Promise<void>;
  /** Counts something that was refused. */
  gather(entry: Omit<Entry, 'reason'>, why: string): void;
  /** Writes what was gathered. */
  stop(): Promise<void>;
};

export type Entry = {
  /** `*`: of none. */
  readonly tenant: string;
  readonly actor: string | null;
  readonly address: string | null;
  readonly action: string;
  readonly object: string | null;
  readonly reason: string | null;
  readonly details: JsonObject;
};

/** Rows that one minute of one node may have of what was refused; what is beyond is one more row. */
export const GATHERED_MAX = 100;
export const GATHER_MS = 60_000;
/** Reasons that are told in a row about several refusals. */
const REASONS_MAX = 5;

export function makeAuditing(parts: {
  readonly store: Pick<Store, 'audit'>;
  readonly time: ProcessTime;
  readonly log: Log;
}): Auditing {
  const { store, time, log } = parts;
  type Gathered = { readonly entry: Omit<Entry, 'reason'>; readonly reasons: Set<string>; times: number };
  let gathered = new Map<string, Gathered>();
  let cancel: (() => void) | null = null;
  let writing: Promise<void> = Promise.resolve();

  async function add({ details, ...entry }: Entry & { readonly outcome: string }): Promise<string> {
    const id = randomDigits(16);
    await store.audit.add({ ...entry, id, details: JSON.stringify(details) });
    return id;
  }

  function flush(): Promise<void> {
    cancel?.();
    cancel = null;
    const all = [...gathered.values()];
    gathered = new Map();
    writing = writing.then(async () => {
      for (const { entry, reasons, times } of all) {
        const details = { ...entry.details, times, reasons: [...reasons] };
        await add({ ...entry, reason: null, outcome: 'refused', details });
      }
    });
    writing = writing.catch((err: unknown) =>
      log.warn('what was refused could not be written into the audit', {
        event: 'audit.failed',
        rows: all.length,
        err,
      }),
    );
    return writing;
  }

  return {
    record: async ({ action, details }, call, handle) => {
      const { tenant, actor } = call.principal;
      const { address, reason } = call;
      const named = Object.entries(call.params).find(([name]) => name.endsWith('_id'))?.[1] ?? null;
      const object = named === null ? null : cut(storable(named), OBJECT_LENGTH_MAX);
      const told = { tenant, actor, address, action, object, reason, details: details?.(call) ?? {} };
      const id = await add({ ...told, outcome: 'asked' });
      try {
        const reply = await handle();
        await store.audit.settle(id, { object: object ?? idIn(reply), outcome: 'done' });
        return reply;
      } catch (thrown) {
        const { body } = problemFor(thrown, call.requestId, false);
        await store.audit.settle(id, { object, outcome: String(body['code']) });
        throw thrown;
      }
    },
    write: async (entry) => void (await add(entry)),
    gather: (entry, why) => {
      const { tenant, actor, address, action, object } = entry;
      const own = JSON.stringify([tenant, actor, address, action, object]);
      const isRoom = gathered.has(own) || gathered.size < GATHERED_MAX;
      const key = isRoom ? own : '';
      const others = { tenant: EVERY_TENANT, actor: null, address: null, action: 'others', object: null, details: {} };
      const one = gathered.get(key) ?? { entry: isRoom ? entry : others, reasons: new Set(), times: 0 };
      one.times += 1;
      if (one.reasons.size < REASONS_MAX) one.reasons.add(why);
      gathered.set(key, one);
      cancel ??= time.after(GATHER_MS, () => void flush());
    },
    stop: flush,
  };
}

/** Longest name of a thing that is told: what came in a path may be anything. */
const OBJECT_LENGTH_MAX = 200;

/** The id of what was made. */
function idIn(reply: Reply): string | null {
  if (reply.kind !== 'text' || reply.type !== 'application/json') return null;
  const { id } = JSON.parse(reply.text) as { readonly id?: unknown };
  return typeof id === 'string' ? id : null;
}

/** Some members of a body, as they came. */
export const told = (body: JsonObject, ...names: readonly string[]): JsonObject =>
  Object.fromEntries(names.filter((name) => Object.hasOwn(body, name)).map((name) => [name, body[name] as Json]));

/** An operation that leaves a row each time somebody calls it, where it is one of those. */
export function audited(operation: Operation, auditing: Pick<Auditing, 'record'>): Operation {
  const { audit, handle } = operation;
  return audit === undefined
    ? operation
    : { ...operation, handle: (call) => auditing.record(audit, call, () => handle(call)) };
}

/** Somebody whose credentials were not good. */
export const badLogin = (address: string | null): Omit<Entry, 'reason'> => ({
  tenant: EVERY_TENANT,
  actor: null,
  address,
  action: 'login.refused',
  object: null,
  details: {},
});

/** Somebody who asked for what they may not do. */
export const badScope = (
  principal: Principal,
  address: string | null,
  operation: Operation,
): Omit<Entry, 'reason'> => ({
  tenant: principal.tenant,
  actor: principal.actor,
  address,
  action: 'scope.refused',
  object: operation.id,
  details: {},
});
