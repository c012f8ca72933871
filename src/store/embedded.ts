import { fsyncSync, mkdirSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { createPgConfig } from '@electric-sql/pglite/node-postgres';
import { NodeFS } from '@electric-sql/pglite/nodefs';
import pg from 'pg';
import { type Connection, type Connections, held, runOn, types } from './connections.ts';
import { memoryTemplate } from './memory-template.ts';
import { StoreUnavailable } from './store.ts';

/*
 * Postgres inside this process. There is one session, so there is one connection: whoever holds it keeps all others waiting, in the
 * order in which they asked. Never ask for it while holding it.
 */

/** Callers that may wait for the one connection; the engine and the API bound their queues far below. */
const WAITING_MAX = 10_000;

type InitResult = Awaited<ReturnType<NodeFS['init']>>;
type Module = { readonly NODEFS?: { readonly stream_ops: { fsync?: (stream: { readonly nfd?: number }) => number } } };

/** The file system of the embedded database with an fsync that reaches the disk: as shipped it does nothing, and a commit would be lost
 * with the machine. */
class DurableNodeFS extends NodeFS {
  override async init(...given: Parameters<NodeFS['init']>): Promise<InitResult> {
    const result = await super.init(...given);
    const preRun = result.emscriptenOpts.preRun ?? [];
    const giveFsync = (module: Module): void => {
      const operations = module.NODEFS?.stream_ops;
      if (operations === undefined) throw new Error('The embedded database has no file system to make durable');
      operations.fsync ??= (stream) => {
        if (stream.nfd !== undefined) fsyncSync(stream.nfd);
        return 0;
      };
    };
    return {
      ...result,
      emscriptenOpts: { ...result.emscriptenOpts, preRun: [preRun, giveFsync].flat() as typeof preRun },
    };
  }
}

/**
 * Postgres would clear 128 MB of memory for its cache before it does anything else, a fifth of the time it takes to open. Behind this one
 * is the cache of the operating system.
 */
const CACHE = ['-c', 'shared_buffers=32MB'];

/** Opens, or creates, the database in `folder`; `memory:` keeps nothing. */
async function openDatabase(dataDir: string): Promise<PGlite> {
  if (dataDir === 'memory:') {
    const loadDataDir = memoryTemplate();
    const startParams = [...PGlite.defaultStartParams, ...CACHE];
    return PGlite.create({ startParams, ...(loadDataDir === null ? {} : { loadDataDir }) });
  }
  const folder = join(dataDir, 'database');
  mkdirSync(folder, { recursive: true });
  const synced = PGlite.defaultStartParams.filter((param) => param !== '-F');
  const startParams = [...synced, '-c', 'wal_sync_method=fsync', ...CACHE];
  return PGlite.create({ dataDir: folder, fs: new DurableNodeFS(folder), startParams });
}

export type EmbeddedDatabase = Connections & {
  readonly client: pg.Client;
};

/** With less than this on the disk it is worth saying so. */
const SCARCE_BYTES = 32 * 1024 * 1024;
const MEGABYTE = 1024 * 1024;

/** Why the database ended and what to do, in a sentence or two for an operator. Nothing that was acknowledged is lost: it was synced. */
function endOf(dataDir: string, error: Error): Error {
  const where = dataDir === 'memory:' ? 'in memory' : `in DATA_DIR (${dataDir})`;
  return new Error(
    `The embedded database ${where} has ended and cannot go on in this process: ${spaceOf(dataDir)}${error.message}. ` +
      'See to the disk (space, rights, errors), then start the server again; a supervisor may do so at once. What was acknowledged is kept',
    { cause: error },
  );
}

function spaceOf(dataDir: string): string {
  if (dataDir === 'memory:') return '';
  try {
    const { bavail, bsize } = statfsSync(dataDir);
    const free = bavail * bsize;
    return free < SCARCE_BYTES ? `the disk is full (${Math.floor(free / MEGABYTE)} MB are free): ` : '';
  } catch (error) {
    return `the folder cannot be looked at (${error instanceof Error ? error.message : String(error)}): `;
  }
}

/**
 * The one connection to a database inside this process, handed from caller to caller.
 *
 * @param onEnd the database has met an error from which it does not come back (a full disk, say): only another process can open it again
 */
export async function openEmbedded(
  dataDir: string,
  prepared: boolean,
  onEnd: (error: Error) => void = () => {},
): Promise<EmbeddedDatabase> {
  const database = await openDatabase(dataDir);
  const client = new pg.Client({ ...createPgConfig(database), pipeline: true, types });
  let failure: Error | null = null;
  let closed = false;
  client.on('error', (error) => {
    if (closed || failure !== null) return;
    failure = error;
    onEnd(endOf(dataDir, error));
  });
  await client.connect();

  const waiting: (() => void)[] = [];
  let busy = false;
  const next = (): void => {
    const first = waiting.shift();
    if (first === undefined) busy = false;
    else first();
  };
  const take = async (): Promise<Connection> => {
    if (closed) throw new StoreUnavailable('The embedded database is closed');
    if (waiting.length >= WAITING_MAX) throw new StoreUnavailable('Too many callers wait for the embedded database');
    if (busy) await new Promise<void>((resolve) => waiting.push(resolve));
    busy = true;
    return held(
      client,
      prepared,
      () => failure !== null,
      (broken) => {
        // There is no other connection to take instead: leave whatever transaction was open, then go on.
        if (broken && failure === null) client.query('rollback').then(next, next);
        else next();
      },
    );
  };
  return {
    client,
    take,
    run: runOn(take),
    close: async () => {
      if (closed) return;
      const last = await take(); // whoever works just now may finish
      closed = true;
      await database.close();
      last.giveBack();
    },
  };
}
