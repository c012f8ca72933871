import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Arrival, makeJournal } from './journal.ts';
import { pause } from './until.ts';

/*
 * Participants that never give up: each answers its callback with 200, hands the workitem back, and repeats that until a server has
 * said either 201 or that the workitem is gone. Whatever arrives and whatever they do goes into the journal.
 */

export type Reply = { readonly status: number; readonly text: string };

/** One POST of JSON; null when no whole answer came. */
export type Poster = {
  readonly post: (url: string, body: unknown, headers?: Readonly<Record<string, string>>) => Promise<Reply | null>;
  readonly close: () => void;
};

/** Longer than a server takes to say that it cannot reach its database. */
const ANSWER_MS_MAX = 15_000;
/** Between two attempts at something a server could not answer. */
const AGAIN_MS = 50;
export const soon = (): Promise<void> => pause(AGAIN_MS);

export function makePoster(): Poster {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  return {
    post: (url, body, headers = {}) =>
      new Promise((resolve) => {
        const text = JSON.stringify(body);
        const sent = request(
          url,
          {
            method: 'POST',
            agent,
            timeout: ANSWER_MS_MAX,
            headers: { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text), ...headers },
          },
          (response) => {
            const chunks: Buffer[] = [];
            response.on('data', (chunk: Buffer) => chunks.push(chunk));
            response.on('error', () => resolve(null));
            response.on('end', () =>
              resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
            );
            response.on('close', () => resolve(null));
          },
        );
        sent.on('timeout', () => sent.destroy());
        sent.on('error', () => resolve(null));
        sent.end(text);
      }),
    close: () => agent.destroy(),
  };
}

export type Fields = Readonly<Record<string, unknown>>;

export type Crew = {
  /** Where callbacks go. */
  readonly url: string;
  readonly journal: ReturnType<typeof makeJournal>;
  /** Called for every arrival, before it is answered. */
  onArrival: (arrival: Arrival) => void;
  /** So many workflows are kept from ending: their last participants hold them back while no more are in flight. */
  keepInFlight: (workflows: number) => void;
  stop(): Promise<void>;
};

type Callback = {
  readonly workflow_id: string;
  readonly workitem_id: string;
  readonly participant: string;
  readonly status: string;
  readonly fields: Fields;
};

/**
 * @param serverUrl the server to hand workitems back to, asked before every attempt. The field `last` of a workflow names the
 *   participant that ends it; a participant `sleeper` never hands anything back.
 * @param again when something a server could not answer is attempted again
 */
export async function startCrew(serverUrl: () => string, again: () => Promise<void> = soon): Promise<Crew> {
  const journal = makeJournal();
  const poster = makePoster();
  let stopped = false;
  let floor = 0;
  let ending = 0;
  const heldBack: (() => void)[] = [];

  const letGo = (): void => {
    while (heldBack.length > 0 && journal.inFlight() - ending > floor) {
      ending += 1;
      heldBack.shift()?.();
    }
  };
  journal.watch(letGo);
  const mayEnd = (): Promise<void> =>
    new Promise((resolve) => {
      heldBack.push(resolve);
      letGo();
    });

  /** Whoever has begun to hand a workitem back goes on by itself; whoever has finished may be asked once more. */
  const busy = new Set<string>();
  async function handBack(callback: Callback): Promise<void> {
    const { workflow_id: workflow, workitem_id: workitem, participant, fields } = callback;
    if (busy.has(workitem)) return;
    busy.add(workitem);
    const isLast = fields['last'] === participant && (journal.story(workitem)?.arrivals.length ?? 0) === 1;
    if (isLast) await mayEnd();
    while (!stopped) {
      const url = `${serverUrl()}/v1/workflows/${workflow}/workitems/${workitem}/proceed`;
      const reply = await poster.post(url, { fields: { [participant]: 'done' } });
      const how = reply === null ? 'unknown' : judge(reply);
      if (how === 'wrong') journal.complain(`proceed of ${workitem} is answered ${reply?.status}: ${reply?.text}`);
      else journal.proceeded(workitem, how);
      if (how === 'taken' || how === 'refused') {
        if (isLast) ending -= 1;
        if (fields['last'] === participant) journal.over(workflow);
      }
      if (how !== 'unknown') break;
      await again();
    }
    busy.delete(workitem);
  }

  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('error', () => {});
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const callback = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Callback;
      const arrival = journal.hear({
        workflow: callback.workflow_id,
        workitem: callback.workitem_id,
        participant: callback.participant,
        status: callback.status,
        number: Number(incoming.headers['rota-try']),
        message: String(incoming.headers['webhook-id']),
      });
      crew.onArrival(arrival);
      if (callback.status === 'active' && callback.participant !== 'sleeper') void handBack(callback);
      response.writeHead(200).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const crew: Crew = {
    url: `http://127.0.0.1:${port}/callbacks`,
    journal,
    onArrival: () => {},
    keepInFlight: (workflows) => {
      floor = workflows;
      letGo();
    },
    stop: async () => {
      stopped = true;
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      poster.close();
    },
  };
  return crew;
}

/** 503 and 500 do not say whether the step was taken: the answer may have been lost behind the server, too. */
function judge(reply: Reply): 'taken' | 'refused' | 'unknown' | 'wrong' {
  if (reply.status === 201) return 'taken';
  if (reply.status === 400 && reply.text.includes('"error":"workitem_id not found"')) return 'refused';
  return reply.status >= 500 ? 'unknown' : 'wrong';
}
