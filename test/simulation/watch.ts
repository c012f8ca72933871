import { auditRows } from '../../src/interpreter/audit.ts';
import type { FaultCode } from '../../src/model/fault.ts';
import { unpackHistory } from '../../src/model/history.ts';
import type { ExpressionId, WorkflowId } from '../../src/model/ids.ts';
import { expidOf, parseWorkitemId, workitemId } from '../../src/model/ids.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { isOver, type Send } from '../../src/model/rows.ts';
import type { Save } from '../../src/store/store.ts';
import { type Database, load } from './database.ts';

/*
 * Looks on while a world runs, and says what must never be. It sees what the database holds, what goes out to participants and what
 * callers are answered; nothing of the insides of a node.
 */

/** What a caller was told. `unknown`: nothing, or something that leaves it open. */
export type Told = 'ok' | FaultCode | 'unknown';

/** One try as seen from outside. */
export type Try = {
  readonly key: string;
  readonly send: Send;
  readonly number: number;
  readonly node: string;
  readonly startedAt: number;
  /** The process stood still, or was told to stop, while this try was under way: it may outlive its lease. */
  mayOverlap: boolean;
  /** Something came in the way of writing down how it ended. */
  mayRepeat: boolean;
  /** Its workitem was not opened anew, nor its workflow paused (which moves what is due), since it began. */
  isLatest: boolean;
  endedAt: number | null;
  delivered: boolean;
};

export type Watch = {
  readonly problems: string[];
  /** Something was committed. */
  committed(save: Save): void;
  /** A request leaves a node. */
  sent(node: string, message: { readonly workitem: string; readonly send: Send; readonly number: number }): Try;
  /** A node knows how a try ended. */
  ended(one: Try, delivered: boolean): void;
  /** A node is gone or stood still: what it knew may be lost. */
  disturbed(node: string, how: 'gone' | 'frozen' | 'stopping'): void;
  /** Writing may take long for any node: locks are held by one that stands still, or the database answers strangely. */
  troubled(): void;
  /** The database answers this node nothing for so long (milliseconds): what is acknowledged meanwhile is written down afterwards, or never. */
  unheard(node: string, ms: number): void;
  /** An administrator, or the participant itself, asked for one more try. */
  askedAgain(workitem: string): void;
  /** A caller of this name has its answer to a change (the name goes into the history). */
  told(actor: string, what: string, told: Told, counts: boolean): void;
  /** How often what this caller asked for has happened. */
  happened(actor: string): number;
  audit(workflow: WorkflowId): void;
  /** Once the world has come to rest. */
  atEnd(): void;
  readonly counts: { tries: number; commits: number; proceeds: number; notices: number };
};

/** After an acknowledgement a node has this long to write it down, if nothing disturbs it. */
const ACKNOWLEDGED_MS = 20_000;

/** Answers that say: nothing was changed. `unavailable` leaves it open. */
const leavesOpen = (told: Told): boolean => told === 'unknown' || told === 'unavailable' || told === 'outcome_unknown';

/** A try that was about to start when its workitem came to its end may still start, so much later at most: the database was asked. */
const LATE_MS = 10_000;
/** No node stands still for longer. */
const STANDING_STILL_MS = 60_000;
/** Every so many commits the rows written are audited; all of them would take most of the time. */
const AUDIT_EVERY = 3;

type Owed = { readonly since: number; sent: boolean };

export function makeWatch(database: Database, note: (line: string) => void): Watch {
  const problems: string[] = [];
  const tries = new Map<string, Try[]>();
  const noticed = new Set<string>();
  const asked = new Set<string>();
  const owed = new Map<string, Owed>();
  const histories = new Map<WorkflowId, number>();
  const byActor = new Map<string, number>();
  const proceeded = new Map<string, number>();
  /** When a workitem was proceeded with, closed or given up. */
  const overSince = new Map<string, number>();
  const pausedSince = new Map<string, number>();
  const stoodStill = new Map<string, number>();
  const claims: { readonly actor: string; readonly what: string; readonly told: Told; readonly counts: boolean }[] = [];
  const counts = { tries: 0, commits: 0, proceeds: 0, notices: 0 };

  const problem = (text: string): void => {
    problems.push(text);
    note(`PROBLEM ${text}`);
  };
  const owedKey = (key: string, send: Send): string => `${key} ${send}`;

  /** Until when the database answers a node nothing. */
  const unheardUntil = new Map<string, number>();

  function readHistory(workflow: WorkflowId): void {
    const rows = database.workflows.get(workflow);
    if (rows === undefined) return;
    const seen = histories.get(workflow) ?? 0;
    let last = rows.history[seen - 1]?.lastN ?? 0;
    for (const row of rows.history.slice(seen)) {
      if (row.firstN !== last + 1) problem(`${workflow}: history goes from ${last} to ${row.firstN}`);
      last = row.lastN;
      const entries = unpackHistory(row.entries, workflow);
      if (entries.length !== row.lastN - row.firstN + 1)
        problem(`${workflow}: history ${row.firstN}–${row.lastN} has ${entries.length} entries`);
      for (const entry of entries) readEntry(entry);
    }
    histories.set(workflow, rows.history.length);
    if (rows.workflow.lastN !== last)
      problem(`${workflow}: the row says lastN ${rows.workflow.lastN}, history ends with ${last}`);
  }

  function readEntry(entry: JsonObject): void {
    const { kind, actor, workitem_id: key } = entry;
    if (typeof actor === 'string') byActor.set(actor, (byActor.get(actor) ?? 0) + 1);
    if (typeof key !== 'string') return;
    if (kind === 'workitem.proceeded') {
      const times = (proceeded.get(key) ?? 0) + 1;
      proceeded.set(key, times);
      counts.proceeds += 1;
      if (times > 1) problem(`${key} proceeded ${times} times`);
    }
    if (kind === 'workitem.opened') {
      overSince.delete(key); // an error was replayed
      for (const one of tries.get(key) ?? []) one.isLatest = false;
    }
    if (kind === 'workitem.proceeded' || kind === 'workitem.closed' || kind === 'workitem.failed')
      overSince.set(key, database.now());
  }

  const owesActive = (workitem: string): boolean => {
    const id = parseWorkitemId(workitem);
    const row = id === null ? undefined : database.workflows.get(id.workflow)?.workitems.get(id.expression)?.row;
    return row?.send === 'active';
  };

  const isAwake = (node: string): boolean =>
    database.now() - (stoodStill.get(node) ?? Number.NEGATIVE_INFINITY) > STANDING_STILL_MS;

  function audit(workflow: WorkflowId, atEnd = false): void {
    const rows = database.workflows.get(workflow);
    if (rows === undefined) return;
    // What another workflow emitted for one that is over meanwhile goes when it is due.
    for (const line of auditRows(load(rows, rows.workflow, [{ kind: 'everything' }])))
      if (atEnd || !/^left behind: agenda (?:event|signal) /.test(line))
        problem(`${workflow}: the rows do not add up: ${line}`);
  }

  /** What had been seen acknowledged long ago has been written down before. */
  const isRecent = (one: Try): boolean => one.endedAt === null || database.now() - one.endedAt < ACKNOWLEDGED_MS;

  return {
    problems,
    counts,
    audit,
    committed: (save) => {
      counts.commits += 1;
      for (const { workflow, workitems, hold, shift } of save.changes.values()) {
        if (hold !== null) {
          pausedSince.set(workflow.id, database.now());
          for (const [key, list] of tries)
            if (key.endsWith(`!${workflow.id}`)) for (const one of list) one.isLatest = false;
        } else if (shift !== null) pausedSince.delete(workflow.id);
        readHistory(workflow.id);
        if (counts.commits % AUDIT_EVERY === 0) audit(workflow.id);
        const rows = database.workflows.get(workflow.id);
        for (const id of workitems.keys()) {
          const row = rows?.workitems.get(id)?.row;
          if (row === undefined || row.send === null) continue;
          const key = workitemId(row.id, workflow.id);
          for (const send of row.then === null ? [row.send] : [row.send, row.then])
            if (!owed.has(owedKey(key, send))) owed.set(owedKey(key, send), { since: database.now(), sent: false });
        }
      }
    },
    sent: (node, { workitem, send, number }) => {
      counts.tries += 1;
      if (send !== 'active') counts.notices += 1;
      const message = owed.get(owedKey(workitem, send));
      if (message === undefined) problem(`${node} sends ${send} of ${workitem}, which nothing that is saved owes`);
      else message.sent = true;
      const paused = pausedSince.get(workitem.split('!')[2] ?? '');
      if (paused !== undefined && database.now() - paused > LATE_MS && isAwake(node))
        problem(`${node} sends ${send} of ${workitem}, paused since ${Math.round(database.now() - paused)} ms`);
      const before = tries.get(workitem) ?? [];
      if (send === 'active' && noticed.has(workitem)) problem(`${node} sends active of ${workitem} after its notice`);
      if (send !== 'active') noticed.add(workitem);
      // One that was opened and closed in the same step is owed its one try all the same.
      const over = owesActive(workitem) ? undefined : overSince.get(workitem);
      if (
        send === 'active' &&
        over !== undefined &&
        database.now() - over > LATE_MS &&
        isAwake(node) &&
        !asked.has(workitem)
      )
        problem(`${node} sends active of ${workitem}, over since ${Math.round(database.now() - over)} ms`);
      for (const other of before) {
        if (other.endedAt === null && !other.mayOverlap)
          problem(`${node} sends ${send} of ${workitem} while ${other.node} is sending ${other.send}`);
        if (other.delivered && other.send === send && other.node === node && other.isLatest && !asked.has(workitem))
          problem(`${node} sends ${send} of ${workitem} although it saw it acknowledged itself`);
        if (
          other.delivered &&
          other.send === send &&
          !other.mayRepeat &&
          !asked.has(workitem) &&
          database.now() - (other.endedAt ?? 0) > ACKNOWLEDGED_MS
        )
          problem(`${node} sends ${send} of ${workitem} although ${other.node} saw it acknowledged`);
      }
      const one: Try = {
        key: workitem,
        send,
        number,
        node,
        startedAt: database.now(),
        mayOverlap: false,
        mayRepeat: false,
        isLatest: true,
        endedAt: null,
        delivered: false,
      };
      tries.set(workitem, [...before, one]);
      return one;
    },
    ended: (one, delivered) => {
      one.endedAt ??= database.now();
      if (one.endedAt < (unheardUntil.get(one.node) ?? 0)) one.mayRepeat = true;
      one.delivered = delivered;
    },
    disturbed: (node, how) => {
      if (how === 'frozen') stoodStill.set(node, database.now());
      for (const list of tries.values())
        for (const one of list) {
          if (one.node !== node) continue;
          if (one.endedAt === null) one.mayOverlap = true;
          if (isRecent(one)) one.mayRepeat = true;
          if (how === 'gone') one.endedAt ??= database.now();
        }
    },
    troubled: () => {
      for (const list of tries.values()) for (const one of list) if (isRecent(one)) one.mayRepeat = true;
    },
    unheard: (node, ms) => {
      unheardUntil.set(node, database.now() + ms);
      // What it learned before, and sent then, is as old as of one that stood still.
      stoodStill.set(node, database.now() + ms);
    },
    askedAgain: (workitem) => void asked.add(workitem),
    told: (actor, what, told, counted) => {
      claims.push({ actor, what, told, counts: counted });
      const times = byActor.get(actor) ?? 0;
      if (told === 'ok' && counted && times !== 1)
        problem(`${actor} was answered 201 for ${what}, which has happened ${times} times`);
      if (!leavesOpen(told) && told !== 'ok' && times > 0)
        problem(`${actor} was answered ${told} for ${what}, which has happened ${times} times`);
    },
    happened: (actor) => byActor.get(actor) ?? 0,
    atEnd: () => {
      for (const { actor, what, told, counts: counted } of claims) {
        const times = byActor.get(actor) ?? 0;
        if (times > 1) problem(`${actor}: ${what} has happened ${times} times`);
        if (told === 'ok' && counted && times !== 1)
          problem(`${actor}: ${what} was answered 201, happened ${times} times`);
        if (!leavesOpen(told) && told !== 'ok' && times > 0) problem(`${actor}: ${what} was refused, but has happened`);
      }
      for (const [key, message] of owed) {
        if (message.sent) continue;
        const [workitem = '', send] = key.split(' ');
        const rows = database.workflows.get(workitem.split('!')[2] as WorkflowId);
        const isOverNow = rows === undefined || isOver(rows.workflow.status);
        // An `active` message whose workitem was closed before its first try is not owed any more; its notice is.
        const excused = send === 'active' && (overSince.has(workitem) || isOverNow);
        if (!excused) problem(`${send} of ${workitem} (${expidOf(workitem as ExpressionId)}) was owed and never sent`);
      }
      for (const [id, rows] of database.workflows) {
        audit(id, true);
        readHistory(id);
        if (!isOver(rows.workflow.status)) problem(`${id} is ${rows.workflow.status} and does not end`);
        else if (rows.workitems.size > 0) problem(`${id} is over and still owes ${rows.workitems.size} messages`);
      }
    },
  };
}
