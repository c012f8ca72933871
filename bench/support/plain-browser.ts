import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

/*
 * A browser that nobody looks into, for measuring: Playwright has every answer copied to it, which takes the page hundreds of milliseconds for an
 * answer of some hundred kB. Here a page is told to go somewhere and says when it is there; commands go through a pipe as the protocol of the
 * browser's developer tools has them.
 */

export type PlainPage = {
  send(method: string, params?: object): Promise<Record<string, unknown>>;
  /** The value of an expression in the page; a promise is waited for. */
  evaluate<Value>(expression: string): Promise<Value>;
  /** Goes to a URL and waits until something is painted, in milliseconds since the navigation began. */
  painted(url: string, selector: string): Promise<number>;
};
export type PlainBrowser = { readonly page: PlainPage; close(): Promise<void> };

/** How long a page may take until it shows what is waited for, in milliseconds. */
const PAINTED_MS_MAX = 60_000;
/** A process of the browser may write for a moment still when the browser has ended: then its folder is removed again, so often. */
const REMOVED_AT_MOST = 20;
const VIEWPORT = { width: 1280, height: 860, deviceScaleFactor: 1, mobile: false };

/** @param program the browser */
export async function startPlainBrowser(program: string): Promise<PlainBrowser> {
  const folder = mkdtempSync(join(tmpdir(), 'rota-browser-'));
  const child = spawn(
    program,
    [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--remote-debugging-pipe',
      `--user-data-dir=${folder}`,
    ],
    { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] },
  );
  const command = commandsOf(child);
  const { targetId } = await command('Target.createTarget', { url: 'about:blank' });
  const { sessionId } = await command('Target.attachToTarget', { targetId, flatten: true });
  const send: PlainPage['send'] = (method, params = {}) => command(method, params, String(sessionId));
  await send('Emulation.setDeviceMetricsOverride', VIEWPORT);
  const evaluate = async <Value>(expression: string): Promise<Value> => {
    const { result, exceptionDetails } = await send('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails !== undefined)
      throw new Error(`In the page: ${JSON.stringify(exceptionDetails).slice(0, 500)}`);
    return (result as { readonly value: Value }).value;
  };
  const painted = async (url: string, selector: string): Promise<number> => {
    await send('Page.navigate', { url });
    const shown = await evaluate<number | null>(`new Promise((resolve) => {
      const frame = (then) => requestAnimationFrame(then);
      const look = () => {
        if (document.querySelector(${JSON.stringify(selector)}) !== null) frame(() => frame(() => resolve(performance.now())));
        else if (performance.now() > ${PAINTED_MS_MAX}) resolve(null);
        else frame(look);
      };
      look();
    })`);
    if (shown === null) throw new Error(`${url} did not show ${selector} within ${PAINTED_MS_MAX} ms`);
    return shown;
  };
  return {
    page: { send, evaluate, painted },
    async close() {
      const ended = once(child, 'exit');
      // It ends its own processes first; one that cannot be asked any more is told.
      void command('Browser.close').catch(() => child.kill());
      await ended;
      rmSync(folder, { recursive: true, force: true, maxRetries: REMOVED_AT_MOST });
    },
  };
}

type Answer = {
  readonly id?: number;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
};

/** Commands to the browser and their answers, each ended by a zero byte. */
function commandsOf(child: ChildProcess) {
  const [to, from] = [child.stdio[3] as Writable, child.stdio[4] as Readable];
  const waiting = new Map<number, { resolve(result: Record<string, unknown>): void; reject(error: Error): void }>();
  let count = 0;
  let text = '';
  from.setEncoding('utf8');
  from.on('data', (chunk: string) => {
    text += chunk;
    const messages = text.split('\0');
    text = messages.pop() ?? '';
    for (const message of messages) {
      const { id, result, error } = JSON.parse(message) as Answer;
      if (id === undefined) continue;
      const asked = waiting.get(id);
      waiting.delete(id);
      if (error === undefined) asked?.resolve(result ?? {});
      else asked?.reject(new Error(error.message));
    }
  });
  child.once('exit', () => {
    for (const { reject } of waiting.values()) reject(new Error('The browser has ended'));
    waiting.clear();
  });
  return (method: string, params: object = {}, sessionId?: string): Promise<Record<string, unknown>> =>
    new Promise((resolve, reject) => {
      const id = ++count;
      waiting.set(id, { resolve, reject });
      to.write(`${JSON.stringify({ id, method, params, ...(sessionId !== undefined && { sessionId }) })}\0`);
    });
}
