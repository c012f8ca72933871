import { expect } from 'vitest';
import type { Running } from '../../src/server/start.ts';
import { type Answer, type Participant, postJson, type Received, send } from '../support/server.ts';
import { until } from '../support/until.ts';

/* What the races have in common: launching, proceeding, and asking what became of it. */

type Tree = readonly [string, Readonly<Record<string, unknown>>, readonly Tree[]];
export const ask = (ref: string): Tree => ['participant', { ref }, []];
export const inSequence = (...children: readonly Tree[]): Tree => ['define', {}, [['sequence', {}, children]]];
export const atOnce = (...children: readonly Tree[]): Tree => ['concurrence', {}, children];

export async function launch(server: Pick<Running, 'url'>, workflow: Tree, callback: string): Promise<string> {
  const answer = await postJson(server.url, '/v1/workflows', { workflow, callback });
  expect(answer.status).toBe(201);
  return answer.json<{ id: string }>().id;
}

export const proceed = (server: Pick<Running, 'url'>, received: Received, fields: unknown = {}): Promise<Answer> =>
  postJson(server.url, `/v1/workflows/${received.body.workflow_id}/workitems/${received.body.workitem_id}/proceed`, {
    fields,
  });

export type Entry = { readonly n: number; readonly kind: string; readonly participant?: string };

export async function historyOf(server: Pick<Running, 'url'>, id: string): Promise<readonly Entry[]> {
  return (await send(server.url, 'GET', `/v1/workflows/${id}/history`)).json<{ history: Entry[] }>().history;
}

export const countOf = (history: readonly Entry[], kind: string, participant?: string): number =>
  history.filter((entry) => entry.kind === kind && (participant === undefined || entry.participant === participant))
    .length;

export const statusOf = async (server: Pick<Running, 'url'>, id: string): Promise<string> =>
  (await send(server.url, 'GET', `/v1/workflows/${id}`)).json<{ status: string }>().status;

export const isOver = (server: Pick<Running, 'url'>, id: string): Promise<true> =>
  until(`${id} is completed`, async () => (await statusOf(server, id)) === 'completed');

const sorted = (answers: readonly Answer[]): readonly number[] => answers.map(({ status }) => status).sort();
const words = (answer: Answer | undefined): unknown => answer?.json()['error'];

/** Many sessions, spread over the servers, proceed one workitem: one of them is told 201, the others 400, and one step is taken. */
export async function manyProceedOne(
  servers: readonly Running[],
  participant: Participant,
  sessions: number,
): Promise<void> {
  const [server] = servers as readonly [Running, ...Running[]];
  const id = await launch(server, inSequence(ask('alpha'), ask('bravo')), participant.url);
  const alpha = await participant.next();
  const answers = await Promise.all(
    Array.from({ length: sessions }, (_, by) => proceed(servers[by % servers.length] ?? server, alpha, { by })),
  );
  expect(sorted(answers)).toEqual([201, ...Array<number>(sessions - 1).fill(400)]);
  for (const refused of answers.filter(({ status }) => status === 400))
    expect(words(refused)).toBe('workitem_id not found');

  const bravo = await participant.next();
  expect(bravo.body.fields['by']).toBe(answers.findIndex(({ status }) => status === 201));
  expect((await proceed(server, bravo)).status).toBe(201);
  await isOver(server, id);
  const history = await historyOf(server, id);
  expect(countOf(history, 'workitem.opened', 'bravo')).toBe(1);
  expect(countOf(history, 'workitem.proceeded')).toBe(2);
  expect(participant.waiting()).toBe(0);
}

/** All branches of one concurrence are proceeded in the same moment: each is told 201, and what follows is done once. */
export async function manyProceedTogether(
  servers: readonly Running[],
  participant: Participant,
  branches: number,
): Promise<void> {
  const [server] = servers as readonly [Running, ...Running[]];
  const names = Array.from({ length: branches }, (_, branch) => `branch${branch}`);
  const tree = inSequence(atOnce(...names.map(ask)), ask('omega'));
  const id = await launch(server, tree, participant.url);
  const received: Received[] = [];
  while (received.length < branches) received.push(await participant.next());
  expect(new Set(received.map(({ body }) => body.participant))).toEqual(new Set(names));

  const answers = await Promise.all(received.map((one, i) => proceed(servers[i % servers.length] ?? server, one)));
  expect(sorted(answers)).toEqual(Array<number>(branches).fill(201));
  const omega = await participant.next();
  expect(omega.body.participant).toBe('omega');
  expect((await proceed(server, omega)).status).toBe(201);
  await isOver(server, id);
  const history = await historyOf(server, id);
  expect(countOf(history, 'workitem.opened', 'omega')).toBe(1);
  expect(countOf(history, 'workitem.proceeded')).toBe(branches + 1);
  expect(participant.waiting()).toBe(0);
}
