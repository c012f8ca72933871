import { seededIds } from '../../src/runtime/ids.ts';
import { describeStore } from '../store/contract.ts';
import { describeSaveAtOnce } from '../store/remembered.ts';
import { makeDatabase } from './database.ts';
import { openSimulated, perfectLink } from './store.ts';

const open = async () => {
  const store = openSimulated(
    makeDatabase(() => Date.now()),
    { link: perfectLink, ids: seededIds(1) },
  );
  return { store, close: () => store.close() };
};

describeStore('the simulated store', open, { spreads: false });
describeSaveAtOnce('the simulated store', open);
