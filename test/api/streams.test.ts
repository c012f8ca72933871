import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { Sink } from '../../src/api/operation.ts';
import { HOLDS_EVERY_MS, makeStreams } from '../../src/api/streams.ts';
import { OPEN } from '../../src/identity/principal.ts';
import { manualTime, type ProcessTime } from '../../src/runtime/process-time.ts';

/* Answers that go on: counted apart, ended first when the server stops, and never mistaken for whole ones when they break off. */

type Written = {
  readonly sink: Sink;
  readonly signal: AbortSignal;
  readonly done: () => void;
  readonly fail: (error: Error) => void;
};

/** A server whose every answer is a stream that the test writes. */
async function serve(most: number, more: { readonly time?: ProcessTime; readonly holds?: () => boolean } = {}) {
  const errors: unknown[] = [];
  const streams = makeStreams((error) => errors.push(error), {
    most,
    ...(more.time === undefined ? {} : { time: more.time }),
  });
  const waiting: ((written: Written) => void)[] = [];
  const server = createServer((_request, response) => {
    try {
      const open: Parameters<typeof streams.run>[1]['open'] = (sink, signal) =>
        new Promise<void>((resolve, fail) => waiting.shift()?.({ sink, signal, done: () => resolve(), fail }));
      void streams.run(response, { open }, OPEN, more.holds ?? (() => true));
    } catch (error) {
      response.writeHead(503).end((error as { readonly code: string }).code);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const ask = (): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => get({ port, host: '127.0.0.1', agent: false }, resolve).on('error', reject));
  const opened = async (): Promise<Written & { readonly answer: IncomingMessage }> => {
    const written = new Promise<Written>((resolve) => waiting.push(resolve));
    const answer = await ask();
    return { ...(await written), answer };
  };
  return { streams, errors, ask, opened };
}

const textOf = async (answer: IncomingMessage): Promise<string> => {
  let text = '';
  for await (const chunk of answer) text += String(chunk);
  return text;
};

test('no more streams than allowed are open; a place is free again when one is done or its client has gone', async () => {
  const { streams, ask, opened } = await serve(2);
  const [one, two] = [await opened(), await opened()];
  const refused = await ask();
  expect([refused.statusCode, await textOf(refused)]).toEqual([503, 'overloaded']);
  expect(streams.open()).toBe(2);

  await one.sink.write('bit');
  one.done();
  expect(await textOf(one.answer)).toBe('bit');
  const gone = new Promise((resolve) => two.signal.addEventListener('abort', resolve));
  two.answer.destroy();
  await gone;
  expect([(await opened()).answer.statusCode, (await opened()).answer.statusCode]).toEqual([200, 200]);
});

test('all are ended when the server stops, and none begins after that', async () => {
  const { streams, ask, opened } = await serve(5);
  const all = [await opened(), await opened()];
  await all[0]?.sink.write('bit');
  streams.end();
  expect(await Promise.all(all.map(({ answer }) => textOf(answer)))).toEqual(['bit', '']);
  expect(all.every(({ signal }) => signal.aborted)).toBe(true);
  const late = await ask();
  expect([late.statusCode, await textOf(late)]).toEqual([503, 'not_ready']);
  expect(streams.open()).toBe(0);
});

test('one that breaks off does not look like one that is done', async () => {
  const { errors, opened } = await serve(1);
  const { answer, sink, fail } = await opened();
  await sink.write('half');
  const read = textOf(answer);
  fail(new Error('the source is lost'));
  await expect(read).rejects.toThrow('aborted');
  expect(errors).toMatchObject([{ message: 'the source is lost' }]);
});

test('whoever may not read any more is read to no longer than a minute', async () => {
  const time = manualTime();
  let holds = true;
  const { streams, opened } = await serve(2, { time, holds: () => holds });
  const { answer, signal } = await opened();
  time.pass(HOLDS_EVERY_MS);
  expect(signal.aborted).toBe(false);
  holds = false;
  time.pass(HOLDS_EVERY_MS - 1);
  expect(signal.aborted).toBe(false);
  time.pass(1);
  expect(signal.aborted).toBe(true);
  expect(await textOf(answer)).toBe('');
  expect(streams.figures()).toMatchObject({ revoked: 1, gone: 0 });
});
