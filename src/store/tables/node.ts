import { type OpenTable, table } from './table.ts';

/** The processes that share the database: each says again and again that it is alive, with a lease on the database's clock. */
export type Nodes = {
  /** Writes this node's heartbeat and answers all nodes, the eldest first. */
  beat(node: NodeBeat): Promise<readonly NodeRow[]>;
  /** All nodes, the eldest first, alive or not at `now` of the database's clock; writes nothing. */
  look(now: number): Promise<readonly NodeRow[]>;
  /** This node has read what lies in the memory of every node (registry/memory.ts) as it was at `at`, in milliseconds of the database's clock. */
  knows(id: string, at: number): Promise<void>;
  leave(id: string): Promise<void>;
};

export type NodeBeat = {
  readonly id: string;
  /** What people call it (NODE_NAME). Several may have the same; the id tells them apart. */
  readonly name: string;
  readonly role: string;
  readonly url: string;
  readonly version: string;
  readonly leaseSeconds: number;
  /** JSON of the names of attributes that it writes with each step (engine/attributes.ts); left out: none. */
  readonly attributes?: string;
  /** How busy it is; left out: it does not say. */
  readonly figures?: NodeFigures;
};
/** How busy a node is. */
export type NodeFigures = {
  /** Messages it has claimed, those whose try is under way among them; null: it delivers nothing. */
  readonly claims: number | null;
  /** Tries under way. */
  readonly tries: number | null;
  /** Connections to the database in use. */
  readonly connections: number | null;
  /** How late its process came to what it should do, lately, in milliseconds (runtime/loop-delay.ts). */
  readonly loopDelayMs: number | null;
};
export type NodeRow = {
  readonly id: string;
  /** Null: a node of a release that knew no names. */
  readonly name: string | null;
  readonly role: string;
  readonly url: string;
  readonly version: string;
  readonly startedAt: number;
  readonly seenAt: number;
  /** Up to which moment of the database's clock, in milliseconds, it has read all registries; null: it has none. */
  readonly registry: number | null;
  /** As in NodeBeat; null or left out: none. */
  readonly attributes?: string | null;
  /** As it said last; null or left out: it did not. */
  readonly figures?: NodeFigures | null;
  readonly alive: boolean;
};

type StoredNode = Omit<NodeRow, 'alive' | 'figures'> & { readonly leaseUntil: number; readonly figures: string | null };

/** A node that has been silent for so long is forgotten. */
const DAY_MS = 86_400_000;
/** More nodes than anybody has. */
const NODES_MAX = 1_000;

/** What `beat` answers of each node. */
const SHOWN = `id, role, url, version, name, registry, attributes, figures, (extract(epoch from started_at) * 1000)::bigint as "startedAt",
    (extract(epoch from seen_at) * 1000)::bigint as "seenAt", (extract(epoch from lease_until) * 1000)::bigint as "leaseUntil"`;

export const NODE = table<StoredNode>()({
  name: 'node',
  key: ['id'],
  columns: {
    id: 'text',
    role: 'text',
    url: 'text',
    version: 'text',
    name: 'text',
    startedAt: 'instant',
    seenAt: 'instant',
    leaseUntil: 'instant',
    registry: 'bigint',
    attributes: 'text',
    figures: 'text',
  },
  statements: {
    // One statement: it is all that most nodes write. What it wrote itself it does not see in the table.
    beat: `
  with own as (
    insert into node as n (id, role, url, version, name, attributes, figures, started_at, seen_at, lease_until)
    select $1::text, $2::text, $3::text, $4::text, $5::text, $7::text, $8::text, t.now, t.now, t.now + $6::double precision * interval '1 second'
    from (select date_trunc('milliseconds', statement_timestamp()) as now) t
    on conflict (id) do update set role = excluded.role, url = excluded.url, version = excluded.version, name = excluded.name,
      attributes = excluded.attributes, figures = excluded.figures,
      seen_at = excluded.seen_at, lease_until = excluded.lease_until
    returning *)
  select * from (
    select ${SHOWN} from own union all select ${SHOWN} from node where id <> $1::text
  ) shown order by "startedAt", id limit ${NODES_MAX}`,
  },
  lists: { all: { by: [], order: ['startedAt', 'id'] } },
  sweep: { by: 'leaseUntil', keepMs: DAY_MS },
});

const shown = ({ leaseUntil: _, figures, ...node }: StoredNode, alive: boolean): NodeRow => ({
  ...node,
  figures: figures === null ? null : (JSON.parse(figures) as NodeFigures),
  alive,
});

export function openNodes(open: OpenTable): Nodes {
  const rows = open(NODE);
  const all = async (): Promise<readonly StoredNode[]> => (await rows.list('all', { by: {}, limit: NODES_MAX })).items;
  return {
    beat: async ({ id, name, role, url, version, leaseSeconds, attributes = null, figures }) => {
      const said = figures === undefined ? null : JSON.stringify(figures);
      const found = await rows.own('beat', [id, role, url, version, name, leaseSeconds, attributes, said]);
      // Its columns are those of the rows.
      const items = found as readonly StoredNode[];
      // What was just written is the database's time.
      const nowThere = items.find((node) => node.id === id)?.seenAt ?? 0;
      return items.map((node) => shown(node, node.id === id || node.leaseUntil > nowThere));
    },
    look: async (now) => (await all()).map((node) => shown(node, node.leaseUntil > now)),
    knows: async (id, at) => void (await rows.update({ id }, { registry: at })),
    leave: async (id) => void (await rows.delete({ id })),
  };
}
