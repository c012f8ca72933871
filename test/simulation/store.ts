import { readLog } from '../../src/engine/outcomes.ts';
import { shardOf, type WorkflowId } from '../../src/model/ids.ts';
import { CHILDREN, isOver, LOST_TRY, type WorkflowRow, type WorkitemRow } from '../../src/model/rows.ts';
import type { Loaded } from '../../src/model/stimulus.ts';
import { DEFAULT_TENANT } from '../../src/model/tenant.ts';
import { hostOf } from '../../src/outbox/message.ts';
import type { Ids } from '../../src/runtime/ids.ts';
import { merged } from '../../src/store/gather.ts';
import type { Armed } from '../../src/store/meeting.ts';
import { after, before, meetingOf } from '../../src/store/meeting-step.ts';
import {
  type ClaimedMessage,
  type LoadRequest,
  OutcomeUnknown,
  type Save,
  type Store,
  StoreUnavailable,
  type Transaction,
} from '../../src/store/store.ts';
import { FREE_TABLES, openTables } from '../../src/store/tables/all.ts';
import { BASE, type Database, end, type Held, hear, isLive, load, lock, type Rows, type Session } from './database.ts';
import { keptIn, meetingIn, placeIn } from './meeting.ts';
import { makeAttributes, makeReads } from './reads.ts';
import { giveBack, type Known, write } from './saving.ts';
import { openInMemory, rowsOfTable, sweepInMemory } from './tables.ts';

/*
 * The simulated store: what one node sees of the simulated database. It keeps the promises of store.ts (the contract suite runs on
 * it) and adds nothing of its own to when things happen: the link decides when a question reaches the database, when the answer is
 * back, and what gets lost on the way.
 */

/** The claim of a node that stopped is counted as a try. */
function withLostTry(row: WorkitemRow): WorkitemRow {
  const tries = row.tries + 1;
  const lost = { number: tries, send: row.send, at: row.dueAt, milliseconds: 0, status: null };
  const log = [...readLog(row.log), { ...lost, error: LOST_TRY, nextAt: row.dueAt }];
  return { ...row, tries, log: JSON.stringify(log) };
}

/** The way between a node and the database. */
export type Link = {
  /** Resolves when the question has reached the database. Rejects with StoreUnavailable when it cannot; nothing has happened then. */
  reach(what: string): Promise<void>;
  /** Resolves when the answer is back at the node. Rejects with StoreUnavailable when it got lost. */
  back(what: string): Promise<void>;
  /** Runs `hint` on the node, some time or never. */
  hint(hint: () => void): void;
  /** Decided as a commit reaches the database. */
  fateOfCommit(): CommitFate;
};

/**
 * `kept`: it takes effect and is answered. `conflict`: refused as a serialization failure. `answer lost`: it takes effect, the
 * answer does not come, and looking it up tells. `never came`: it did not reach the database, and looking it up tells. The others
 * are the same two, but nobody can tell.
 */
export type CommitFate = 'kept' | 'conflict' | 'answer lost' | 'never came' | 'unknown, kept' | 'unknown, gone';

export const perfectLink: Link = {
  reach: async () => {},
  back: async () => {},
  hint: (hint) => hint(),
  fateOfCommit: () => 'kept',
};

/** Bugs that can be planted (flaws.ts). */
export type StoreFlaws = {
  /** The rows are loaded first, and then the workflow is locked. */
  readonly loadBeforeLock?: boolean;
  /** Whatever is due is claimed, whoever else holds it. */
  readonly claimHeld?: boolean;
  /** A message that becomes a notice is free at once, though a try is under way. */
  readonly flipFrees?: boolean;
  /** What a node remembers is saved though others have stepped the workflow since. */
  readonly believeMemory?: boolean;
  /** Nobody looks up what became of a commit whose answer was lost. */
  readonly silenceIsNo?: boolean;
  /** Who begins to wait looks at what is kept before its row is written. */
  readonly lookEarly?: boolean;
  /** An event looks at those who wait before it is stored. */
  readonly receiveEarly?: boolean;
  /** What found nobody any more is not given back. */
  readonly keepMissed?: boolean;
};

export type SimulatedStore = Store & {
  /** The node is gone: what it had begun is undone. */
  drop(): void;
};

const CLAIM_MAX = 1_000;
const RETIRE_MAX = 500;
const OVER = 'This transaction is over; begin another one';

export function openSimulated(
  database: Database,
  parts: {
    readonly link: Link;
    readonly ids: Ids;
    readonly flaws?: StoreFlaws;
    /** Looks on whenever something has been committed. */
    readonly committed?: (save: Save) => void;
  },
): SimulatedStore {
  const { link, ids, flaws = {} } = parts;
  const sessions = new Set<Session>();
  let own: (() => void) | null = null;

  /** One question and its answer. */
  async function ask<Result>(what: string, act: () => Result): Promise<Result> {
    await link.reach(what);
    const result = attempt(act);
    await link.back(what);
    return result();
  }

  const finish = (session: Session): void => {
    end(database, session);
    sessions.delete(session);
  };

  /** What is over, old and owes nothing: the eldest, so many of them at most. */
  const doomed = (endedBefore: number, now: number, most: number): readonly Rows[] =>
    [...database.workflows.values()]
      .filter(({ workflow: { endedAt, retainDays = null } }) =>
        endedAt === null
          ? false
          : retainDays === null
            ? endedAt < endedBefore
            : endedAt + retainDays * 86_400_000 < now,
      )
      .filter(({ workflow }) => isOver(workflow.status) && !database.locks.has(workflow.id))
      .filter(({ workitems }) => [...workitems.values()].every(({ row }) => row.send === null))
      .sort((a, b) => (a.workflow.endedAt ?? 0) - (b.workflow.endedAt ?? 0))
      .slice(0, most);

  async function begin(list: readonly LoadRequest[]): Promise<Transaction> {
    const requests = merged(list);
    const session: Session = { locks: new Set(), lastHeard: database.now(), over: false };
    const rows = new Map<WorkflowId, WorkflowRow | null>();
    const busy: WorkflowId[] = [];
    let loaded = new Map<WorkflowId, Loaded>();
    let hears = false;
    const locking = (): void => {
      sessions.add(session);
      hears = someoneHears();
      for (const { workflow } of requests)
        if (lock(database, session, workflow)) rows.set(workflow, database.workflows.get(workflow)?.workflow ?? null);
        else busy.push(workflow);
    };
    const loading = (): void => {
      loaded = new Map(requests.map(({ workflow, needs }) => [workflow, look(workflow, null, needs)]));
    };
    const [first, second] = flaws.loadBeforeLock === true ? [loading, locking] : [locking, loading];
    try {
      session.lastHeard = database.now();
      await link.reach('begin');
      first();
      await link.reach('load');
      if (!hear(database, session)) throw new StoreUnavailable('The session was ended by the database');
      second();
      await link.back('begin');
    } catch (error) {
      finish(session);
      throw error;
    }
    const known = new Map([...rows].map(([id, workflow]) => [id, { ...(loaded.get(id) as Loaded), workflow }]));
    return transaction(session, rows, known, busy, hears);
  }

  const look = (id: WorkflowId, workflow: WorkflowRow | null, needs: LoadRequest['needs']): Loaded =>
    load(database.workflows.get(id), workflow, needs, rowsOfTable(database.tables, 'event'));

  function transaction(
    session: Session,
    rows: ReadonlyMap<WorkflowId, WorkflowRow | null>,
    loaded: ReadonlyMap<WorkflowId, Loaded>,
    busy: readonly WorkflowId[],
    hears: boolean,
  ): Transaction {
    let over = false;
    const close = (): void => {
      if (over) throw new Error(OVER);
      over = true;
    };
    return {
      loaded,
      busy,
      hears,
      load: async (list) => {
        if (over) throw new Error(OVER);
        try {
          await link.reach('load more');
          if (!hear(database, session)) throw new StoreUnavailable('The session was ended by the database');
          const more = new Map<WorkflowId, Loaded>();
          for (const { workflow, needs } of merged(list))
            if (rows.has(workflow)) more.set(workflow, look(workflow, rows.get(workflow) ?? null, needs));
          await link.back('load more');
          return more;
        } catch (error) {
          over = true;
          finish(session);
          throw error;
        }
      },
      commit: async (save) => {
        close();
        const seen = flaws.lookEarly === true ? keptIn(database) : null;
        try {
          await link.reach('commit');
        } catch {
          finish(session);
          return 'lost'; // nothing was sent
        }
        if (!hear(database, session)) {
          finish(session);
          await link.back('commit');
          return 'lost';
        }
        const fate = link.fateOfCommit();
        const effective = fate === 'kept' || fate === 'answer lost' || fate === 'unknown, kept';
        const result = await attempted(() =>
          effective ? met(save, (id) => rows.get(id), seen) : Promise.resolve('lost' as const),
        );
        finish(session);
        await link.back('commit');
        if (flaws.silenceIsNo === true && fate === 'answer lost') return 'lost';
        // Looking it up is a question more.
        if (fate !== 'kept' && fate !== 'conflict') await link.back('look up');
        if (fate === 'unknown, kept' || fate === 'unknown, gone')
          throw new OutcomeUnknown('The connection was lost during commit');
        return result();
      },
      rollback: async () => {
        close();
        try {
          await link.reach('rollback');
        } finally {
          finish(session);
        }
      },
    };
  }

  /** Two questions in one go: somebody may write between them. */
  async function lookAt(list: readonly LoadRequest[]): Promise<ReadonlyMap<WorkflowId, Loaded>> {
    const requests = merged(list);
    await link.reach('look');
    const rows = new Map(
      requests.map(({ workflow }) => [workflow, database.workflows.get(workflow)?.workflow ?? null]),
    );
    await link.reach('look more');
    const loaded = new Map(
      requests.map(({ workflow, needs }) => [workflow, look(workflow, rows.get(workflow) ?? null, needs)]),
    );
    await link.back('look');
    return loaded;
  }

  /** One question; when its answer is lost the same is asked again, and what became of the first is told with it. */
  async function saveAtOnce(save: Save, remembered: ReadonlyMap<WorkflowId, Loaded>): Promise<'committed' | 'stale'> {
    if ([...save.changes.values()].every(({ history }) => history.length === 0))
      throw new Error('Nothing would tell it was saved');
    const now = (): 'committed' | 'lost' => {
      if (someoneHears()) return 'lost';
      if ([...save.changes.keys()].some((id) => database.locks.has(id))) return 'lost';
      return saved(save, (id) => remembered.get(id)?.workflow, flaws.believeMemory !== true);
    };
    await link.reach('commit');
    const fate = link.fateOfCommit();
    const result = attempt(() =>
      fate === 'conflict' || fate.endsWith('came') || fate.endsWith('gone') ? 'lost' : now(),
    );
    await link.back('commit');
    if (flaws.silenceIsNo === true && fate === 'answer lost') return 'stale';
    if (fate !== 'kept' && fate !== 'conflict') await link.back('look up');
    if (fate === 'unknown, kept' || fate === 'unknown, gone')
      throw new OutcomeUnknown('The connection was lost while saving');
    const told = fate === 'never came' ? attempt(now) : result;
    if (fate === 'never came') await link.back('commit');
    return told() === 'committed' ? 'committed' : 'stale';
  }

  const someoneHears = (): boolean =>
    [...database.workflows.values()].some(({ listeners }) =>
      [...listeners.values()].some((row) => row.reach === 'tenant'),
    );

  /** Events and those who wait meet in the same moment. */
  async function met(save: Save, known: Known, seen: ReadonlySet<string> | null): Promise<'committed' | 'lost'> {
    const meeting = meetingOf(save);
    if (meeting === null) return saved(save, known);
    const place = placeIn(database, { seen, keepsMissed: flaws.keepMissed === true });
    for (const [id, { workflow }] of save.changes) {
      const follows = known(id);
      if (follows !== undefined && (database.workflows.get(id)?.workflow.ver ?? null) !== (follows?.ver ?? null))
        return 'lost';
      if (workflow.id !== id) throw new Error('Changes are of their workflow');
    }
    const armed = await before(place, meeting);
    const result = saved(save, known, true, armed);
    if (result === 'committed') await after(place, meeting, save.judge);
    return result;
  }

  function saved(
    save: Save,
    known: Known,
    proves = true,
    armed: ReadonlyMap<string, Armed> = new Map(),
  ): 'committed' | 'lost' {
    const result = write(database, save, known, proves, armed);
    if (result === 'committed') parts.committed?.(save);
    if (flaws.flipFrees === true && result === 'committed')
      for (const { workflow, workitems } of save.changes.values())
        for (const [id, op] of workitems) {
          const held = database.workflows.get(workflow.id)?.workitems.get(id);
          if (held !== undefined && op.kind === 'patch' && op.set.state === 'closed') giveBack(held);
        }
    return result;
  }

  /** Owed messages that nobody holds back, oldest first. */
  const owed = (): { readonly workflow: WorkflowId; readonly held: Held; readonly dueAt: number }[] => {
    const found: { readonly workflow: WorkflowId; readonly held: Held; readonly dueAt: number }[] = [];
    for (const [workflow, { workitems }] of database.workflows)
      for (const held of workitems.values()) {
        const { send, heldAt, dueAt } = held.row;
        if (send !== null && heldAt === null && dueAt !== null) found.push({ workflow, held, dueAt });
      }
    return found.sort((a, b) => a.dueAt - b.dueAt);
  };

  const heldBy = (workflow: WorkflowId, workitem: string): Held | undefined =>
    database.workflows.get(workflow)?.workitems.get(workitem);

  return {
    profile: 'simulated',
    batchMax: 8,
    lanes: 2,
    begin,
    look: lookAt,
    saveAtOnce,
    figures: null,
    connections: () => [],
    ...openTables(openInMemory(database, ask)),
    meeting: meetingIn(database, ask, { isEarly: flaws.receiveEarly === true, keepsMissed: flaws.keepMissed === true }),

    claimDue: ({ now, owner, limit, leaseSeconds, spread }) =>
      ask('claim', () => {
        const claim = ids.hex();
        const skip = new Set(spread?.skip);
        return owed()
          .filter(({ held }) => !skip.has(hostOf(held.row.url)))
          .filter(({ held, dueAt }) => dueAt <= now && (flaws.claimHeld === true || !isLive(database, held)))
          .slice(0, Math.min(limit, CLAIM_MAX))
          .map(({ workflow, held }): ClaimedMessage => {
            if (held.claim !== null) held.row = withLostTry(held.row);
            held.claim = claim;
            held.owner = owner;
            held.leaseUntil = database.now() + leaseSeconds * 1000;
            const rows = database.workflows.get(workflow);
            const base = rows?.variables.get(`${held.row.inherits} ${BASE}`)?.value ?? null;
            const trace = rows?.workflow.trace ?? null;
            return { workflow, claim, row: held.row, tenant: rows?.workflow.tenant ?? DEFAULT_TENANT, base, trace };
          });
      }),
    renewClaim: ({ key, claim, leaseSeconds, send }) =>
      ask('renew', () => {
        const held = heldBy(key.workflow, key.workitem);
        if (held === undefined || held.claim !== claim) return false;
        if ((held.leaseUntil ?? 0) <= database.now()) return false;
        if (send !== undefined && (held.row.send !== send || held.row.heldAt !== null)) return false;
        held.leaseUntil = database.now() + leaseSeconds * 1000;
        return true;
      }),
    releaseClaims: (owner) =>
      ask('release', () => {
        for (const { held } of owed()) if (held.owner === owner) giveBack(held);
      }),

    peekAgenda: ({ now, limit, share, shares, othersAfterMs }) =>
      ask('peek', () => {
        const isOwn = (workflow: WorkflowId): boolean => shardOf(workflow) % shares === share;
        const rows = [...database.workflows].flatMap(([workflow, { agenda }]) =>
          [...agenda.values()]
            .filter((row) => row.heldAt === null)
            .map(({ id, kind, dueAt, path }) => ({ workflow, id, kind, dueAt, path })),
        );
        rows.sort((a, b) => a.dueAt - b.dueAt);
        return [
          ...rows.filter((row) => isOwn(row.workflow) && row.dueAt <= now),
          ...rows.filter((row) => !isOwn(row.workflow) && row.dueAt <= now - othersAfterMs),
        ].slice(0, limit);
      }),
    nextDueAt: (after) =>
      ask('next due', () => {
        let next: number | null = null;
        const see = (dueAt: number): void => {
          if (dueAt > (after ?? -1) && (next === null || dueAt < next)) next = dueAt;
        };
        for (const { agenda } of database.workflows.values())
          for (const row of agenda.values()) if (row.heldAt === null) see(row.dueAt);
        for (const { dueAt } of owed()) see(dueAt);
        return next;
      }),

    onWake: async (wake) => {
      const hint = (): void => link.hint(wake);
      own = hint;
      database.listening.add(hint);
      return async () => {
        database.listening.delete(hint);
      };
    },
    hearsWakes: () => false,
    wakeOthers: () => {
      for (const hint of database.listening) if (hint !== own) hint();
    },
    onKeys: async () => async () => {},
    tellKeys: () => {},
    onRegistry: async () => async () => {},
    tellRegistry: () => {},

    // Read always: what is not known to have changed may have.
    changeMark: () => ask('change mark', () => null),
    onGlance: () => () => {},
    databaseTime: () => ask('time', database.now),

    read: makeReads(database, ask),

    retirePortion: ({ endedBefore, now, rows }) =>
      ask('retire a portion', () => {
        const [one] = doomed(endedBefore, now, 1);
        if (one === undefined) return 0;
        let gone = 0;
        for (const kind of CHILDREN)
          for (const key of [...one[kind].keys()].slice(0, rows)) gone += Number(one[kind].delete(key));
        const entries = one.history.splice(0, rows);
        one.firstKept = Math.max(one.firstKept, (entries.at(-1)?.lastN ?? 0) + 1);
        return gone + entries.length;
      }),
    attributes: makeAttributes(database, ask),
    erasing: null,
    retire: ({ endedBefore, now, limit, keepMs = {} }) =>
      ask('retire', () => {
        const most = Math.min(limit, RETIRE_MAX);
        const gone = doomed(endedBefore, now, most);
        for (const { workflow } of gone) {
          database.workflows.delete(workflow.id);
          database.attributes.delete(workflow.id);
          const keys = rowsOfTable(database.tables, 'business_key');
          for (const [name, row] of keys) if (row['workflow'] === workflow.id) keys.delete(name);
        }
        for (const table of FREE_TABLES) sweepInMemory(table, database, { now, limit: most, keepMs });
        return gone.length;
      }),
    foldHistory: ({ workflow, firstNs, firstKept }) =>
      ask('fold history', () => {
        const rows = database.workflows.get(workflow);
        if (rows === undefined) return;
        const kept = rows.history.filter(({ firstN }) => !firstNs.includes(firstN));
        rows.history.splice(0, rows.history.length, ...kept);
        rows.firstKept = Math.max(rows.firstKept, firstKept);
      }),
    tidy: () => ask('tidy', () => {}),
    ping: () => ask('ping', () => {}),
    close: async () => {},
    drop: () => {
      for (const session of sessions) finish(session);
      if (own !== null) database.listening.delete(own);
    },
  };
}

/** Runs `act` now; how it went is told later. */
async function attempted<Result>(act: () => Promise<Result>): Promise<() => Result> {
  try {
    const result = await act();
    return () => result;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

function attempt<Result>(act: () => Result): () => Result {
  try {
    const result = act();
    return () => result;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}
