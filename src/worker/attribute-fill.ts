import { type Attributed, attributesOf } from '../engine/attributes.ts';
import { SHARDS } from '../model/ids.ts';
import type { Log } from '../runtime/log.ts';
import { type AttributeChange, FILLED, type NodeRow, type Store } from '../store/store.ts';

/*
 * Workflows that stood before their tags and fields were written with each step are gone through once, shard by shard, and from then on lists ask the index.
 * That begins when all living nodes write them, and what is filled is given up when one comes that does not: what it stepped would not be found.
 */

export type AttributeFill = {
  /** Names that are new to a store without workflows are done at once, and those that this node does not write are given up. */
  begin(): Promise<void>;
  /** Goes on for a while; for the node that keeps house. */
  fill(): Promise<void>;
};

/** Workflows read and written at once. */
const AT_ONCE = 100;
/** Pages of one go; the next comes in a minute. */
const PAGES_MAX = 500;
/** How often a page is read again of which something moved meanwhile, before the rest waits for the next go. */
const AGAIN_MAX = 5;

export function fillAttributes(parts: {
  readonly store: Pick<Store, 'attributes'>;
  readonly attributed: Attributed;
  readonly nodes: () => Promise<readonly NodeRow[]>;
  readonly log: Log;
}): AttributeFill {
  const { store, attributed, log } = parts;
  const { attributes } = store;

  /** Names that not all living nodes write. */
  async function unwritten(): Promise<ReadonlySet<string>> {
    const living = (await parts.nodes()).filter(({ alive }) => alive);
    const written = living.map((node) => new Set(readNames(node.attributes)));
    return new Set(attributed.names.filter((name) => written.some((names) => !names.has(name))));
  }

  /** Of the names that all nodes write, those that are not filled. */
  async function pending(): Promise<ReadonlyMap<string, string | undefined>> {
    const marks = await attributes.marks();
    const left = await unwritten();
    for (const name of marks.keys())
      if (!attributed.names.includes(name) || left.has(name)) {
        await attributes.forget(name);
        log.info('an index of workflows is given up, for some node does not write it', {
          event: 'attribute.given_up',
          attribute: name,
        });
      }
    return new Map(
      attributed.names
        .filter((name) => !left.has(name) && marks.get(name) !== FILLED)
        .map((name) => [name, marks.get(name)]),
    );
  }

  /** Whether the page is done; what moved while it was read is read again. */
  async function fillPage(shard: number, after: string, names: readonly string[]): Promise<string | 'moved' | null> {
    for (let again = 0; again < AGAIN_MAX; again++) {
      const { items, isLast } = await attributes.page(shard, after, AT_ONCE);
      const changes = items.flatMap(({ row, workitem }): readonly (AttributeChange & { readonly ver: number })[] => {
        const values = attributesOf(row, workitem, attributed);
        const { id, tenant, launchedAt, ver } = row;
        return names.map((name) => ({ workflow: id, tenant, launchedAt, ver, name, values: values.get(name) ?? [] }));
      });
      const moved = await attributes.fill(shard, changes);
      if (moved.size === 0) return isLast ? null : (items.at(-1)?.row.id ?? null);
    }
    return 'moved';
  }

  async function fill(): Promise<void> {
    const waiting = await pending();
    if (waiting.size === 0) return;
    const names = [...waiting.keys()];
    // A name that has just been added goes through everything, and takes the others along.
    const places = [...waiting.values()].map(readPlace);
    let [shard, after] = places.reduce((a, b) => (a[0] < b[0] || (a[0] === b[0] && a[1] <= b[1]) ? a : b));
    const note = async (mark: string): Promise<void> => {
      for (const name of names) await attributes.mark(name, mark);
    };
    for (let page = 0; page < PAGES_MAX && shard < SHARDS; page++) {
      const next = await fillPage(shard, after, names);
      if (next === 'moved') break;
      [shard, after] = next === null ? [shard + 1, ''] : [shard, next];
    }
    await note(shard < SHARDS ? JSON.stringify([shard, after]) : FILLED);
    if (shard === SHARDS)
      log.info('workflows can be found by an index from now on', { event: 'attribute.filled', attributes: names });
  }

  return {
    begin: async () => {
      const waiting = await pending();
      if (waiting.size === 0 || !(await attributes.isEmpty())) return;
      for (const name of waiting.keys()) await attributes.mark(name, FILLED);
    },
    fill,
  };
}

const readNames = (text: string | null | undefined): readonly string[] => JSON.parse(text ?? '[]') as string[];

/** Where to go on, by a mark; from the beginning without one. */
function readPlace(mark: string | undefined): readonly [number, string] {
  return mark === undefined ? [0, ''] : (JSON.parse(mark) as [number, string]);
}
