import { expect, test } from 'vitest';
import { makeLog } from '../../src/runtime/log.ts';

function lines(level: string): {
  readonly log: ReturnType<typeof makeLog>;
  readonly read: () => Record<string, unknown>[];
} {
  let text = '';
  const log = makeLog({ level, destination: { write: (line) => (text += line) } });
  return {
    log,
    read: () =>
      text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

test('every event is one line of JSON, from the level on that was asked for', () => {
  const { log, read } = lines('info');
  log.debug('unseen');
  log.with({ node: 'n1' }).info('seen', { workflow_id: 'w' });
  log.error('broken', { err: new Error('why', { cause: new Error('deeper') }) });
  const [seen, broken] = read();
  expect(seen).toMatchObject({ msg: 'seen', node: 'n1', workflow_id: 'w' });
  expect(JSON.stringify(broken)).toContain('deeper');
  expect(read()).toHaveLength(2);
});

test('what must not be read in a log is not in it, even when somebody logs it', () => {
  const { log, read } = lines('debug');
  log.info('request', { headers: { authorization: 'Bearer s3cret', cookie: 's3cret' }, fields: { card: 's3cret' } });
  expect(read()).toHaveLength(1);
  expect(JSON.stringify(read())).not.toContain('s3cret');
});
