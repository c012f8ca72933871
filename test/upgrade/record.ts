import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readConfig } from '../../src/server/config.ts';
import { start } from '../../src/server/start.ts';
import { startCluster } from '../support/cluster.ts';
import { postJson, send, startParticipant } from '../support/server.ts';
import { until } from '../support/until.ts';
import { PARTICIPANT, WORKFLOWS } from './workflows.ts';

/*
 * Records a database with workflows that wait, for later versions to be opened with: `npx tsx test/upgrade/record.ts <name>` writes
 * test/upgrade/<name>.sql. To be run once before the schema changes; a recording is never changed afterwards.
 */

const name = process.argv[2];
if (name === undefined || !/^[\w.-]+$/.test(name))
  throw new Error('Say how the recording is to be called, such as 0.1.0');

const cluster = await startCluster();
if (typeof cluster === 'string') throw new Error(cluster);
// Whoever is to be recorded as unreachable says so; all notices fail.
const participant = await startParticipant(({ body }) =>
  body.status !== 'active' || ['broken', 'flaky'].includes(body.participant) ? 500 : 200,
);
const server = await start(readConfig({ DATABASE_URL: cluster.url, PORT: '0', LOG_LEVEL: 'warn' }));
const ids = new Map<string, string>();
try {
  for (const [title, { children, retry }] of Object.entries(WORKFLOWS)) {
    const answer = await postJson(server.url, '/v1/workflows', {
      workflow: ['define', { name: title }, [['sequence', {}, children]]],
      callback: participant.url,
      fields: { of: title },
      ...(retry === undefined ? {} : { retry }),
    });
    if (answer.status !== 201) throw new Error(`${title}: ${answer.text}`);
    ids.set(title, answer.json<{ id: string }>().id);
  }
  const workitemOf = (title: string, who: string): Promise<string> =>
    until(`${who} of ${title}`, async () => {
      type Shown = { readonly workitems: readonly { readonly id: string; readonly participant: string }[] };
      const shown = (await send(server.url, 'GET', `/v1/workflows/${ids.get(title)}`)).json<Shown>();
      return shown.workitems.find((workitem) => workitem.participant === who)?.id;
    });
  const post = async (path: string, body: unknown = {}): Promise<void> => {
    const answer = await postJson(server.url, path, body);
    if (answer.status !== 201) throw new Error(`${path}: ${answer.text}`);
  };
  const proceed = async (title: string, who: string, fields: unknown): Promise<void> =>
    post(`/v1/workflows/${ids.get(title)}/workitems/${await workitemOf(title, who)}/proceed`, { fields });

  await proceed('branches', 'left', { left: 'done' });
  await proceed('list', 'picker', { picked: 'first' });
  await workitemOf('paused', 'before');
  await post(`/v1/workflows/${ids.get('paused')}/pause`);
  await proceed('paused', 'before', { before: 'done' });
  await workitemOf('cancelled', 'stubborn');
  await post(`/v1/workflows/${ids.get('cancelled')}/cancel`);
  await until('the failed tries are written', async () => {
    const status = async (title: string): Promise<unknown> =>
      (await send(server.url, 'GET', `/v1/workflows/${ids.get(title)}`)).json()['status'];
    const tried = await send(
      server.url,
      'GET',
      `/v1/workflows/${ids.get('retried')}/workitems/${await workitemOf('retried', 'flaky')}/deliveries`,
    );
    const history = await send(server.url, 'GET', `/v1/workflows/${ids.get('cancelled')}/history`);
    return (
      (await status('failed')) === 'error' &&
      tried.json<{ deliveries: unknown[] }>().deliveries.length > 0 &&
      history.text.includes('callback.refused')
    );
  });
} finally {
  await server.stop();
  await participant.stop();
}
const dump = await cluster.tool(
  'pg_dump',
  ...['--column-inserts', '--no-owner', '--no-privileges', '--exclude-table-data=node', '-d', cluster.url],
);
await cluster.stop();
const lines = dump
  .replaceAll(participant.url, PARTICIPANT)
  .split('\n')
  // Words for psql, comments and empty lines.
  .filter((line) => !/^(\\|--|$)/.test(line));
const file = fileURLToPath(new URL(`${name}.sql`, import.meta.url));
writeFileSync(file, `${lines.join('\n')}\n`);
console.log(`${file}: ${lines.length} lines`);
