import { SHARDS } from '../model/ids.ts';
import type { Connections, Statement } from './connections.ts';
import { cursorAt, pageOf, pageSize, readCursor } from './page.ts';
import type { Attribute, Reads, WorkflowsQuery } from './store.ts';
import { rowOf, selected, WORKFLOW_SUMMARY } from './tables/of-workflow.ts';
import { countWalking, isWalked } from './walking-counts.ts';
import { behind, conditionsOf, selectBy } from './workflow-conditions.ts';

/*
 * Workflows by their attributes or by whose turn it is, and whatever else is asked for. The rarest of the conditions leads: first the *hits* are found by its index, then
 * each of them is looked up and held against everything. Where no condition alone is rare, hits are taken in the order of the list, so many at
 * once, and the cursor goes on behind them: so no combination makes a statement walk through a table.
 */

/** Hits of one page, and of a count among more than COUNTED_MAX. */
export const HITS_MAX = 1_000;
/** Where something that is asked for has no more hits than this, a count is exact, and a list of a participant alone begins with its workitems. */
const COUNTED_MAX = 10_000;

type Asked = Omit<WorkflowsQuery, 'limit' | 'after'> & { readonly attributes: readonly Attribute[] };
/** What has an index of its own, beside those of workflows: an attribute, or the workitems of a participant. */
type Named = Attribute | { readonly participant: string };
/** Where hits come from, and whether all of them are taken. */
type Lead = { readonly of: Named | 'workflows'; readonly isWhole: boolean };
type Sql = { readonly text: string; readonly values: readonly unknown[] };

const isByEnd = ({ ended }: Asked): boolean => (ended?.from ?? null) !== null || (ended?.to ?? null) !== null;

/** Without what no index of workflows leads to. */
const rest = ({ attributes: _, updated: __, ...others }: Asked): Omit<WorkflowsQuery, 'limit' | 'after'> => ({
  ...others,
  participant: null,
});

const isNarrowed = ({
  status,
  name,
  businessKey,
  launched,
  definition,
  errorClass,
  ended,
}: Omit<Asked, 'attributes'>): boolean =>
  [status, name, businessKey, launched?.from, launched?.to, definition, errorClass, ended?.from, ended?.to].some(
    (one) => one !== null && one !== undefined,
  );

/** What is counted by `countFound` although it has no attributes: those of a participant that have something else, and what has to be walked through. */
export const isCountedByFinding = (query: Omit<WorkflowsQuery, 'limit' | 'after'>): boolean =>
  isOfParticipantAnd(query) || isWalked(query);

/** Those of a participant that have something else in common: no index leads to both. For `found` and `countFound`, without attributes. */
export const isOfParticipantAnd = (query: Omit<WorkflowsQuery, 'limit' | 'after'>): boolean =>
  query.participant !== null && (isNarrowed(query) || (query.updated?.from ?? query.updated?.to ?? null) !== null);

const namedIn = ({ attributes, participant }: Asked): readonly Named[] => [
  ...attributes,
  ...(participant === null ? [] : [{ participant }]),
];

/** Rows of the index, newest launched first. */
function ofAttribute({ tenant, launched }: Asked, { name, value }: Attribute, after: Place | null): Sql {
  const values: unknown[] = [tenant, name, value];
  const conditions = ['a.tenant = $1', 'a.name = $2', 'a.value = $3'];
  const add = (given: number | null | undefined, condition: (given: string) => string): void => {
    if (given === null || given === undefined) return;
    values.push(given);
    conditions.push(condition(`$${values.length}`));
  };
  add(launched?.from, (given) => `a.launched_at >= ${given}`);
  add(launched?.to, (given) => `a.launched_at < ${given}`);
  if (after !== null) {
    values.push(...after);
    const [at, id] = [`$${values.length - 1}`, `$${values.length}`];
    conditions.push(`a.launched_at <= ${at} and (a.launched_at < ${at} or a.workflow_id > ${id})`);
  }
  return {
    text: `select a.shard, a.workflow_id, a.launched_at as at from attribute a where ${conditions.join(' and ')}`,
    values,
  };
}

type Place = readonly [number, string];

/** Of a participant: in no order, and only to be taken whole; a workflow may have several workitems. */
const ofParticipant = ({ tenant }: Asked, participant: string): Sql => ({
  text: `select distinct t.shard, t.workflow_id, 0::bigint as at from workitem t
    where t.tenant = $1 and t.participant = $2 and t.state in ('open', 'failed')`,
  values: [tenant, participant],
});

/** What is counted of it, to tell how rare it is. */
const rowsOf = (asked: Asked, named: Named): Sql =>
  'participant' in named
    ? {
        text: `select 1 from workitem t where t.tenant = $1 and t.participant = $2 and t.state in ('open', 'failed')`,
        values: [asked.tenant, named.participant],
      }
    : ofAttribute(asked, named, null);

/** Ordered even where all of them are taken: else a plan that does not know how many there are would rather walk through the table. */
function ofWorkflows(asked: Asked, after: Place | null, limit: number): Sql {
  const { values, conditions, branches, filter, by } = conditionsOf(rest(asked));
  filter('after', after, (at, id) => `w.${by} <= ${at} and (w.${by} < ${at} or w.id > ${id})`);
  values.push(limit);
  return {
    text: selectBy(
      `w.shard, w.id as workflow_id, w.${by} as at`,
      conditions,
      branches,
      `order by w.${by} desc, w.id limit $${values.length}`,
    ),
    values,
  };
}

function hitsOf(asked: Asked, lead: Lead, after: Place | null, limit: number): Sql {
  // All hits are taken, whatever page it is, and those before it are left out as they are looked up.
  const place = lead.isWhole ? null : after;
  const { text, values } =
    lead.of === 'workflows'
      ? ofWorkflows(asked, place, limit)
      : 'participant' in lead.of
        ? ofParticipant(asked, lead.of.participant)
        : ofAttribute(asked, lead.of, isByEnd(asked) ? null : place);
  const order = lead.isWhole ? '' : 'order by at desc, workflow_id ';
  return {
    text: `select * from (${text}) hit ${order}limit $${values.length + 1}`,
    values: [...values, limit],
  };
}

/**
 * `hits`, and the workflows among them that fit everything, as `w`. What leads is not looked up again. Attributes are looked up by the hit (each by
 * itself: `offset 0`), so a workflow is read only where it has them.
 */
function matching(asked: Asked, lead: Lead, after: Place | null, limit: number) {
  const hits = hitsOf(asked, lead, after, limit);
  const isLedByItems = lead.of !== 'workflows' && 'participant' in lead.of;
  const { values, conditions, branches, filter, by } = conditionsOf(
    isLedByItems ? { ...asked, participant: null } : asked,
  );
  filter('after', after, (at, id) => `w.${by} <= ${at} and (w.${by} < ${at} or w.id > ${id})`);
  for (const attribute of asked.attributes)
    if (attribute !== lead.of)
      filter(
        'attribute',
        [attribute.name, attribute.value],
        (name, value) => `exists (
      select 1 from attribute a where a.shard = h.shard and a.workflow_id = h.workflow_id and a.name = ${name} and a.value = ${value} offset 0)`,
      );
  const all = [...conditions, ...(branches.length === 0 ? [] : [`(${branches.join(' or ')})`])].join(' and ');
  return {
    by,
    values: [...hits.values, ...values],
    hits: hits.text,
    from: `hits h cross join lateral (
      select * from workflow w where w.shard = h.shard and w.id = h.workflow_id and ${behind(all, hits.values.length)} offset 0) w`,
  };
}

type LastHit = { readonly looked: number; readonly last_at: number | null; readonly last_id: string };
const LAST_HIT = `(select count(*) from hits)::integer as looked,
    (select at from hits order by at, workflow_id desc limit 1) as last_at,
    (select workflow_id from hits order by at, workflow_id desc limit 1) as last_id`;

export function readsOfAttributes(
  connections: Connections,
  { countWorkflows: count, workflows: walk }: Pick<Reads, 'countWorkflows' | 'workflows'>,
): Pick<Reads, 'found' | 'countFound'> {
  /** Each text has a name of its own; there are as many as there are combinations of filters that are asked for. */
  const statements = new Map<string, Statement>();
  const run = (text: string, values: readonly unknown[]) => {
    const known = statements.get(text) ?? { name: `found_${statements.size}`, text };
    statements.set(text, known);
    return connections.run(known, values);
  };

  /** How many hits each of what is named has, counted to `most`. */
  async function hitsOfEach(asked: Asked, most: number): Promise<readonly number[]> {
    const values: unknown[] = [];
    const counts = namedIn(asked).map((named, i) => {
      const hits = rowsOf(asked, named);
      const text = behind(hits.text, values.length);
      values.push(...hits.values, most);
      return `(select count(*) from (${text} limit $${values.length}) counted)::integer as n${i}`;
    });
    const [row] = (await run(`select ${counts.join(', ')}`, values)).rows;
    return namedIn(asked).map((_, i) => row?.[`n${i}`] as number);
  }

  async function haveAtMost(asked: Omit<WorkflowsQuery, 'limit' | 'after'>, most: number): Promise<boolean> {
    if (!isWalked(asked)) return (await count(asked, most + 1)) <= most;
    const { n, lookedBackTo } = await countWalking(run, count, asked, most + 1);
    return n <= most && lookedBackTo === null;
  }

  async function leadOf(asked: Asked, counts: readonly number[], most: number): Promise<Lead> {
    const least = Math.min(...counts);
    const of = namedIn(asked)[counts.indexOf(least)] ?? 'workflows';
    if (least <= most) return { of, isWhole: true };
    if (isNarrowed(asked) && (await haveAtMost(rest(asked), most))) return { of: 'workflows', isWhole: true };
    // Of attributes the rarest; a participant's workitems are in another order than the list.
    const [first] = asked.attributes;
    if (isByEnd(asked) || first === undefined) return { of: 'workflows', isWhole: false };
    const rarest = asked.attributes.reduce((best, _, i) => ((counts[i] ?? 0) < (counts[best] ?? 0) ? i : best), 0);
    return { of: asked.attributes[rarest] ?? first, isWhole: false };
  }

  /** All hits of `lead` are looked up: of many, those of each half of the shards beside those of the other. */
  async function countWhole(asked: Asked, lead: Lead, hitsCounted: number, most: number): Promise<number> {
    const { values, hits, from } = matching(asked, lead, null, COUNTED_MAX);
    const [low, high, limit] = [1, 2, 3].map((i) => `$${values.length + i}`);
    const text = `
  with hits as not materialized (select * from (${hits}) hit where shard >= ${low} and shard < ${high})
  select count(*)::integer as n from (select 1 from ${from} limit ${limit}) counted`;
    const parts =
      lead.of === 'workflows' || hitsCounted <= HITS_MAX
        ? [[0, SHARDS]]
        : [
            [0, SHARDS / 2],
            [SHARDS / 2, SHARDS],
          ];
    const counted = await Promise.all(parts.map((shards) => run(text, [...values, ...shards, most])));
    return Math.min(
      most,
      counted.reduce((sum, { rows }) => sum + (rows[0]?.['n'] as number), 0),
    );
  }

  return {
    found: async ({ limit, after, ...asked }) => {
      const size = pageSize(limit);
      const place = after === null ? null : readCursor(after, ['number', 'string']);
      const isAlone = asked.attributes.length === 0 && !isOfParticipantAnd(asked);
      const most = isAlone ? COUNTED_MAX : HITS_MAX;
      const lead = await leadOf(asked, await hitsOfEach(asked, most + 1), most);
      // There are so many that the newest workflows lead to some of them soon.
      if (isAlone && !lead.isWhole) return { ...(await walk({ ...asked, limit, after })), lookedBackTo: null };
      const { by, values, hits, from } = matching(asked, lead, place, most);
      // Hits that come in the order of the list are looked up one by one, until there are enough.
      const [how, order] = lead.isWhole
        ? ['materialized', `w.${by} desc, w.id`]
        : ['not materialized', 'h.at desc, h.workflow_id'];
      const { rows } = await run(
        `
  with hits as ${how} (${hits})
  select ${selected(WORKFLOW_SUMMARY, 'w')} from ${from} order by ${order} limit $${values.length + 1}`,
        [...values, size + 1],
      );
      const items = rows.map((record) => rowOf(WORKFLOW_SUMMARY, record));
      const timeOf = (row: (typeof items)[number]): number =>
        (by === 'ended_at' ? row.endedAt : row.launchedAt) ?? row.launchedAt;
      const page = pageOf(items, size, (row) => [timeOf(row), row.id]);
      const last = page.items.at(-1);
      const shownBackTo = last === undefined ? null : timeOf(last);
      if (page.next !== null || lead.isWhole) return { ...page, lookedBackTo: shownBackTo };
      const sought = hitsOf(asked, lead, place, HITS_MAX);
      const end = (await run(`with hits as materialized (${sought.text}) select ${LAST_HIT}`, sought.values)).rows[0];
      const { looked, last_at, last_id } = end as LastHit;
      if (looked < HITS_MAX || last_at === null) return { ...page, lookedBackTo: shownBackTo };
      return { ...page, next: cursorAt([last_at, last_id]), lookedBackTo: last_at };
    },

    countFound: async (asked, most) => {
      if (namedIn(asked).length === 0) return countWalking(run, count, asked, most);
      const counts = await hitsOfEach(asked, Math.max(most, COUNTED_MAX + 1));
      const isAlone =
        asked.attributes.length === 1 && counts.length === 1 && !isNarrowed(asked) && !isNarrowedByMoves(asked);
      if (isAlone) return { n: Math.min(most, counts[0] ?? 0), lookedBackTo: null };
      const lead = await leadOf(asked, counts, COUNTED_MAX);
      if (lead.isWhole) return { n: await countWhole(asked, lead, Math.min(...counts), most), lookedBackTo: null };
      const { values, hits, from } = matching(asked, lead, null, HITS_MAX);
      const { rows } = await run(
        `
  with hits as materialized (${hits})
  select (select count(*) from (select 1 from ${from} limit $${values.length + 1}) counted)::integer as n, ${LAST_HIT}`,
        [...values, most],
      );
      const { n, looked, last_at } = rows[0] as LastHit & { readonly n: number };
      return { n, lookedBackTo: looked < HITS_MAX || n >= most ? null : last_at };
    },
  };
}

const isNarrowedByMoves = ({ updated }: Asked): boolean => (updated?.from ?? updated?.to ?? null) !== null;
