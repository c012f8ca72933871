import { fieldsAtHand, hopsOf, tagsOf } from '../interpreter/inspect.ts';
import { unpackHistory } from '../model/history.ts';
import type { HistoryEntry } from '../model/history-kinds.ts';
import { isObject, type Json, type JsonObject } from '../model/json.ts';
import { EVENT_FIELDS_MAX, eventTypeOf, fitsPattern, partsOfEntry, type Subscriber } from '../model/lifecycle.ts';
import { readOptions } from '../model/participants.ts';
import type { HistoryRow, WorkflowRow } from '../model/rows.ts';
import type { Loaded } from '../model/stimulus.ts';
import type { OwedDelivery } from '../store/store.ts';

/*
 * What a step owes to those who are told of lifecycles: a row for each event and subscriber, written in the transaction of the step. Where nobody
 * subscribes and the launch has no `notify`, nothing is looked at.
 */

export type Subscribers = {
  /** Those of a tenant that are enabled; empty: there are none. */
  readonly of: (tenant: string) => readonly Subscriber[];
  /** BASE_URL, without a slash at its end. */
  readonly baseUrl: () => string;
};

const NOTHING: readonly OwedDelivery[] = [];

/** @param view the workflow's rows as the step leaves them */
export function owedBy(
  subscribers: Subscribers | undefined,
  view: Loaded,
  history: readonly HistoryRow[],
): readonly OwedDelivery[] {
  const { workflow } = view;
  if (subscribers === undefined || workflow === null || history.length === 0) return NOTHING;
  const subscribed = subscribers.of(workflow.tenant);
  if (subscribed.length === 0 && workflow.options == null) return NOTHING;
  const all = workflow.options == null ? subscribed : [...subscribed, ...notified(workflow.options)];
  if (all.length === 0) return NOTHING;
  const owed: OwedDelivery[] = [];
  for (const row of history) {
    // Who asked for a step, and why, stands in its first entry and is true of what followed.
    let said: JsonObject = {};
    for (const [i, entry] of unpackHistory(row.entries, workflow.id).entries()) {
      said = { ...said, ...sayingsIn(entry) };
      const happened = { view, workflow, entry, said, n: row.firstN + i, at: timeOf(entry, row) };
      owed.push(...owedFor(all, happened, subscribers.baseUrl()));
    }
  }
  return owed;
}

const sayingsIn = ({ actor, reason }: HistoryEntry): JsonObject => ({
  ...(actor === undefined ? {} : { actor }),
  ...(reason === undefined ? {} : { reason }),
});

const timeOf = (entry: HistoryEntry, row: HistoryRow): number => {
  const { at } = entry as { readonly at?: unknown };
  return typeof at === 'number' ? at : row.at;
};

/** The `notify` of a launch, in the form that is kept. */
export function notified(options: string): readonly Subscriber[] {
  return (readOptions(options).notify ?? []).flatMap((one, i) => {
    if (!isObject(one)) return [];
    return [
      {
        id: `notify${i}`,
        events: one['events'] as readonly string[],
        filter: {},
        ordered: false,
        fields: one['fields'] === true,
        target: JSON.stringify({ url: one['url'], headers: one['headers'] ?? {} }),
      },
    ];
  });
}

type Happened = {
  readonly view: Loaded;
  readonly workflow: WorkflowRow;
  readonly entry: HistoryEntry;
  readonly said: JsonObject;
  readonly n: number;
  readonly at: number;
};

function owedFor(all: readonly Subscriber[], happened: Happened, baseUrl: string): readonly OwedDelivery[] {
  const type = eventTypeOf(happened.entry);
  if (type === null) return NOTHING;
  const { workflow, n, at } = happened;
  const fitting = all.filter(
    (one) => one.events.some((pattern) => fitsPattern(pattern, type)) && isWanted(one, happened),
  );
  return fitting.map((one) => ({
    id: `${workflow.id}_${n}_${one.id}`,
    tenant: workflow.tenant,
    subscription: one.id,
    workflowId: workflow.id,
    n,
    type,
    event: JSON.stringify(lifecycleEvent(happened, type, baseUrl, one.fields)),
    target: one.target,
    ordered: one.ordered,
    createdAt: at,
  }));
}

function isWanted({ filter }: Subscriber, { workflow }: Happened): boolean {
  if (filter.name !== undefined && filter.name !== workflow.name) return false;
  if (filter.definition !== undefined && filter.definition !== workflow.definitionName) return false;
  return filter.tag === undefined || tagsOf(workflow).includes(filter.tag);
}

function lifecycleEvent(
  { view, workflow, entry, said, n, at }: Happened,
  type: string,
  baseUrl: string,
  wantsFields: boolean,
): JsonObject {
  const fields = wantsFields ? fieldsAtHand(view) : null;
  const definition = workflow.definitionName ?? null;
  const data: { [part: string]: Json } = {
    workflow_id: workflow.id,
    name: workflow.name,
    status: workflow.status,
    ...(definition === null ? {} : { definition }),
    ...(workflow.businessKey === null ? {} : { business_key: workflow.businessKey }),
    tags: tagsOf(workflow),
    ...said,
    ...partsOfEntry(entry),
  };
  if (wantsFields) {
    if (fields === null || JSON.stringify(fields).length > EVENT_FIELDS_MAX) data['fields_omitted'] = true;
    else data['fields'] = fields;
  }
  return {
    specversion: '1.0',
    id: `${workflow.id}/${n}`,
    source: `${baseUrl}/v1/workflows/${workflow.id}`,
    type,
    subject: workflow.id,
    time: new Date(at).toISOString(),
    sequence: String(n).padStart(10, '0'),
    // What it tells came of one event more than the workflow itself.
    rotahops: hopsOf(workflow) + 1,
    datacontenttype: 'application/json',
    data,
  };
}
