import { openStore } from '../../src/store/open.ts';
import { describeStore } from './contract.ts';

describeStore('the embedded store', async () => {
  const store = await openStore({ databaseUrl: null, dataDir: 'memory:', prepared: true });
  return { store, close: () => store.close() };
});
