import type { ReadyMessage } from '../engine/engine.ts';
import { type WorkitemId, workitemId } from '../model/ids.ts';
import type { JsonObject } from '../model/json.ts';
import { REASON, type WorkitemRow } from '../model/rows.ts';
import type { Tenant } from '../model/tenant.ts';
import { readKeptTrace, traceHeaders } from '../runtime/trace-context.ts';
import type { CallbackRequest } from './message.ts';

/** JSON of the fields, in two parts (interpreter/fields.ts): what is shared may be large and the same for thousands of messages. */
export type DeliveredText = { readonly shared: string; readonly own: string };

/** What a callback says beside the workitem. */
export type CallbackSettings = {
  /** BASE_URL, without a slash at the end. */
  readonly baseUrl: string;
  readonly userAgent: string;
  /** What lets whoever has the URL answer for this workitem; null: nothing is needed. */
  readonly proceedToken: (tenant: Tenant, workitem: WorkitemId) => string | null;
  /** Sixteen hexadecimal digits nobody has had before: each try is a span of its own. Left out: traces are not passed on. */
  readonly spanId?: () => string;
};

/**
 * A message of a workitem as the request its participant gets (docs/api-v1.md, callback): exactly six keys, in this order, and of a
 * cancel for which a reason was given that as a seventh.
 *
 * `webhook-id` is the same for all tries of one message and another for the notice that follows it; `rota-try` counts the tries.
 * `rota-sequence` is the number of the history entry that owes the message: of two messages the later one has the higher.
 * A process that was frozen between its last check and the write to the socket can still send late, when another node has taken
 * over: no server can prevent that without its participant, who can tell by these two.
 */
export function callbackRequest(
  message: Pick<ReadyMessage, 'workflow' | 'tenant' | 'row'> & Partial<Pick<ReadyMessage, 'trace'>>,
  fields: DeliveredText,
  around: CallbackSettings,
): CallbackRequest {
  const { row, workflow, tenant } = message;
  const id = workitemId(row.id, workflow);
  const send = row.send ?? 'active';
  // The fields are JSON already and are put in as they are.
  const before =
    `{"workflow_id":${JSON.stringify(workflow)},"workitem_id":${JSON.stringify(id)},` +
    `"participant":${JSON.stringify(row.participant)},"status":"${send}","fields":`;
  const trace = readKeptTrace(message.trace ?? null);
  const token = around.proceedToken(tenant, id);
  const query = token === null ? '' : `?token=${token}`;
  const after = `${fields.own},"proceed_url":${JSON.stringify(`${around.baseUrl}/v1/workflows/${workflow}/workitems/${id}/proceed${query}`)}${reasonIn(row)}}`;
  return {
    url: row.url ?? '',
    headers: {
      'content-type': 'application/json',
      'user-agent': around.userAgent,
      'webhook-id': `msg_${id}_${send}`.replaceAll('.', '-'),
      'rota-try': String(row.tries + 1),
      ...(row.entryN == null ? {} : { 'rota-sequence': String(sequenceOf(row, row.entryN)) }),
      ...(trace === null || around.spanId === undefined ? {} : traceHeaders(trace, around.spanId())),
    },
    body:
      fields.shared === ''
        ? before + after
        : Buffer.concat([Buffer.from(before), bytesOf(fields.shared), Buffer.from(after)]),
  };
}

/** Opened and closed in one step it has the number of its end, and the message of before comes before that. */
const sequenceOf = ({ send, then }: WorkitemRow, sequence: number): number =>
  then != null && send === 'active' ? sequence - 1 : sequence;

/** Why it is cancelled, as a key more; nothing where nobody said. */
function reasonIn({ send, added }: Pick<WorkitemRow, 'send' | 'added'>): string {
  if (send !== 'cancel' || added == null) return '';
  const reason = (JSON.parse(added) as JsonObject)[REASON];
  return reason === undefined ? '' : `,"reason":${JSON.stringify(reason)}`;
}

/** The last shared text as bytes: copying them costs a tenth of making them. */
let lastShared: { readonly text: string; readonly bytes: Buffer } | null = null;
function bytesOf(text: string): Buffer {
  if (lastShared?.text !== text) lastShared = { text, bytes: Buffer.from(text) };
  return lastShared.bytes;
}
