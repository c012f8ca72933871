import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Step } from '../../src/engine/turn.ts';
import { deliveredText } from '../../src/interpreter/state/fields.ts';
import { type ExpressionId, parseWorkitemId, type WorkflowId } from '../../src/model/ids.ts';
import { makePost, type Post } from '../../src/outbox/post.ts';
import { silentLog } from '../../src/runtime/log.ts';
import type { Store } from '../../src/store/store.ts';
import { makeInUse } from '../../src/worker/in-use.ts';
import { makeWorker, type Worker } from '../../src/worker/worker.ts';
import { type EngineParts, engineOn } from './engine-parts.ts';

export type Visit = {
  readonly participant: string;
  readonly status: string;
  readonly workflow: WorkflowId;
  readonly workitem: ExpressionId;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Business time at which it came, when the test handed in a clock. */
  readonly at: number;
};

/** A participant behind real HTTP that answers as it is told. */
export type Listener = {
  readonly url: string;
  readonly visits: Visit[];
  /** Tries it has not answered yet. */
  readonly open: () => number;
  /** How many tries were open at once, at most. */
  readonly mostOpen: () => number;
  /** Answers of the future: a status, or a promise of it. */
  answer: (visit: Visit) => number | Promise<number>;
  readonly close: () => void;
};

export async function listen(now: () => number = () => 0): Promise<Listener> {
  let open = 0;
  let mostOpen = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      const text = Buffer.concat(chunks).toString('utf8');
      const body = JSON.parse(text) as { participant: string; status: string; workitem_id: string };
      const ids = parseWorkitemId(body.workitem_id);
      if (ids === null) throw new Error(`no workitem id: ${body.workitem_id}`);
      const visit: Visit = {
        participant: body.participant,
        status: body.status,
        workflow: ids.workflow,
        workitem: ids.expression,
        headers: request.headers,
        body: text,
        at: now(),
      };
      listener.visits.push(visit);
      open += 1;
      mostOpen = Math.max(mostOpen, open);
      const status = await listener.answer(visit);
      open -= 1;
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const listener: Listener = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/callbacks`,
    visits: [],
    open: () => open,
    mostOpen: () => mostOpen,
    answer: () => 200,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
  return listener;
}

/** A promise with its resolver outside. */
export function promised<Value>(): { readonly promise: Promise<Value>; readonly keep: (value: Value) => void } {
  let keep: (value: Value) => void = () => {};
  const promise = new Promise<Value>((resolve) => {
    keep = resolve;
  });
  return { promise, keep };
}

export type WorkerParts = EngineParts & { readonly worker: Worker };

/** An engine with its worker: a whole node without its HTTP side. */
export function nodeOn(
  store: Store,
  options: {
    readonly nodeId?: string;
    readonly triesMax?: number;
    readonly triesPerHostMax?: number;
    readonly callbackTimeoutSeconds?: number;
    readonly leaseSeconds?: number;
    readonly post?: Post;
    readonly step?: Step;
  } = {},
): WorkerParts {
  const parts = engineOn(store, {
    ...(options.nodeId === undefined ? {} : { nodeId: options.nodeId }),
    ...(options.step === undefined ? {} : { step: options.step }),
  });
  const worker = makeWorker({
    store,
    engine: parts.engine,
    post: options.post ?? makePost({ policy: { allowPrivate: true }, socketsPerHostMax: 50 }),
    deliveredText,
    clock: parts.clock,
    time: parts.time,
    untilUsed: makeInUse({ store, time: parts.time }).of('deliveries'),
    ids: parts.ids,
    log: silentLog,
    settings: {
      nodeId: parts.nodeId,
      baseUrl: () => 'http://rota.test',
      userAgent: 'rota/test',
      callbackTimeoutSeconds: options.callbackTimeoutSeconds ?? 15,
      leaseSeconds: options.leaseSeconds ?? 30,
      triesMax: options.triesMax ?? 200,
      triesPerHostMax: options.triesPerHostMax ?? 50,
    },
  });
  return { ...parts, worker };
}
