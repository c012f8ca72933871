import { expect, test } from 'vitest';
import { makeLog } from '../../src/runtime/log.ts';
import { GATHER_MS } from '../../src/runtime/log-lines.ts';
import { manualTime } from '../../src/runtime/process-time.ts';

function lines(level: string): {
  readonly log: ReturnType<typeof makeLog>;
  readonly time: ReturnType<typeof manualTime>;
  readonly writes: () => number;
  readonly read: () => Record<string, unknown>[];
} {
  let text = '';
  let writes = 0;
  const time = manualTime(1_000);
  const write = (bytes: Uint8Array): number => {
    text += Buffer.from(bytes).toString();
    writes += 1;
    return bytes.length;
  };
  const log = makeLog({ level, sink: { write }, time });
  return {
    log,
    time,
    writes: () => writes,
    read: () =>
      text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

test('every event is one line of JSON, from the level on that was asked for', () => {
  const { log, read } = lines('info');
  log.debug('unseen', { event: 'a.debug' });
  log.with({ node: 'n1' }).info('seen', { event: 'a.seen', workflow_id: 'w' });
  log.error('broken', { event: 'a.broken', err: new Error('why', { cause: new Error('deeper') }) });
  const [seen, broken] = read();
  expect(seen).toMatchObject({ msg: 'seen', event: 'a.seen', node: 'n1', workflow_id: 'w' });
  expect(JSON.stringify(broken)).toContain('deeper');
  expect(read()).toHaveLength(2);
});

test('what must not be read in a log is not in it, even when somebody logs it', () => {
  const { log, read } = lines('debug');
  log.warn('request', {
    event: 'request',
    headers: { authorization: 'Bearer s3cret', cookie: 's3cret' },
    fields: { card: 's3cret' },
  });
  for (const name of [
    'key',
    'token',
    'ticket',
    'secret',
    'password',
    'set-cookie',
    'webhook-signature',
    'proceed_url',
    'callback_url',
  ]) {
    log.warn('request', { event: 'request', [name]: 's3cret' });
    log.warn('request', { event: 'request', about: { [name]: 's3cret' } });
  }
  log.warn('request', { event: 'request', authorization: 'Bearer s3cret' });
  log.with({ cookie: 's3cret' }).warn('request', { event: 'request', status: 200 });
  log.with({ status: 200 }).warn('request', { event: 'request', fields: 's3cret' });
  expect(read()).toHaveLength(22);
  expect(JSON.stringify(read())).not.toContain('s3cret');
});

test('the level can be changed, for what was made of the log as well', () => {
  const { log, read } = lines('warn');
  const child = log.with({ component: 'c' });
  child.info('unseen', { event: 'a' });
  log.setLevel('info');
  child.info('seen', { event: 'b' });
  log.setLevel('silent');
  child.error('unseen', { event: 'c' });
  expect(read().map(({ event }) => event)).toEqual(['b']);
});

test('a line is written at once; those right behind it go together, and a warning takes them along', () => {
  const { log, time, writes, read } = lines('info');
  const event = 'test';
  log.info('first', { event });
  expect(writes()).toBe(1);
  for (let i = 0; i < 10; i++) log.info('request', { event, i });
  expect(writes()).toBe(1);
  time.pass(GATHER_MS);
  expect(writes()).toBe(2);
  log.info('one', { event });
  log.warn('two', { event });
  expect(writes()).toBe(3);
  time.pass(GATHER_MS * 3);
  log.info('last', { event });
  expect(writes()).toBe(4);
  expect(read().map((line) => line['msg'])).toEqual(['first', ...Array(10).fill('request'), 'one', 'two', 'last']);
});

test('no more of them wait than fit', () => {
  const { log, writes } = lines('info');
  for (let i = 0; i < 1_000; i++) log.info('request', { event: 'request', text: 'x'.repeat(1_000) });
  expect(writes()).toBeGreaterThan(10);
  expect(writes()).toBeLessThan(50);
});
