import { setTimeout as pause } from 'node:timers/promises';
import { type Fields, type Rota, RotaError } from '../client/index.ts';
import type { Workitem } from '../client/types.ts';
import { storable } from '../model/storable.ts';
import { cut } from '../model/text.ts';
import type { Log } from '../runtime/log.ts';

/*
 * Participants in the process of the server: functions that take workitems of their name from the worklist. Each is claimed for a while,
 * the claim is prolonged while the function works, and what it returns hands the workitem back. A process that dies lets its claims run
 * out, and the workitem is called again, here or elsewhere.
 */

export type Work = (
  workitem: Workitem,
  around: { readonly signal: AbortSignal; readonly rota: Rota },
) => Promise<Fields | undefined> | Promise<void> | Fields | undefined;

/** Seconds of a claim, and parts of it after which it is prolonged. */
const CLAIM_SECONDS = 30;
const PROLONGED_MS = 10_000;
/** A look at the worklist without an event that says so: for claims that ran out, and for databases that tell no events. */
const LOOK_MS = 5_000;
/** Workitems that are worked on at once. */
const AT_ONCE_MAX = 50;
/** Until a look or a watch that failed is made again. */
const AGAIN_MS = 1_000;
const CLASS_MAX = 200;
const MESSAGE_MAX = 10_000;

export type Workers = {
  add(name: string, work: Work): Promise<void>;
  /** Takes no more; tells those at work to stop, and resolves when they have. */
  stop(): Promise<void>;
};

/** @param assignee names this process in claims */
export function makeWorkers(parts: { readonly rota: Rota; readonly assignee: string; readonly log: Log }): Workers {
  const { rota, assignee, log } = parts;
  const ending = new AbortController();
  const { signal } = ending;
  const works = new Map<string, Work>();
  /** Ids of workitems that are claimed here. */
  const held = new Map<string, AbortController>();
  const underWay = new Set<Promise<void>>();
  let wake = (): void => {};
  let watching: Promise<void> | null = null;
  let looking: Promise<void> | null = null;

  /** Waits, or until this process takes no more: that the wait was broken off then is all that can go wrong with it. */
  const restFor = (ms: number): Promise<void> => pause(ms, undefined, { signal, ref: false }).catch(() => {});

  /** Looks again and again, at once when an event says that there may be something. */
  async function look(): Promise<void> {
    while (!signal.aborted) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      for (const name of works.keys())
        await takeAll(name).catch((err: unknown) => {
          if (!signal.aborted) log.warn('a look at the worklist failed', { event: 'participant.look_failed', err });
        });
      await Promise.race([woken, restFor(LOOK_MS)]);
    }
  }

  async function takeAll(name: string): Promise<void> {
    for await (const workitem of rota.workitems.list({ participant: name, status: 'open', claimed: 0 }, { signal })) {
      if (held.size >= AT_ONCE_MAX || signal.aborted) return;
      if (!held.has(workitem.id)) await take(name, workitem);
    }
  }

  async function take(name: string, { id }: Workitem): Promise<void> {
    const work = works.get(name);
    if (work === undefined) return;
    const mine = new AbortController();
    held.set(id, mine);
    let claimed: Workitem;
    try {
      await rota.workitems.claim(id, { assignee, ttl: CLAIM_SECONDS }, { signal });
      // The list leaves out large fields.
      claimed = await rota.workitems.get(id, { signal });
    } catch (error) {
      held.delete(id);
      // Somebody else was quicker, or it is gone.
      if (error instanceof RotaError && error.status !== undefined && error.status < 500) return;
      throw error;
    }
    // It was closed meanwhile: whoever listens to the signal from now on would hear nothing of it.
    if (mine.signal.aborted) return void held.delete(id);
    const task = perform(claimed, work, mine).finally(() => {
      held.delete(id);
      underWay.delete(task);
      wake();
    });
    underWay.add(task);
  }

  async function perform(workitem: Workitem, work: Work, mine: AbortController): Promise<void> {
    const { id } = workitem;
    const prolonging = setInterval(() => {
      rota.workitems.claim(id, { assignee, ttl: CLAIM_SECONDS }).catch((error: unknown) => {
        const isGone = error instanceof RotaError && error.status !== undefined && error.status < 500;
        if (isGone) mine.abort(error);
        else
          log.warn('a claim could not be prolonged', {
            event: 'participant.claim_failed',
            workitem_id: id,
            err: error,
          });
      });
    }, PROLONGED_MS);
    prolonging.unref();
    const headers = { 'Rota-Assignee': assignee };
    try {
      let handBack: () => Promise<void>;
      try {
        const fields = await work(workitem, { signal: mine.signal, rota });
        handBack = () => rota.proceed(id, typeof fields === 'object' ? { fields } : {}, { headers });
      } catch (error) {
        if (mine.signal.aborted) return;
        handBack = () => rota.fail(id, failureOf(error), { headers });
      }
      await handBack();
    } catch (err) {
      const isGone = err instanceof RotaError && err.status !== undefined && err.status < 500;
      if (!isGone)
        log.error('a workitem could not be handed back', { event: 'participant.failed', workitem_id: id, err });
    } finally {
      clearInterval(prolonging);
      if (signal.aborted) await release(id);
    }
  }

  /** So that others need not wait for the claim to run out. */
  async function release(id: string): Promise<void> {
    await rota.workitems.release(id, {}, { headers: { 'Rota-Assignee': assignee } }).catch((error: unknown) => {
      // It was handed back: there is nothing to release.
      if (error instanceof RotaError && error.status !== undefined && error.status < 500) return;
      log.warn('a claim could not be given back; it runs out', {
        event: 'participant.release_failed',
        workitem_id: id,
        err: error,
      });
    });
  }

  async function watch(): Promise<void> {
    while (!signal.aborted)
      try {
        const events = rota.events(null, { kinds: 'workitem.opened,workitem.closed,workitem.proceeded' }, { signal });
        for await (const { kind, participant, workitem_id } of events) {
          if (kind !== 'workitem.opened') held.get(String(workitem_id))?.abort(goneBecause(kind));
          else if (works.has(String(participant))) wake();
        }
      } catch (error) {
        if (signal.aborted) return;
        // There is no order of all events on this database: looks alone have to do.
        if (error instanceof RotaError && error.code === 'not_supported') return;
        log.debug('the events could not be watched', { event: 'participant.watch_failed', err: error });
        await restFor(AGAIN_MS);
      }
  }

  return {
    add: async (name, work) => {
      // In the registry it is somebody without an address, whose workitems wait in the worklist.
      await rota.participants.put(name, {
        ...{ kind: 'person', in_process: true, description: 'A function in the process of a server' },
      });
      works.set(name, work);
      watching ??= watch();
      looking ??= look();
      wake();
    },
    stop: async () => {
      ending.abort();
      for (const mine of held.values()) mine.abort(goneBecause('the server stops'));
      wake();
      await Promise.all([watching, looking, ...underWay]);
    },
  };
}

const goneBecause = (why: string): Error => Object.assign(new Error(`Stop working: ${why}`), { name: 'AbortError' });

function failureOf(error: unknown): { readonly message: string; readonly class: string } {
  const isError = error instanceof Error;
  const name = isError && error.name !== '' ? cut(storable(error.name), CLASS_MAX) : 'Error';
  const message = cut(storable(isError ? error.message : String(error)), MESSAGE_MAX);
  return { message: message === '' ? name : message, class: name };
}
