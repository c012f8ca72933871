import type { WorkflowId } from '../../../model/ids.ts';
import type { JsonObject } from '../../../model/json.ts';
import { nextDue } from '../../../registry/schedule-spec.ts';
import { type Firing, scheduleView, specOf, standingOf, timesBetween } from '../../../registry/schedules.ts';
import type { ScheduleRow } from '../../../store/tables/schedule.ts';
import { answers } from '../../answers.ts';
import { shown } from '../../ids.ts';
import { type Call, jsonReply, type Operation, type Reply } from '../../operation.ts';
import { cursorFor, cursorOf, limitOf, timeOf } from '../../page.ts';
import type { Parts } from '../../parts.ts';
import { Problem } from '../../problem.ts';
import { Type } from '../../schema.ts';
import { Reasoned } from '../../schema-parts.ts';
import { timeView } from '../../time.ts';
import { Launched } from '../workflows/schemas.ts';
import { makeRun } from './running.ts';
import { Backfill, ScheduleList, ScheduleShown } from './schemas.ts';

/** Times of one backfill. */
export const BACKFILL_MAX = 1_000;
/** Times a change is tried against others who change the same schedule. */
const TRIES_MAX = 5;

/** When stored definitions start by themselves. */
export function scheduleOperations(parts: Parts): readonly Operation[] {
  const path = '/v1/schedules/:schedule_id';
  const run = makeRun(parts);
  const act = (
    id: string,
    word: string,
    summary: string,
    to: (row: ScheduleRow) => Partial<ScheduleRow>,
  ): Operation => ({
    id,
    method: 'post',
    path: `${path}/${word}`,
    summary,
    access: 'operate',
    body: { schema: Reasoned, checked: 'here' },
    answers: answers(200, 'As it is now', ScheduleShown, 404, 422),
    handle: async (call) => jsonReply(200, view(await change(call, to))),
  });
  return [
    {
      id: 'listSchedules',
      method: 'get',
      path: '/v1/schedules',
      summary: 'When stored definitions start by themselves',
      access: 'read',
      query: [
        { name: 'definition', description: 'Only those of this definition' },
        { name: 'limit', description: 'Items per page, 1 to 1000, usually 100' },
        { name: 'cursor', description: 'The next_cursor of the page before' },
      ],
      answers: answers(200, 'A page', ScheduleList, 400),
      handle: list,
    },
    {
      id: 'getSchedule',
      method: 'get',
      path,
      summary: 'One schedule',
      access: 'read',
      answers: answers(200, 'As it is now', ScheduleShown, 404),
      handle: async (call) => jsonReply(200, view(await rowOf(call))),
    },
    act('pauseSchedule', 'pause', 'Leave its times out until it goes on', () => ({ paused: true, wakeAt: null })),
    act('resumeSchedule', 'resume', 'Let it go on with its next time', (row) => {
      if (!row.paused) return {};
      const now = parts.clock.now();
      const dueAt = nextDue(specOf(row), now, row.since);
      return { paused: false, dueAt, wakeAt: dueAt };
    }),
    {
      id: 'runSchedule',
      method: 'post',
      path: `${path}/run`,
      summary: 'Launch its definition now, beside its times',
      access: 'operate',
      body: { schema: Reasoned, checked: 'here' },
      answers: answers(201, 'It is launched; Location is its address', Launched, 404, 409, 422),
      handle: async (call) => {
        const row = await rowOf(call);
        const { fields, start } = specOf(row);
        return run(call, {
          ...{ name: row.definition, version: row.version, body: { fields }, startedBy: 'schedule', start },
          meta: { schedule: { id: row.id, due_at: timeView(parts.clock.now()) } },
        });
      },
    },
    {
      id: 'backfillSchedule',
      method: 'post',
      path: `${path}/backfill`,
      summary: 'Launch its definition for each of its times in a stretch of the past',
      access: 'operate',
      body: { schema: Backfill, checked: 'here' },
      answers: answers(202, 'So many are launched, beside each other', BackfillTaken, 404, 422),
      handle: backfill,
    },
  ];

  async function list(call: Call): Promise<Reply> {
    const { tenant } = call.principal;
    const definition = call.query.get('definition');
    const query = { limit: limitOf(call.query), after: cursorOf('schedules', call.query) };
    const { items, next } =
      definition === null
        ? await parts.store.schedules.of(tenant, query)
        : await parts.store.schedules.ofDefinition(tenant, definition, query);
    return jsonReply(200, {
      schedules: items.map(view),
      next_cursor: next === null ? null : cursorFor('schedules', next),
    });
  }

  /** @throws Problem */
  async function rowOf(call: Call): Promise<ScheduleRow> {
    const id = call.params['schedule_id'] ?? '';
    const row = /^[\w./-]{1,200}:[\w.-]{1,64}$/.test(id)
      ? await parts.store.schedules.get(call.principal.tenant, id)
      : null;
    if (row === null) throw new Problem('schedule_not_found', `There is no schedule ${shown(id)}, or not any more`);
    return row;
  }

  async function change(call: Call, to: (row: ScheduleRow) => Partial<ScheduleRow>): Promise<ScheduleRow> {
    for (let i = 0; i < TRIES_MAX; i++) {
      const row = await rowOf(call);
      const { tenant: _tenant, id: _id, ver: _ver, ...set } = to(row) as ScheduleRow;
      if (Object.keys(set).length === 0) return row;
      if (await parts.store.schedules.change(row, set)) {
        parts.scheduled?.();
        return { ...row, ...set, ver: row.ver + 1 };
      }
    }
    throw new Problem('overloaded', 'Others change this schedule again and again; try again in a moment');
  }

  /** What is to be launched is written down with its ids, and then done as what is due. */
  async function backfill(call: Call): Promise<Reply> {
    const stretch = new URLSearchParams({ from: String(call.body['from']), to: String(call.body['to']) });
    const [from, to] = [timeOf(stretch, 'from') ?? 0, timeOf(stretch, 'to') ?? 0];
    const now = parts.clock.now();
    let count = 0;
    await change(call, (row) => {
      const standing = standingOf(row);
      const times = timesBetween(specOf(row), row.since, from, Math.min(to, now), BACKFILL_MAX + 1);
      if (times.length > BACKFILL_MAX)
        throw new Problem('limit_exceeded', `Between these times it is due more than ${BACKFILL_MAX} times`);
      if (standing.firing.length > 0)
        throw new Problem('overloaded', 'This schedule is launching at this moment; try again in a moment');
      count = times.length;
      if (count === 0) return {};
      const firing: Firing[] = times.map((dueAt) => ({ id: parts.ids.workflow(now) as WorkflowId, dueAt }));
      return { firing: JSON.stringify(firing), wakeAt: Math.min(row.wakeAt ?? now, now) } as Partial<ScheduleRow>;
    });
    return jsonReply(202, { count });
  }
}

const BackfillTaken = Type.Object({ count: Type.Integer({ minimum: 0 }) }, { title: 'BackfillTaken' });
const view = (row: ScheduleRow): JsonObject => scheduleView(row, timeView);
