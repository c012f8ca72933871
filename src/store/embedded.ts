import { closeSync, fsyncSync, mkdirSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { createPgConfig } from '@electric-sql/pglite/node-postgres';
import { NodeFS } from '@electric-sql/pglite/nodefs';
import pg from 'pg';
import { type ProcessTime, realTime } from '../runtime/process-time.ts';
import { type Connection, type Connections, held, runOn, types } from './connections.ts';
import { memoryTemplate } from './memory-template.ts';
import { StoreUnavailable } from './store.ts';

/*
 * Postgres inside this process. There is one session, so there is one connection: whoever holds it keeps all others waiting, in the
 * order in which they asked. Never ask for it while holding it.
 *
 * After an error of the disk the database stops, as Postgres does when it cannot write its log. It is opened again from the folder, which
 * recovers all that was committed; until then everybody is told that the store is unavailable.
 */

/** Callers that may wait for the one connection; the engine and the API bound their queues far below. */
const WAITING_MAX = 10_000;

/** After a statement that took so long the event loop goes round. */
const YIELD_AFTER_MS = 5;
/** And before a message as large as this is given to it. */
const LARGE_BYTES = 250_000;

/**
 * The driver of the embedded database goes through a text twice, character by character, and copies what it has written each time there is no room for
 * more: of a step with megabytes that was most. Bytes it takes as they are: those of a jsonb are a version and the text.
 */
const JSONB_VERSION = 1;
function jsonbBytes(text: string): unknown {
  if (text.length < LARGE_BYTES) return text;
  const bytes = Buffer.allocUnsafe(1 + Buffer.byteLength(text));
  bytes[0] = JSONB_VERSION;
  bytes.write(text, 1);
  return bytes;
}

type InitResult = Awaited<ReturnType<NodeFS['init']>>;
type OpenFile = { readonly nfd?: number; readonly shared: { readonly refcount: number } };
type FileOperations = {
  open: (file: OpenFile) => void;
  close: (file: OpenFile) => void;
  fsync?: (file: OpenFile) => number;
};
type Module = { readonly NODEFS?: { readonly stream_ops: FileOperations } };

/**
 * The file system of the embedded database with an fsync that reaches the disk: as shipped it does nothing, and a commit would be lost
 * with the machine. It knows its open files: a database that has stopped closes none of them, and they would go on taking space on the disk.
 */
class DurableNodeFS extends NodeFS {
  readonly #open = new Set<number>();

  override async init(...given: Parameters<NodeFS['init']>): Promise<InitResult> {
    const result = await super.init(...given);
    const preRun = result.emscriptenOpts.preRun ?? [];
    const complete = (module: Module): void => {
      const operations = module.NODEFS?.stream_ops;
      if (operations === undefined) throw new Error('The embedded database has no file system to make durable');
      const { open, close } = operations;
      operations.fsync ??= (file) => {
        if (file.nfd !== undefined) fsyncSync(file.nfd);
        return 0;
      };
      operations.open = (file) => {
        open(file);
        if (file.nfd !== undefined) this.#open.add(file.nfd);
      };
      operations.close = (file) => {
        close(file);
        if (file.nfd !== undefined && file.shared.refcount === 0) this.#open.delete(file.nfd);
      };
    };
    return {
      ...result,
      emscriptenOpts: { ...result.emscriptenOpts, preRun: [preRun, complete].flat() as typeof preRun },
    };
  }

  /** Closes what is open. For a database that has stopped. */
  closeFiles(): void {
    for (const file of this.#open) closeSync(file);
    this.#open.clear();
  }
}

/**
 * Postgres would clear 128 MB of memory for its cache before it does anything else, a fifth of the time it takes to open. Behind this one
 * is the cache of the operating system.
 */
const CACHE = ['-c', 'shared_buffers=32MB'];

/**
 * In memory a new part of the log is not filled with zeros first: its file grows by an eighth at a time there, each time copied as a whole, and
 * everything stood still for half a second every 16 MB of log.
 */
const UNFILLED_LOG = ['-c', 'wal_init_zero=off'];

/** A database, and how it lets go of its files once it has stopped. */
type Opened = { readonly database: PGlite; readonly letGo: () => void };

/** Opens, or creates, the database in `folder`; `memory:` keeps nothing. */
async function openDatabase(dataDir: string): Promise<Opened> {
  if (dataDir === 'memory:') {
    const loadDataDir = memoryTemplate();
    const startParams = [...PGlite.defaultStartParams, ...CACHE, ...UNFILLED_LOG];
    const database = await PGlite.create({ startParams, ...(loadDataDir === null ? {} : { loadDataDir }) });
    return { database, letGo: () => {} };
  }
  const folder = join(dataDir, 'database');
  mkdirSync(folder, { recursive: true });
  const synced = PGlite.defaultStartParams.filter((param) => param !== '-F');
  const startParams = [...synced, '-c', 'wal_sync_method=fsync', ...CACHE];
  const files = new DurableNodeFS(folder);
  const letGo = (): void => files.closeFiles();
  try {
    return { database: await PGlite.create({ dataDir: folder, fs: files, startParams }), letGo };
  } catch (error) {
    letGo();
    throw error;
  }
}

export type EmbeddedDatabase = Connections & {
  readonly client: pg.Client;
};

/** With less than this on the disk there is no use in opening the database, and it is worth saying so. */
const SCARCE_BYTES = 32 * 1024 * 1024;
const MEGABYTE = 1024 * 1024;

/** A database that has stopped is opened again for so long; then somebody else has to see to it. */
export const REOPEN_MS_MAX = 30_000;
const REOPEN_EVERY_MS = 1_000;

/** Why the database ended and what to do, in a sentence or two for an operator. Nothing that was acknowledged is lost: it was synced. */
function endOf(dataDir: string, error: Error): Error {
  const where = dataDir === 'memory:' ? 'in memory' : `in DATA_DIR (${dataDir})`;
  return new Error(
    `The embedded database ${where} has ended and cannot go on in this process: ${spaceOf(dataDir)}${error.message}. ` +
      'See to the disk (space, rights, errors), then start the server again; a supervisor may do so at once. What was acknowledged is kept',
    { cause: error },
  );
}

/** Why there is no room to go on; empty when there is. */
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

/** One life of the database: from opening it to its end. */
type Session = Opened & { readonly client: pg.Client; isInUse: boolean; failure: Error | null };

export type EmbeddedEvents = {
  /** Sent once on each new connection. */
  readonly session?: string;
  /** The database has stopped, and is going to be opened again; or has been, and works. */
  readonly onTrouble?: (message: string, error: Error) => void;
  /** It has met an error from which it does not come back (the disk stays full, say): only another process can open it again. */
  readonly onEnd?: (error: Error) => void;
  /** Told how long somebody waited for the connection. */
  readonly onTaken?: (seconds: number) => void;
  readonly time?: Pick<ProcessTime, 'now' | 'after'>;
};

/** The one connection to a database inside this process, handed from caller to caller. */
export async function openEmbedded(
  dataDir: string,
  prepared: boolean,
  {
    session: greeting = '',
    onTrouble = () => {},
    onEnd = () => {},
    onTaken = () => {},
    time = realTime,
  }: EmbeddedEvents = {},
): Promise<EmbeddedDatabase> {
  let closed = false;
  let busy = false;
  let waiting: { readonly go: () => void; readonly fail: (error: Error) => void }[] = [];
  let reopening: Promise<void> = Promise.resolve();
  let current = await begin();

  async function begin(): Promise<Session> {
    const opened = await openDatabase(dataDir);
    const client = new pg.Client({ ...createPgConfig(opened.database), pipeline: true, types });
    const session: Session = { ...opened, client, isInUse: false, failure: null };
    // What stopped must not run what is still in its line: its files are not its own any more.
    const { database } = opened;
    const run = database.execProtocolStream.bind(database);
    let ahead: Promise<unknown> | null = null;
    database.execProtocolStream = async (...given) => {
      // Whoever wrote megabytes has just computed for long, and so will the database: between them others are heard, and the order stays.
      if (ahead !== null || given[0].byteLength > LARGE_BYTES) {
        const turn: Promise<unknown> = (ahead ?? Promise.resolve()).then(
          () => new Promise((resolve) => setImmediate(resolve)),
        );
        ahead = turn;
        await turn;
        if (ahead === turn) ahead = null;
      }
      if (session.failure !== null) throw session.failure;
      const since = performance.now();
      const answer = await run(...given);
      // It has computed in this very process. Without letting the event loop go round, one statement would follow the other as long as
      // there are any, and nobody else would be heard.
      if (performance.now() - since > YIELD_AFTER_MS) await new Promise((resolve) => setImmediate(resolve));
      return answer;
    };
    client.on('error', (error) => stopped(session, error));
    await client.connect();
    if (greeting !== '') await client.query(greeting);
    if (session.failure !== null) throw session.failure;
    session.isInUse = true;
    return session;
  }

  function stopped(session: Session, error: Error): void {
    if (closed || session.failure !== null) return;
    session.failure = error;
    session.letGo();
    if (!session.isInUse) return;
    // Whoever holds the connection hears it from the driver.
    const told = waiting;
    waiting = [];
    for (const { fail } of told) fail(unavailable(error));
    if (dataDir === 'memory:') {
      onEnd(endOf(dataDir, error));
      return;
    }
    onTrouble(
      `The embedded database in DATA_DIR (${dataDir}) has stopped: ${spaceOf(dataDir)}${error.message}. It is opened again; see to the disk (space, rights, errors)`,
      error,
    );
    reopenUntil(time.now() + REOPEN_MS_MAX, error);
  }

  function reopenUntil(deadline: number, error: Error): void {
    time.after(REOPEN_EVERY_MS, () => {
      if (closed) return;
      if (time.now() >= deadline) return onEnd(endOf(dataDir, error));
      // On a full disk opening it would fail only when it had read everything.
      if (spaceOf(dataDir) !== '') return reopenUntil(deadline, error);
      reopening = begin().then(
        async (session) => {
          if (closed) {
            await session.database.close();
            return;
          }
          current = session;
          busy = false;
          onTrouble(`The embedded database in DATA_DIR (${dataDir}) is open again`, error);
        },
        (again: unknown) => reopenUntil(deadline, again instanceof Error ? again : error),
      );
    });
  }

  const next = (): void => {
    const first = waiting.shift();
    if (first === undefined) busy = false;
    else first.go();
  };
  const take = async (): Promise<Connection> => {
    if (closed) throw new StoreUnavailable('The embedded database is closed');
    if (current.failure !== null) throw unavailable(current.failure);
    if (waiting.length >= WAITING_MAX) throw new StoreUnavailable('Too many callers wait for the embedded database');
    const since = performance.now();
    if (busy) await new Promise<void>((go, fail) => waiting.push({ go, fail }));
    busy = true;
    onTaken((performance.now() - since) / 1000);
    const session = current;
    return held(
      session.client,
      prepared,
      () => session.failure !== null,
      (broken) => {
        if (session !== current || session.failure !== null) return;
        // There is no other connection to take instead: leave whatever transaction was open, then go on.
        if (broken) session.client.query('rollback').then(next, next);
        else next();
      },
      undefined,
      jsonbBytes,
    );
  };
  return {
    get client() {
      return current.client;
    },
    take,
    run: runOn(take),
    figures: () => ({ used: busy ? 1 : 0, idle: busy ? 0 : 1, waiting: waiting.length }),
    close: async () => {
      if (closed) return;
      if (current.failure !== null) {
        closed = true;
        // Whoever takes the folder next finds nobody in it.
        await reopening;
        return;
      }
      const last = await take(); // whoever works just now may finish
      closed = true;
      await current.database.close();
      last.giveBack();
    },
  };
}

const unavailable = (error: Error): StoreUnavailable =>
  new StoreUnavailable('The embedded database has stopped and is being opened again', { cause: error });
