import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { type CallOptions, type Rota, RotaError } from '../../client/index.ts';
import type { Called, Played } from './cases.ts';

/* Plays the packaged cases against a server: one listener stands behind every name, and tells what came. */

/** A workflow that is not over, or not in error, after this long has failed its case. */
const CASE_MS_MAX = 30_000;
/** How often it is looked at, and how long notices may follow its end. */
const LOOK_MS = 50;
const NOTICE_MS_MAX = 5_000;
/** Bytes of one callback. */
const CALLBACK_BYTES_MAX = 1_000_000;

type Callback = {
  readonly workflow_id: string;
  readonly workitem_id: string;
  readonly participant: string;
  readonly status: string;
  readonly proceed_url: string;
};
type Heard = (callback: Callback) => void;

export type Listener = {
  /** What hears the callbacks at this path. */
  readonly hear: (path: string, heard: Heard) => string;
  readonly close: () => Promise<void>;
};

/** @param host under which the server reaches this machine */
export async function listen(host: string): Promise<Listener> {
  const ears = new Map<string, Heard>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > CALLBACK_BYTES_MAX) request.destroy();
      else chunks.push(chunk);
    });
    request.on('end', () => {
      response.writeHead(204).end();
      ears.get(request.url ?? '')?.(JSON.parse(Buffer.concat(chunks).toString('utf8')) as Callback);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, host === '127.0.0.1' ? host : undefined, resolve));
  const { port } = server.address() as AddressInfo;
  return {
    hear: (path, heard) => {
      ears.set(`/${path}`, heard);
      return `http://${host}:${port}/${path}`;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** @returns what is wrong, in a sentence; null: nothing */
export async function playCall(
  { method, path, type, body, status, says }: Called,
  rota: Rota,
  options: CallOptions,
): Promise<string | null> {
  const headers = type === undefined ? {} : { 'Content-Type': type };
  const answered = await rota.request(method, path, { body, headers }, options).then(
    (value) => ({ status: 200, value }),
    (error: unknown) => {
      if (!(error instanceof RotaError) || error.status === undefined) throw error;
      return { status: error.status, value: JSON.parse(error.body ?? 'null') as unknown };
    },
  );
  if (answered.status !== status) return `answered ${answered.status}, expected ${status}`;
  const told = (answered.value ?? {}) as Readonly<Record<string, unknown>>;
  const other = Object.entries(says ?? {}).find(([key, value]) => !isSame(told[key], value));
  if (other === undefined) return null;
  return `${other[0]} is ${JSON.stringify(told[other[0]])}, expected ${JSON.stringify(other[1])}`;
}

/** @returns what is wrong, in a sentence; null: nothing */
export async function play(one: Played, rota: Rota, listener: Listener, options: CallOptions): Promise<string | null> {
  const asked: string[] = [];
  const told: string[] = [];
  const troubles: string[] = [];
  const answer = async ({ workflow_id, workitem_id, participant, status, proceed_url }: Callback): Promise<void> => {
    if (status !== 'active') {
      told.push(`${participant}:${status}`);
      return;
    }
    asked.push(participant);
    const { fields, fail, hold } = one.answers?.[participant] ?? {};
    const it = { workflow_id, workitem_id, proceed_url };
    if (fail !== undefined) await rota.fail(it, { message: fail }, options);
    else if (hold !== true) await rota.proceed(it, fields === undefined ? {} : { fields: fields as never }, options);
    else if (one.cancelAt === participant) await rota.cancel(workflow_id, {}, options);
  };
  const url = listener.hear(one.name, (callback) => {
    answer(callback).catch((error: unknown) => {
      // Another branch was first; whatever that should not have done is seen in the outcome.
      if (!(error instanceof RotaError && error.status !== undefined && error.status < 500))
        troubles.push(String(error));
    });
  });
  const fields = one.fields === undefined ? {} : { fields: one.fields };
  const { id } = await rota.launch({ workflow: one.workflow, callback: url, ...fields }, options);
  const workflow = await rota.wait(id, { timeout: CASE_MS_MAX / 1000 }, options);
  const wanted = [...(one.told ?? [])].sort().join(' ');
  for (let ms = 0; told.length < (one.told ?? []).length && ms < NOTICE_MS_MAX; ms += LOOK_MS) await pause(LOOK_MS);
  const ends = new Map<string, unknown>(Object.entries(workflow.fields));
  const complaints = [
    ...troubles,
    ...(workflow.status === one.status ? [] : [`it is ${workflow.status}, expected ${one.status}`]),
    ...(fitsOrder(asked, one.asked) ? [] : [`asked ${asked.join(' ')}, expected ${one.asked}`]),
    ...(told.sort().join(' ') === wanted ? [] : [`told ${told.join(' ') || 'nobody'}, expected ${wanted || 'nobody'}`]),
    ...Object.entries(one.ends ?? {}).flatMap(([name, value]) =>
      isSame(ends.get(name), value) ? [] : [`${name} is ${JSON.stringify(ends.get(name))} at its end`],
    ),
  ];
  return complaints.length === 0 ? null : complaints.join('; ');
}

/** `{a b} c`: a and b in any order, then c. */
export function fitsOrder(asked: readonly string[], wanted: string): boolean {
  let at = 0;
  for (const group of wanted.match(/\{[^}]*\}|\S+/g) ?? []) {
    const names = group.replace(/[{}]/g, '').split(' ').sort();
    const found = asked.slice(at, at + names.length).sort();
    if (names.join(' ') !== found.join(' ')) return false;
    at += names.length;
  }
  return at === asked.length;
}

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
