import type { WorkflowId } from '../../src/model/ids.ts';
import type { Changes } from '../../src/model/rows.ts';
import type { Loaded, Need } from '../../src/model/stimulus.ts';
import type { Save, Store, Transaction } from '../../src/store/store.ts';
import { save } from './samples.ts';

/** How a store keeps its promises about one table; `store`: the one to be asked. A file of contract/ exports one, named `about`. */
export type Topic = (store: () => Store) => void;

/** Writes changes in a transaction that loaded nothing: their `ver` says what they follow. */
export async function writeTo(
  store: Store,
  list: readonly Changes[],
  given: Partial<Save> = {},
): Promise<'committed' | 'lost'> {
  const transaction: Transaction = await store.begin([]);
  return transaction.commit(save(list, given));
}

export async function loadFrom(store: Store, id: WorkflowId, ...needs: readonly Need[]): Promise<Loaded> {
  const transaction = await store.begin([{ workflow: id, needs }]);
  await transaction.rollback();
  const loaded = transaction.loaded.get(id);
  if (loaded === undefined) throw new Error(`${id} was not loaded`);
  return loaded;
}

export const peek = (store: Store, now: number): ReturnType<Store['peekAgenda']> =>
  store.peekAgenda({ now, limit: 1_000, share: 0, shares: 1, othersAfterMs: 0 });
