import { seededIds } from '../../src/runtime/ids.ts';
import { describeStore } from '../store/contract.ts';
import { makeDatabase } from './database.ts';
import { openSimulated, perfectLink } from './store.ts';

describeStore('the simulated store', async () => {
  const store = openSimulated(
    makeDatabase(() => Date.now()),
    { link: perfectLink, ids: seededIds(1) },
  );
  return { store, close: () => store.close() };
});
