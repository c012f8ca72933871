import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { postJson } from '../support/server.ts';
import { pause } from '../support/until.ts';
import type { Asked, Launch } from './judge.ts';

/* Launches without end, and a participant that answers at once and does not give up; both keep what they saw. */

/** Connections that may wait to be taken: else first callbacks would arrive after second ones and look doubled. */
const BACKLOG = 2_048;
/** Launches of one node under way at once, and the pause of each after an answer. */
const AT_ONCE = 4;
const PACE_MS = 25;
const AGAIN_MS = 100;

const WORKFLOW = 'define\n  sequence\n    one\n    two';

export type Crew = {
  readonly launches: Launch[];
  readonly asked: Asked[];
  /** Launches at a node, again and again, until `rest`. */
  readonly press: (node: string, url: string) => void;
  /** One launch. */
  readonly launch: (node: string, url: string, headers?: Record<string, string>) => Promise<Launch>;
  /** No more launches; resolves once those under way are answered. */
  readonly rest: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

type Sent = {
  readonly workflow_id: string;
  readonly workitem_id: string;
  readonly participant: string;
  readonly proceed_url: string;
};

export async function startCrew(): Promise<Crew> {
  const launches: Launch[] = [];
  const asked: Asked[] = [];
  const pressing: Promise<void>[] = [];
  let resting = false;
  let stopped = false;

  async function proceed({ workflow_id, workitem_id, participant, proceed_url }: Sent): Promise<void> {
    const place = asked.length;
    const one: Asked = {
      workflow: workflow_id,
      participant,
      workitem: workitem_id,
      at: performance.now(),
      answeredAt: null,
    };
    asked.push(one);
    const url = new URL(proceed_url);
    while (!stopped) {
      // No answer is as good as none that counts: it is sent again.
      const status = await postJson(url.origin, url.pathname, {}).then(
        (answer) => answer.status,
        () => 0,
      );
      // 400: it was taken the time before, whose answer was lost.
      if (status === 201 || status === 400) {
        asked[place] = { ...one, answeredAt: performance.now() };
        return;
      }
      await pause(AGAIN_MS);
    }
  }

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      response.writeHead(200).end();
      const sent = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Sent & { readonly status: string };
      if (sent.status === 'active') void proceed(sent);
    });
  });
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: BACKLOG }, resolve));
  const callback = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;

  async function launch(node: string, url: string, headers: Record<string, string> = {}): Promise<Launch> {
    const at = performance.now();
    const seen = await postJson(url, '/v1/workflows', { workflow: WORKFLOW, callback }, headers).then(
      (answer) => ({
        status: answer.status,
        retryAfter: answer.headers['retry-after'] !== undefined,
        workflow: answer.status === 201 ? answer.json<{ id: string }>().id : null,
      }),
      () => ({ status: 0, retryAfter: false, workflow: null }),
    );
    const one = { node, at, ms: performance.now() - at, ...seen };
    launches.push(one);
    return one;
  }

  return {
    launches,
    asked,
    launch,
    press: (node, url) => {
      for (let n = 0; n < AT_ONCE; n++)
        pressing.push(
          (async () => {
            while (!resting) {
              await launch(node, url);
              await pause(PACE_MS);
            }
          })(),
        );
    },
    rest: async () => {
      resting = true;
      await Promise.all(pressing);
    },
    stop: async () => {
      stopped = true;
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      });
    },
  };
}
