import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname, uptime } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/*
 * One server per data directory. The embedded database takes no lock of its own, and two of them on one directory lose acknowledged
 * work without a word.
 *
 * Every server puts down a file of its own (complete at once, by rename) and only then looks whether another living one is there. Of
 * two that start at the same moment at least one sees the other, so never both go on; and since nobody ever replaces somebody else's
 * file, a lock left behind by a dead server is taken over without a moment in which two could do so.
 */

export class DataDirLocked extends Error {}

export type DataDirLock = { readonly release: () => void };

/** Who wrote a lock file. `started`, `boot` and `space` tell a process from a later one that happens to have the same number. */
type Holder = {
  readonly pid: number;
  readonly started: string | null;
  readonly boot: string | null;
  readonly space: string | null;
  readonly host: string;
  readonly at: string;
};

const FILE = /^server-[0-9a-f-]+\.lock$/;
/** The holder touches its file this often. Only looked at where its process cannot be seen: another container, another machine. */
const TOUCH_MS = 2_000;
/** As long without a touch proves a holder dead that cannot be seen; longer than anything that blocks a server's event loop. */
const SILENCE_MS = 15_000;
/** Servers that start at the same moment let each other pass this often before they give up. */
const ATTEMPTS_MAX = 5;

/**
 * Takes the directory for this process alone, or throws DataDirLocked saying who has it.
 *
 * @param silenceMs how long a holder that cannot be seen must be silent; for tests
 */
export async function lockDataDir(dataDir: string, silenceMs: number = SILENCE_MS): Promise<DataDirLock> {
  mkdirSync(dataDir, { recursive: true });
  for (let attempt = 1; ; attempt++) {
    const mine = putDown(dataDir);
    let holder: Holder | null;
    try {
      holder = await otherHolder(dataDir, mine, silenceMs);
    } catch (error) {
      rmSync(join(dataDir, mine), { force: true });
      throw error;
    }
    if (holder === null) return hold(join(dataDir, mine));
    rmSync(join(dataDir, mine), { force: true });
    if (attempt === ATTEMPTS_MAX || Date.now() - Date.parse(holder.at) > 1_000) throw refusal(dataDir, holder);
    await wait(20 + Math.random() * 200);
  }
}

function putDown(dataDir: string): string {
  const name = `server-${randomUUID()}.lock`;
  const content: Holder = { ...aboutProcess(process.pid), at: new Date().toISOString() };
  const draft = join(dataDir, `.${name}`);
  writeFileSync(draft, `${JSON.stringify(content)}\n`, { flag: 'wx' });
  renameSync(draft, join(dataDir, name));
  return name;
}

/** A living server other than this file's; the files of dead ones are removed on the way. */
async function otherHolder(dataDir: string, mine: string, silenceMs: number): Promise<Holder | null> {
  for (const name of readdirSync(dataDir)) {
    if (name === mine || !FILE.test(name)) continue;
    const file = join(dataDir, name);
    const holder = read(file);
    if (holder === 'gone') continue;
    if (holder !== 'unreadable' && (await isAlive(file, holder, silenceMs))) return holder;
    rmSync(file, { force: true });
  }
  return null;
}

function read(file: string): Holder | 'gone' | 'unreadable' {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Holder;
  } catch (error) {
    return error instanceof SyntaxError ? 'unreadable' : 'gone';
  }
}

async function isAlive(file: string, holder: Holder, silenceMs: number): Promise<boolean> {
  const here = aboutProcess(holder.pid);
  // This machine was started since: nobody of before lives. (Another machine of the same name would have touched its file since.)
  const startedAt = Date.now() - uptime() * 1_000;
  if (holder.host === here.host && holder.boot !== here.boot && (touched(file) ?? 0) < startedAt) return false;
  if (holder.host === here.host && holder.boot === here.boot && holder.space === here.space)
    return isRunning(holder.pid) && holder.started === here.started;
  // Its process cannot be seen from here: wait whether it gives a sign of life.
  const touchedAt = touched(file);
  for (let waited = 0; waited < silenceMs; waited += 100) {
    await wait(100);
    if (touched(file) !== touchedAt) return touched(file) !== null;
  }
  return false;
}

const touched = (file: string): number | null => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? null;

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'; // there, but somebody else's
  }
}

/** What tells the process with this number apart; null where the system does not say. */
function aboutProcess(pid: number): Omit<Holder, 'at'> {
  return {
    pid,
    started: startOf(pid),
    boot: tryTo(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    space: tryTo(() => readlinkSync('/proc/self/ns/pid')),
    host: hostname(),
  };
}

/** When a process started, in the words of the system: clock ticks since boot on Linux, a date elsewhere. */
function startOf(pid: number): string | null {
  // The second field is the program's name in parentheses and may hold anything; the start is the 20th after it.
  const fromProc = tryTo(() => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  });
  if (fromProc !== null || process.platform === 'linux' || process.platform === 'win32') return fromProc;
  return tryTo(() => execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim());
}

function tryTo(look: () => string | null): string | null {
  try {
    return look();
  } catch {
    return null;
  }
}

function hold(file: string): DataDirLock {
  const touch = setInterval(() => {
    const now = new Date();
    tryTo(() => {
      utimesSync(file, now, now);
      return null;
    });
  }, TOUCH_MS);
  touch.unref();
  return {
    release: () => {
      clearInterval(touch);
      rmSync(file, { force: true });
    },
  };
}

function refusal(dataDir: string, holder: Holder): DataDirLocked {
  const who = `process ${holder.pid} on ${holder.host}, since ${holder.at}`;
  return new DataDirLocked(
    `The data directory ${dataDir} is in use by another server (${who}). ` +
      'Stop that server first, or give this one a directory of its own (DATA_DIR), or let both use one Postgres (DATABASE_URL)',
  );
}
