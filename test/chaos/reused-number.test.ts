import pg from 'pg';
import { expect, test } from 'vitest';
import { DEFAULT_TENANT } from '../../src/model/tenant.ts';
import { openStore } from '../../src/store/open.ts';
import { changes, history, save, workflow, workflowId } from '../store/samples.ts';
import { startCluster } from '../support/cluster.ts';
import { startProxy } from '../support/proxy.ts';

/** Whether what was begun had reached the disk when the database crashed is its own affair; mostly it had not. */
const ROUNDS_MAX = 10;

test('a commit that was lost in a crash is not taken for that of another transaction with the same number', {
  timeout: 240_000,
}, async () => {
  const cluster = await startCluster();
  if (typeof cluster === 'string') {
    console.warn(`The test of a crash in a commit does not run: ${cluster}.`);
    return;
  }
  const proxy = await startProxy(cluster.url);
  const store = await openStore({ databaseUrl: proxy.url, dataDir: 'memory:', prepared: true, log: () => {} });
  try {
    let reused = false;
    for (let round = 0; round < ROUNDS_MAX && !reused; round++) {
      const id = workflowId();
      const transaction = await store.begin([{ workflow: id, needs: [] }]);
      const number = (await numbers(cluster.url, 1))[0] as number;
      proxy.cutNextCommit('before');
      const outcome = transaction.commit(save([changes(workflow(id), {}, { history: [history(1)] })]));
      // It is looked up again and again, but nobody answers.
      proxy.refuse();
      await cluster.halt('immediate');
      await cluster.start();
      reused = (await numbers(cluster.url, 20)).includes(number - 1);
      proxy.accept();
      expect(await outcome).toBe('lost');
      expect(await store.read.workflow(DEFAULT_TENANT, id)).toBeNull();
    }
    expect(reused, 'no number was given again').toBe(true);
  } finally {
    await store.close();
    await proxy.close();
    await cluster.stop();
  }
});

/** Uses up some numbers of transactions, all committed. */
async function numbers(url: string, count: number): Promise<readonly number[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const found: number[] = [];
  while (found.length < count)
    found.push(Number((await client.query('select pg_current_xact_id()::text as n')).rows[0].n));
  await client.end();
  return found;
}
