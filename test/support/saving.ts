import type { Save, Store } from '../../src/store/store.ts';

/**
 * A store around whose saves something happens, whichever way they take: at the end of a transaction, or in one round trip.
 *
 * @param around is given the save and how to go on with it; what it answers or throws is what the engine sees. `undo` ends the transaction
 *   of a save that does not take place
 */
export function aroundSaving(
  store: Store,
  around: <Outcome extends string>(saving: {
    readonly save: Save;
    readonly go: () => Promise<Outcome>;
    readonly undo: () => Promise<void>;
  }) => Promise<Outcome>,
): Store {
  const { saveAtOnce } = store;
  return {
    ...store,
    saveAtOnce:
      saveAtOnce === null
        ? null
        : (save, remembered) => around({ save, go: () => saveAtOnce(save, remembered), undo: async () => {} }),
    begin: async (requests) => {
      const transaction = await store.begin(requests);
      const { commit, rollback } = transaction;
      return { ...transaction, commit: (save) => around({ save, go: () => commit(save), undo: rollback }) };
    },
  };
}
