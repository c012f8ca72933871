import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';
import { startCluster } from '../test/support/cluster.ts';
import { startParticipant } from '../test/support/server.ts';
import { begin, finish, refuses } from '../test/upgrade/play.ts';
import { startRelease } from '../test/upgrade/release.ts';
import { PARTICIPANT } from '../test/upgrade/workflows.ts';

/*
 * `npm run record-release -- <folder of a release> <its name>`: what later versions are held against. A part of making a release; a recording is
 * never changed afterwards. Into test/upgrade/fixtures it writes
 *
 *   <name>.sql       a database with workflows of all kinds in their middle
 *   <name>.json      how the release itself brought them to their end, and the statements it sends
 *   <name>.data.br   an embedded folder with the same
 */

const [given = '', name = ''] = process.argv.slice(2);
if (!/^[\w.-]+$/.test(name)) throw new Error('Usage: npm run record-release -- <folder> <name such as 0.1.0>');
const folder = resolve(given);
const fixture = (ending: string): string =>
  fileURLToPath(new URL(`../test/upgrade/fixtures/${name}.${ending}`, import.meta.url));

const cluster = await startCluster();
if (typeof cluster === 'string') throw new Error(cluster);
const place = mkdtempSync(join(tmpdir(), 'rota-record-'));
let isBefore = true;
const participant = await startParticipant(({ body }) => (refuses(body.participant, isBefore) ? 500 : 200));
try {
  const statements = join(place, 'statements');
  const hook = ['--require', fileURLToPath(new URL('../test/upgrade/statements-hook.cjs', import.meta.url))];
  const start = (database: Readonly<Record<string, string>>, file = statements, hooked = hook) =>
    startRelease(folder, { TEST_CLOCK: '1', LOG_LEVEL: 'info', STATEMENTS_TO: file, ...database }, hooked);

  const postgres = { DATABASE_URL: cluster.url };
  const first = await start(postgres);
  const play = await begin(first.url, participant.url);
  await first.stop();
  const dump = await cluster.tool(
    'pg_dump',
    ...['--column-inserts', '--no-owner', '--no-privileges', '--exclude-table-data=node', '-d', cluster.url],
  );
  const lines = dump
    .replaceAll(participant.url, PARTICIPANT)
    .split('\n')
    // Words for psql, comments and empty lines.
    .filter((line) => !/^(\\|--|$)/.test(line));
  writeFileSync(fixture('sql'), `${lines.join('\n')}\n`);

  isBefore = false;
  const second = await start(postgres, `${statements}2`);
  const outcomes = await finish(second.url, play);
  await second.stop();
  const sent = [statements, `${statements}2`].flatMap((file) => JSON.parse(readFileSync(file, 'utf8')) as string[]);
  const recorded = { ids: Object.fromEntries(play.ids), outcomes, statements: [...new Set(sent)].sort() };
  writeFileSync(fixture('json'), `${JSON.stringify(recorded, null, 1)}\n`);

  const data = join(place, 'data');
  const embedded = await start({ DATA_DIR: data }, '', []);
  const inFolder = await begin(embedded.url, 'http://127.0.0.1:9/nobody', 1, false);
  await embedded.stop();
  writeFileSync(join(data, 'rota-recorded.json'), JSON.stringify(Object.fromEntries(inFolder.ids)));
  const tar = execFileSync('tar', ['-C', data, '--sort=name', '-cf', '-', '.'], { maxBuffer: 512 * 1024 * 1024 });
  const params = { [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_SIZE_HINT]: tar.length };
  writeFileSync(fixture('data.br'), brotliCompressSync(tar, { params }));

  const open = Object.entries(outcomes).filter(([, { status }]) => !['completed', 'cancelled'].includes(status));
  console.log(`${name}: ${play.ids.size} workflows, ${recorded.statements.length} statements`);
  if (open.length > 0) throw new Error(`These did not end: ${JSON.stringify(open)}`);
} finally {
  await participant.stop();
  await cluster.stop();
  rmSync(place, { recursive: true, force: true });
}
