import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { startCluster } from '../test/support/cluster.ts';
import { type EventReader, openEvents } from '../test/support/event-stream.ts';
import { startParticipant } from '../test/support/server.ts';
import { begin, call, finish, type Outcome, refuses, shown } from '../test/upgrade/play.ts';
import { type Started, startRelease } from '../test/upgrade/release.ts';

/*
 * `npm run rolling -- <folder of the release before> [<folder of this one>] [--plant]`: a rolling upgrade as it is done, with two builds and real
 * time. Two old nodes begin workflows of all kinds; a new node comes beside them and migrates; one old node is stopped in order and another new one
 * started; the other old node is killed. Workflows are launched and answered all the while. Each must end as it does on the old release alone, with
 * nothing lost and nobody asked again; and who reads all events from the moment on at which every node is new, is told of all that happens, once, also
 * when the connection breaks and another node is asked to go on. `--plant`: with a migration that old nodes cannot survive, which has to be found. It takes some minutes.
 */

const COPIES = 6;
const ROUND_MS = 3_000;
const ROUNDS_MAX = 80;
/** A message that was on its way when its answer came is no second one. */
const DOUBLED_MS = 2_000;
const LOAD_PAUSE_MS = 150;
const ANSWERS_A_ROUND = 25;
/** Kinds that end in another way when their answers are late. */
const TIMED = /^(?:timeout|reminders|cron|every)\b/;
/** Looks, a round apart, in which what was launched meanwhile has to end. */
const ENDS_LOOKS = 20;

const words = process.argv.slice(2).filter((word) => word !== '--plant');
const isPlanted = process.argv.includes('--plant');
const [before, after = '.'] = words;
if (before === undefined)
  throw new Error('Usage: npm run rolling -- <folder of the release before> [<folder of this one>] [--plant]');
const place = mkdtempSync(join(tmpdir(), 'rota-rolling-'));
const oldFolder = resolve(before);
const newFolder = isPlanted ? planted(resolve(after)) : resolve(after);

/** A copy of a release with one migration more, which takes from old nodes what they write. */
function planted(folder: string): string {
  for (const part of ['dist', 'migrations', 'package.json', 'schemas'])
    cpSync(join(folder, part), join(place, part), { recursive: true });
  symlinkSync(join(folder, 'node_modules'), join(place, 'node_modules'));
  const sql =
    "alter table agenda add column planted text not null default ''; alter table agenda alter column planted drop default;\n";
  writeFileSync(join(place, 'migrations/9999_planted.sql'), sql);
  return place;
}

const cluster = await startCluster();
if (typeof cluster === 'string') throw new Error(cluster);
let isBefore = true;
const answeredAt = new Map<string, number>();
const reached = new Set<string>();
const doubled: string[] = [];
const toAnswer: { readonly workflow: string; readonly workitem: string }[] = [];
const participant = await startParticipant(({ body }) => {
  const { workitem_id, workflow_id, status } = body;
  if (refuses(body.participant, isBefore)) return 500;
  if (status === 'active') {
    const answered = answeredAt.get(workitem_id);
    if (answered !== undefined && Date.now() - answered > DOUBLED_MS)
      doubled.push(`${body.participant} ${workitem_id}`);
    reached.add(workitem_id);
    if (body.participant === 'loaded') toAnswer.push({ workflow: workflow_id, workitem: workitem_id });
  }
  return 200;
});

const nodes = new Map<string, Started>();
const problems: string[] = [];
const say = (text: string): void => console.log(`${new Date().toISOString().slice(11, 19)} ${text}`);
try {
  const database = async (name: string): Promise<string> => {
    await cluster.tool('createdb', '-h', '127.0.0.1', '-p', new URL(cluster.url).port, '-U', 'rota', name);
    return cluster.url.replace(/postgres$/, name);
  };
  const settings = { LOG_LEVEL: 'info', RETRY_DELAYS: '5,5,5,5,5,5,5,5' };

  say('the old release alone');
  const alone = await startRelease(oldFolder, { ...settings, TEST_CLOCK: '1', DATABASE_URL: await database('alone') });
  const single = await begin(alone.url, participant.url);
  isBefore = false;
  const expected = await finish(alone.url, single, { isLate: false });
  await alone.stop();
  isBefore = true;

  const DATABASE_URL = await database('shared');
  const startNode = async (name: string, folder: string): Promise<void> => {
    nodes.set(name, await startRelease(folder, { ...settings, DATABASE_URL }));
    say(`${name} runs`);
  };
  await startNode('old 1', oldFolder);
  await startNode('old 2', oldFolder);
  let turn = 0;
  const at = (): string => {
    const all = [...nodes.values()];
    return (all[turn++ % all.length] as Started).url;
  };
  const play = await begin(at(), participant.url, COPIES);
  say(`${play.ids.size} workflows in their middle`);
  isBefore = false;

  const answerLoaded = async (one: { readonly workflow: string; readonly workitem: string }): Promise<void> => {
    const path = `/v1/workflows/${one.workflow}/workitems/${one.workitem}/proceed`;
    const answer = await call(at(), 'POST', path, {}).catch(() => null);
    if (answer?.status === 201) answeredAt.set(one.workitem, Date.now());
    else if (answer === null) toAnswer.push(one);
    // 400: it was taken, and the node died before it could say so.
    else if (answer.status !== 400)
      problems.push(`an answer was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  };
  /** Readers of all events, each where the one before it broke off. */
  const readers: EventReader[] = [];
  let readFrom = 0;
  const told = (): readonly string[] =>
    readers.flatMap((reader) =>
      [...reader.text().matchAll(/^data: (\{.*\})$/gm)].flatMap(([, data = '']) => {
        const { workflow_id, n } = JSON.parse(data) as { readonly workflow_id?: string; readonly n?: number };
        return workflow_id === undefined ? [] : [`${workflow_id} ${n}`];
      }),
    );
  const readOn = async (): Promise<void> => {
    const last = readers.at(-1);
    last?.cut();
    const reader = await openEvents(
      at(),
      '/v1/events/stream',
      last === undefined ? {} : { 'Last-Event-ID': last.lastId() },
    );
    readers.push(reader);
    if (last !== undefined) return;
    await reader.upTo('live');
    readFrom = Date.now();
  };

  let isLoading = true;
  const launched: string[] = [];
  const load = (async () => {
    for (; isLoading || toAnswer.length > 0; await wait(LOAD_PAUSE_MS)) {
      if (isLoading) {
        const workflow = "define load\n  loaded\n  wait '1s'\n  loaded";
        const made = await call(at(), 'POST', '/v1/workflows', { workflow, callback: participant.url }).catch(
          () => null,
        );
        if (made?.status === 201) launched.push((made.body as { readonly id: string }).id);
        else if (made !== null) problems.push(`a launch was answered ${made.status}: ${JSON.stringify(made.body)}`);
      }
      for (const one of toAnswer.splice(0)) await answerLoaded(one);
    }
  })();

  const later: Readonly<Record<number, () => Promise<void>>> = {
    1: () => startNode('new 1', newFolder),
    3: async () => {
      const old = nodes.get('old 1');
      nodes.delete('old 1');
      await old?.stop();
      say('old 1 was stopped');
      await startNode('new 2', newFolder);
    },
    6: async () => {
      const old = nodes.get('old 2');
      nodes.delete('old 2');
      await old?.kill();
      say('old 2 was killed');
      await readOn();
      say('all nodes are new, and somebody reads all events');
    },
    8: readOn,
    9: async () => {
      isLoading = false;
    },
  };
  let round = 0;
  let budget = ANSWERS_A_ROUND;
  const timed = new Set([...play.ids].flatMap(([title, id]) => (TIMED.test(title) ? [id] : [])));
  const outcomes = await finish(at, play, {
    rounds: ROUNDS_MAX,
    isLate: false,
    // Some in each round, so that there is something in its middle at each change of nodes; those on whom a timer waits at once.
    mayAnswer: ({ id, workflow_id }) => reached.has(id) && (timed.has(workflow_id) || budget-- > 0),
    told: ({ id }) => answeredAt.set(id, Date.now()),
    pass: async () => {
      budget = ANSWERS_A_ROUND;
      await later[++round]?.();
      await wait(ROUND_MS);
    },
  });
  isLoading = false;
  await load;
  // A copy has an order of its own; whether a minute went by before somebody answered says nothing.
  const text = (outcome: Outcome | undefined): string =>
    JSON.stringify({ ...outcome, asked: outcome?.asked.filter((name) => name !== 'ticker') }, (key, value: unknown) =>
      key === 'order' ? undefined : value,
    );
  for (const [title, outcome] of Object.entries(outcomes)) {
    const wanted = text(expected[title.replace(/ \d+$/, '')]);
    if (text(outcome) !== wanted) problems.push(`${title}: ${text(outcome)}, and on the old release ${wanted}`);
  }
  // The last of them wait a second, and what the killed node had claimed waits for the end of its lease.
  let left = launched;
  for (let look = 0; look < ENDS_LOOKS && left.length > 0; look++) {
    const standing = await Promise.all(left.map(async (id) => [id, (await shown(at(), id)).status] as const));
    left = standing.flatMap(([id, status]) => (status === 'completed' ? [] : [id]));
    if (left.length > 0) await wait(ROUND_MS);
    for (const one of toAnswer.splice(0)) await answerLoaded(one);
  }
  if (left.length > 0)
    problems.push(
      `${left.length} of ${launched.length} launched meanwhile have not ended: ${left.slice(0, 5).join(', ')}`,
    );
  const happened: string[] = [];
  for (const id of [...play.ids.values(), ...launched]) {
    const { body } = await call(at(), 'GET', `/v1/workflows/${id}/history?limit=1000`);
    const { history } = body as { readonly history: readonly { readonly n: number; readonly at: string }[] };
    for (const { n, at: time } of history) if (Date.parse(time) > readFrom) happened.push(`${id} ${n}`);
  }
  const untold = (): readonly string[] => {
    const all = new Set(told());
    return happened.filter((one) => !all.has(one));
  };
  for (let look = 0; look < ENDS_LOOKS && untold().length > 0; look++) await wait(ROUND_MS);
  if (readers.length < 2) problems.push('nobody read events, or their connection was never cut');
  if (happened.length === 0) problems.push('nothing happened while events were read');
  if (untold().length > 0)
    problems.push(`${untold().length} of ${happened.length} events were not told: ${untold().slice(0, 5).join(', ')}`);
  if (new Set(told()).size < told().length) problems.push('an event was told twice');
  for (const reader of readers) reader.cut();
  say(`${happened.length} events since all nodes are new, ${told().length} told`);
  if (doubled.length > 0) problems.push(`asked again after their answer: ${doubled.join(', ')}`);
  say(
    `${Object.keys(outcomes).length} workflows of all kinds, ${launched.length} launched meanwhile, ${answeredAt.size} answers`,
  );
} catch (error) {
  problems.push(error instanceof Error ? error.message : String(error));
} finally {
  for (const node of nodes.values()) await node.stop();
  await participant.stop();
  await cluster.stop();
  rmSync(place, { recursive: true, force: true });
}
for (const problem of problems.slice(0, 20)) say(`WRONG ${problem.slice(0, 600)}`);
if (isPlanted) {
  say(problems.length > 0 ? 'the planted migration was found' : 'the planted migration was NOT found');
  process.exitCode = problems.length > 0 ? 0 : 1;
} else {
  say(
    problems.length === 0
      ? 'nothing was lost, nothing was doubled, all ended as on the old release'
      : `${problems.length} problems`,
  );
  process.exitCode = problems.length === 0 ? 0 : 1;
}
