/*
 * A server of its own process, to be killed. `lock <dir>`: says "held" or "refused" and waits. `write <dir>`: launches workflows one
 * after the other and says the id of each once it is committed.
 */

const [task, dir = ''] = process.argv.slice(2);
const say = (text: string): boolean => process.stdout.write(`${text}\n`);

// Each loads what it needs: whoever asks for the lock needs no database.
if (task === 'lock') {
  const { lockDataDir } = await import('../../src/store/data-dir-lock.ts');
  try {
    await lockDataDir(dir);
    say('held');
  } catch {
    say('refused');
  }
  setInterval(() => {}, 1_000); // until killed
} else {
  const { openStore } = await import('../../src/store/open.ts');
  const { changes, history, save, workflow, workflowId, workitem } = await import('../store/samples.ts');
  const store = await openStore({ databaseUrl: null, dataDir: dir, prepared: true });
  say('open');
  for (;;) {
    const id = workflowId();
    const transaction = await store.begin([{ workflow: id, needs: [] }]);
    const row = workitem('0_0');
    const claims = [{ workflow: id, workitem: row.id, claim: 'of the dead' }];
    await transaction.commit(
      save([changes(workflow(id), { workitems: [row] }, { history: [history(1)] })], { claims, leaseSeconds: 3_600 }),
    );
    say(id);
  }
}

export {};
