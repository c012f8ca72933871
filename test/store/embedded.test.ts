import { openStore } from '../../src/store/open.ts';
import { describeStore } from './contract.ts';
import { describeSaveAtOnce } from './remembered.ts';

const open = async () => {
  const store = await openStore({ databaseUrl: null, dataDir: 'memory:', prepared: true });
  return { store, close: () => store.close() };
};

describeStore('the embedded store', open);
describeSaveAtOnce('the embedded store', open);
