import { LanguageError } from '../../language/language-error.ts';
import { type EventMode, HEARD, SEND_ID, type SentEvent } from '../../model/events.ts';
import type { Json } from '../../model/json.ts';
import type { World } from '../state/world.ts';

/* What a workflow sends to others: rows of its agenda, which are sent once the step is saved. */

/** Seconds a competing event waits for somebody. */
const KEPT_SECONDS = 3_600;

/** Owes an event to whoever waits for it: a row of the agenda, which is sent once the step is saved. */
export function sendEvent(
  world: World,
  given: {
    readonly type: string;
    readonly key: string | null;
    readonly mode: EventMode;
    readonly to: string | null;
    readonly data: Json;
    /** Its own workflow has heard it within this step. */
    readonly isHeardHere?: boolean;
  },
): void {
  const { header, row, now, context } = world;
  const { isHeardHere = false, ...event } = given;
  const hops = world.hops + 1;
  if (hops > context.limits.hops)
    throw new LanguageError(
      'LimitExceeded',
      `the event ${given.type} came of ${hops} events, one by way of the next; more than ${context.limits.hops} are taken for a loop`,
    );
  header.sent++;
  const sent: SentEvent = {
    ...event,
    id: `${row.id}/${header.sent}${isHeardHere ? HEARD : ''}`,
    hops,
    at: now,
    keepSeconds: given.mode === 'competing' ? KEPT_SECONDS : given.mode === 'direct' ? null : 0,
  };
  const id = `${SEND_ID}${header.sent}`;
  const payload = JSON.stringify({ send: sent });
  world.spendCopy(given.data);
  world.changeAgenda(id, {
    kind: 'put',
    row: { id, kind: 'event', dueAt: now, heldAt: null, path: null, payload },
  });
}
