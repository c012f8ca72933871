import { type EventRow, handedId } from '../../src/model/events.ts';
import type { WorkflowId } from '../../src/model/ids.ts';
import { givenBack, goOn, handingKey, type MeetingPlace, receive, type Waiting } from '../../src/store/meeting.ts';
import { pageOf } from '../../src/store/page.ts';
import type { Meeting, Wait } from '../../src/store/store.ts';
import type { FreeRow } from '../../src/store/tables/table.ts';
import type { Database } from './database.ts';
import { keyText, rowsOfTable } from './tables.ts';

/* Where events and waiters meet, in the simulated database: a transaction is one moment, so that nothing has to be locked. */

const EVENT = { key: ['eventId'] };
const PLACE = { key: ['tenant', 'type', 'key'] };

/** The events that are kept at this moment. */
export const keptIn = (database: Database): ReadonlySet<string> =>
  new Set(
    [...(rowsOfTable(database.tables, 'event') as unknown as Map<string, EventRow>).values()].flatMap((row) =>
      row.state === 'kept' ? [row.eventId] : [],
    ),
  );

/** Bugs: `seen`: no other kept events are seen; `waiting`: nobody else is seen to wait; `keepsMissed`: nothing is given back. */
export type PlaceFlaws = {
  readonly seen?: ReadonlySet<string> | null;
  readonly waiting?: ReadonlySet<string> | null;
  readonly keepsMissed?: boolean;
};

export function placeIn(database: Database, flaws: PlaceFlaws = {}): MeetingPlace {
  const events = rowsOfTable(database.tables, 'event') as unknown as Map<string, EventRow>;
  const places = rowsOfTable(database.tables, 'correlation');
  const eventKey = (eventId: string): string => keyText(EVENT, { eventId });
  const placeKey = (tenant: string, type: string, key: string): string => keyText(PLACE, { tenant, type, key });
  const byAge = (a: EventRow, b: EventRow): number => a.receivedAt - b.receivedAt || (a.eventId < b.eventId ? -1 : 1);
  const root = (tenant: string, type: string): FreeRow =>
    places.get(placeKey(tenant, type, '')) ?? { tenant, type, key: '', seq: 0, pointers: '[]', touchedAt: 0 };
  const pointersOf = (row: FreeRow): readonly string[] => JSON.parse(String(row['pointers'])) as readonly string[];
  const waiting = (of: (workflow: WorkflowId, tenant: string) => boolean, type: string): Waiting[] =>
    [...database.workflows].flatMap(([workflow, rows]) =>
      of(workflow, rows.workflow.tenant)
        ? [...rows.waiters.values()].flatMap((row) => {
            const armed = database.armed.get(`${workflow} ${row.id}`);
            const isSeen = flaws.waiting == null || flaws.waiting.has(`${workflow} ${row.id}`);
            const isFree = isSeen && row.type === type && armed !== undefined && armed.takenBy === null;
            return isFree ? [{ ...row, workflow, key: armed.key, seq: armed.seq }] : [];
          })
        : [],
    );
  const settle = (rows: readonly EventRow[]): void => {
    for (const row of rows) events.set(eventKey(row.eventId), row);
  };
  return {
    lockWorkflows: async (tenant, workflows) =>
      new Set(
        workflows.filter((id) => {
          const row = database.workflows.get(id)?.workflow;
          return row?.endedAt === null && row.tenant === tenant;
        }),
      ),
    insert: async (rows) => {
      const known = new Set([...events.values()].map(({ tenant, digest }) => `${tenant} ${digest}`));
      const fresh = rows.filter(({ tenant, digest }) => !known.has(`${tenant} ${digest}`));
      settle(fresh);
      return new Set(fresh.map(({ eventId }) => eventId));
    },
    known: async (tenant, digests) =>
      [...events.values()].filter((row) => row.tenant === tenant && digests.includes(row.digest)),
    share: async (tenant, types) =>
      new Map(
        types.map((type) => [
          type,
          { seq: Number(root(tenant, type)['seq']), pointers: pointersOf(root(tenant, type)) },
        ]),
      ),
    pointers: async (tenant, types) => new Map(types.map((type) => [type, pointersOf(root(tenant, type))])),
    lock: async (tenant, asked, now) =>
      asked.map(({ type, key, armed, pointers = [] }) => {
        const at = placeKey(tenant, type, key);
        const row = places.get(at) ?? { tenant, type, key, seq: 0, pointers: '[]', touchedAt: now };
        const seq = Number(row['seq']) + armed;
        places.set(at, { ...row, seq, pointers: JSON.stringify([...pointersOf(row), ...pointers]), touchedAt: now });
        return seq;
      }),
    waiters: async (tenant, asked, limit) =>
      asked.map(({ type, key, after }) =>
        waiting((_, of) => of === tenant, type)
          .filter((row) => row.key === key && row.seq > after)
          .sort((a, b) => a.seq - b.seq)
          .slice(0, limit),
      ),
    waitersOf: async (workflow, type, limit) =>
      waiting((id) => id === workflow, type)
        .sort((a, b) => a.since - b.since || a.seq - b.seq)
        .slice(0, limit),
    keptFor: async (workflow, now) => {
      const kept = [...events.values()].filter(
        (row) => row.workflowId === workflow && row.state === 'kept' && row.expiresAt > now,
      );
      return { count: kept.length, bytes: kept.reduce((sum, { body }) => sum + body.length, 0) };
    },
    kept: async (tenant, { type, key, workflow, now }, limit) =>
      [...events.values()]
        .filter((row) => row.type === type && row.state === 'kept' && row.expiresAt > now)
        .filter(({ eventId }) => flaws.seen == null || flaws.seen.has(eventId))
        .filter((row) =>
          row.workflowId === null
            ? row.tenant === tenant && (key === null || row.key === key)
            : row.workflowId === workflow,
        )
        .sort(byAge)
        .slice(0, limit),
    take: async (eventId, workflow) => {
      const row = events.get(eventKey(eventId));
      if (row?.state !== 'kept') return false;
      const resumed = JSON.stringify([...(JSON.parse(row.resumed) as string[]), workflow]);
      settle([{ ...row, state: 'delivered', due: false, hits: row.hits + 1, resumed }]);
      return true;
    },
    hand: async (handings, now) => {
      const handed = new Set<string>();
      for (const handing of handings) {
        const { workflow, waiter, path, eventId, marks } = handing;
        const rows = database.workflows.get(workflow);
        const armed = database.armed.get(`${workflow} ${waiter}`);
        if (rows === undefined || !rows.waiters.has(waiter) || armed === undefined || armed.takenBy !== null) continue;
        if (marks) database.armed.set(`${workflow} ${waiter}`, { ...armed, takenBy: eventId });
        const id = handedId(eventId, waiter);
        const payload = JSON.stringify({ waiter, event: eventId });
        if (!rows.agenda.has(id)) rows.agenda.set(id, { id, kind: 'event', dueAt: now, heldAt: null, path, payload });
        handed.add(handingKey(handing));
      }
      return handed;
    },
    start: async () => {
      throw new Error('Nothing is started by events in the simulation');
    },
    settle: async (rows) => settle(rows),
    lockDue: async (eventId) => {
      const row = events.get(eventKey(eventId));
      return row?.due === true ? row : null;
    },
    miss: async (misses, now) => {
      let again = false;
      if (flaws.keepsMissed === true) return again;
      for (const [eventId, count] of misses) {
        const row = events.get(eventKey(eventId));
        if (row === undefined) continue;
        const missed = { ...row, misses: row.misses + count };
        const change = givenBack(missed, now);
        again ||= change !== null;
        settle([{ ...missed, ...change }]);
      }
      return again;
    },
    hitting: async (workflows) =>
      workflows.flatMap((workflow) => {
        const agenda = database.workflows.get(workflow)?.agenda;
        const found = [...(agenda?.keys() ?? [])].filter((id) => id.startsWith('signal '));
        for (const id of found) agenda?.delete(id);
        return found.map((id) => id.split(' ')[1] ?? '');
      }),
  };
}

export function meetingIn(
  database: Database,
  ask: <Result>(what: string, act: () => Result) => Promise<Result>,
  flaws: { readonly isEarly: boolean; readonly keepsMissed: boolean } = { isEarly: false, keepsMissed: false },
): Meeting {
  const { keepsMissed } = flaws;
  const place = placeIn(database, { keepsMissed });
  const now = async <Result>(what: string, act: () => Promise<Result>): Promise<Result> =>
    await (await ask(what, () => ({ result: act() }))).result;
  return {
    receive: (tenant, events, judge, at) => {
      const waiting = flaws.isEarly ? new Set(database.armed.keys()) : null;
      return now('receive', () => receive(placeIn(database, { waiting, keepsMissed }), tenant, events, judge, at));
    },
    goOn: (eventId, judge, at) => now('go on', () => goOn(place, eventId, judge, at)),
    again: (tenant, eventId, starts, judge, at) =>
      now('again', async () => {
        const rows = rowsOfTable(database.tables, 'event') as unknown as Map<string, EventRow>;
        const row = rows.get(keyText(EVENT, { eventId }));
        if (row === undefined || row.tenant !== tenant || row.state === 'spreading') return null;
        await place.settle([{ ...row, state: 'kept', due: true }]);
        return goOn(place, eventId, judge, at, starts);
      }),
    sending: (workflow, agenda) =>
      ask('sending', () => {
        const rows = database.workflows.get(workflow);
        const row = rows?.agenda.get(agenda);
        return rows === undefined || row === undefined ? null : { tenant: rows.workflow.tenant, payload: row.payload };
      }),
    starting: () => ask('starting', () => null),
    notStarted: () => ask('not started', () => {}),
    waits: ({ tenant, type, key, workflow, element, limit, after }) =>
      ask('waits', () => {
        if (after !== null) throw new Error('The simulation shows one page of those who wait');
        const all = [...database.workflows].flatMap(([id, rows]) =>
          rows.workflow.tenant === tenant && (workflow === null || workflow === id)
            ? [...rows.waiters.values()].map(
                (row): Wait => ({
                  workflow: id,
                  waiter: row.id,
                  type: row.type,
                  key: row.wanted,
                  since: row.since,
                  timeoutAt: null,
                  element: row.element,
                }),
              )
            : [],
        );
        const fitting = all.filter(
          (wait) =>
            (type === null || wait.type === type) &&
            (key === null || wait.key === key) &&
            (element === null || wait.element === element),
        );
        return pageOf(fitting, limit, (wait) => [wait.since, wait.workflow, wait.waiter]);
      }),
    tidyPlaces: () => ask('tidy places', () => {}),
  };
}
