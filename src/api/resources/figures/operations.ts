import type { JsonObject } from '../../../model/json.ts';
import { answers } from '../../answers.ts';
import { type Call, jsonReply, type Operation, type Reply } from '../../operation.ts';
import type { Parts, Stats as StatsFound } from '../../parts.ts';
import { Problem } from '../../problem.ts';
import { timeView } from '../../time.ts';
import { Stats } from './schemas.ts';

/* Figures: for Prometheus, and for people. */

/** A week. */
const MINUTES_MAX = 10_080;
const MINUTES_DEFAULT = 60;

/** Each node answers for itself, workers, too. */
export const figureOperations = ({ figures }: Parts): readonly Operation[] =>
  figures === undefined
    ? []
    : [
        {
          id: 'getMetrics',
          method: 'get',
          path: '/metrics',
          summary: 'Figures of this node and of the whole database, in the format of Prometheus or OpenMetrics',
          access: 'read',
          routine: true,
          answers: {
            ...answers(200, '', null, 403),
            200: { description: 'One figure a line', type: 'text/plain', also: ['application/openmetrics-text'] },
          },
          handle: async (call): Promise<Reply> => {
            // They are of all tenants together.
            if (call.principal.everywhere !== true)
              throw new Problem('scope_missing', 'Figures of all tenants are for principals of all tenants');
            const format = call.header('accept')?.includes('application/openmetrics-text')
              ? 'openmetrics'
              : 'prometheus';
            const { type, text } = await figures.scrape(format);
            return { kind: 'text', status: 200, type, text, headers: {} };
          },
        },
      ];

export const statsOperation = ({ figures, clock }: Parts): readonly Operation[] =>
  figures === undefined
    ? []
    : [
        {
          id: 'getStats',
          method: 'get',
          path: '/v1/stats',
          summary: 'How many there are of what, and what happened in each of the last minutes',
          access: 'read',
          query: [
            {
              name: 'minutes',
              description: `How far to look back, at most ${MINUTES_MAX}; default ${MINUTES_DEFAULT}`,
              schema: { type: 'integer', minimum: 1, maximum: MINUTES_MAX, default: MINUTES_DEFAULT },
            },
          ],
          answers: answers(200, 'As of now', Stats, 400),
          handle: async (call) => {
            // Who is of all tenants and names none looks at all of them.
            const isAll = call.principal.everywhere === true && call.header('rota-tenant') === null;
            const minutes = minutesOf(call);
            const found = await figures.stats({ tenant: isAll ? null : call.principal.tenant, minutes });
            return jsonReply(200, statsView(found, clock.now()));
          },
        },
      ];

function minutesOf(call: Call): number {
  const given = call.query.get('minutes');
  if (given === null) return MINUTES_DEFAULT;
  const minutes = /^\d{1,5}$/.test(given) ? Number(given) : 0;
  if (minutes < 1 || minutes > MINUTES_MAX)
    throw new Problem('query_invalid', `minutes must be a whole number from 1 to ${MINUTES_MAX}`);
  return minutes;
}

function statsView(found: StatsFound, now: number): JsonObject {
  const { workflows, workitems, messages, timers, errors, busiest, minutes, hosts } = found;
  return {
    now: timeView(now),
    workflows: workflows === null ? null : Object.fromEntries(workflows),
    workitems:
      workitems === null ? null : { open: workitems.open, failed: workitems.failed, overdue: workitems.overdue },
    messages:
      messages === null
        ? null
        : {
            due: messages.due,
            oldest_due_seconds: messages.oldestDueSeconds,
            failing: workitems?.failing ?? null,
            spent: workitems?.failed ?? null,
          },
    timers: timers === null ? null : { due: timers.due, oldest_due_seconds: timers.oldestDueSeconds },
    errors,
    definitions:
      busiest?.map(({ name, launched, live, failed, p50Ms, p95Ms }) => ({
        name,
        launched,
        live,
        failed,
        p50_ms: p50Ms,
        p95_ms: p95Ms,
      })) ?? null,
    minutes: minutes.map((minute) => ({
      at: timeView(minute.at),
      launched: minute.launched,
      ended: minute.ended,
      steps: minute.steps,
      tries: minute.tries,
      step_p50_ms: minute.stepP50Ms,
      step_p95_ms: minute.stepP95Ms,
      timer_lag_ms: minute.timerLagMs,
      claim_lag_ms: minute.claimLagMs,
      database_ms: minute.databaseMs,
    })),
    ...(hosts === null
      ? {}
      : {
          hosts: hosts.map(({ host, inFlight, tries, failingSince, perMinute, p50Ms, p95Ms, breaker, openUntil }) => ({
            host,
            in_flight: inFlight,
            tries,
            failing_since: failingSince === null ? null : timeView(failingSince),
            per_minute: perMinute,
            p50_ms: p50Ms,
            p95_ms: p95Ms,
            breaker,
            open_until: openUntil === null ? null : timeView(openUntil),
          })),
        }),
  };
}
