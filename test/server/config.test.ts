import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ConfigError, readConfig, SETTINGS, settingWarnings } from '../../src/server/config.ts';

const complaintsOf = (environment: Record<string, string>): readonly string[] => {
  try {
    readConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.complaints;
    throw error;
  }
  return [];
};

describe('the settings', () => {
  test('all have a default, that of the contract', () => {
    expect(readConfig({})).toMatchObject({
      databaseUrl: null,
      dataDir: resolve('data'),
      host: '127.0.0.1',
      port: 8080,
      baseUrl: null,
      role: 'all',
      retryDelaysSeconds: [30, 31, 62, 273, 1054, 3155, 7806, 16837, 32798, 59079, 100030],
      noticeDelaysSeconds: [5, 30, 120, 420],
      callbackTimeoutSeconds: 15,
      leaseSeconds: 30,
      retainEndedDays: 30,
      databasePrepared: true,
      databaseProfile: 'postgres',
      allowPrivateTargets: true,
      testClock: false,
      logLevel: 'info',
    });
  });

  test('that are set to nothing count as not set', () => {
    const empty = Object.fromEntries(SETTINGS.map(({ name }) => [name, ' ']));
    expect(readConfig(empty)).toEqual(readConfig({}));
  });

  test('are read', () => {
    expect(
      readConfig({
        DATABASE_URL: 'postgres://rota:secret@db.example:5433/rota',
        DATA_DIR: 'memory:',
        HOST: '0.0.0.0',
        PORT: '0',
        BASE_URL: 'https://example.org/rota/',
        ROLE: 'worker',
        RETRY_DELAYS: '1, 2.5,0',
        NOTICE_DELAYS: '7',
        CALLBACK_TIMEOUT: '0.5',
        LEASE_SECONDS: '10.5',
        RETAIN_ENDED: '0',
        DATABASE_PREPARED: '0',
        DATABASE_PROFILE: 'distributed',
        TEST_CLOCK: '1',
      }),
    ).toMatchObject({
      databaseUrl: 'postgres://rota:secret@db.example:5433/rota',
      dataDir: 'memory:',
      host: '0.0.0.0',
      port: 0,
      baseUrl: 'https://example.org/rota',
      role: 'worker',
      retryDelaysSeconds: [1, 2.5, 0],
      noticeDelaysSeconds: [7],
      callbackTimeoutSeconds: 0.5,
      leaseSeconds: 10.5,
      retainEndedDays: 0,
      databasePrepared: false,
      databaseProfile: 'distributed',
      testClock: true,
    });
  });

  test.each([
    ['127.0.0.1', true],
    ['127.1.2.3', true],
    ['localhost', true],
    ['::1', true],
    ['0.0.0.0', false],
    ['::', false],
    ['192.168.0.7', false],
  ])('listening at %s, callbacks to private addresses are allowed unless told otherwise: %s', (host, allowed) => {
    expect(readConfig({ HOST: host }).allowPrivateTargets).toBe(allowed);
    expect(readConfig({ HOST: host, ALLOW_PRIVATE_TARGETS: '0' }).allowPrivateTargets).toBe(false);
    expect(readConfig({ HOST: host, ALLOW_PRIVATE_TARGETS: '1' }).allowPrivateTargets).toBe(true);
  });

  test('that are wrong are all listed, each with what it may be', () => {
    const complaints = complaintsOf({
      DATABASE_URL: 'mysql://root:hunter2@db/rota',
      HOST: 'http://example.org',
      PORT: '65536',
      BASE_URL: 'example.org',
      ROLE: 'boss',
      RETRY_DELAYS: '30,soon',
      NOTICE_DELAYS: '-5',
      CALLBACK_TIMEOUT: '0',
      LEASE_SECONDS: '1e3',
      RETAIN_ENDED: 'forever',
      DATABASE_PREPARED: 'no',
      DATABASE_PROFILE: 'mongo',
      ALLOW_PRIVATE_TARGETS: 'true',
      TEST_CLOCK: 'on',
      LOG_LEVEL: 'loud',
    });
    const named = complaints.map((complaint) => /^[A-Z_]+/.exec(complaint)?.[0]);
    expect(named.sort()).toEqual(
      [
        ...['DATABASE_URL', 'HOST', 'PORT', 'BASE_URL', 'ROLE', 'RETRY_DELAYS', 'NOTICE_DELAYS', 'CALLBACK_TIMEOUT'],
        ...['LEASE_SECONDS', 'RETAIN_ENDED', 'DATABASE_PREPARED', 'ALLOW_PRIVATE_TARGETS', 'TEST_CLOCK', 'LOG_LEVEL'],
        'DATABASE_PROFILE',
      ].sort(),
    );
    for (const complaint of complaints) expect(complaint).toMatch(/ must be /);
    expect(complaints.join()).not.toContain('hunter2');
  });

  test.each(['08o80', '', '0x50', ' ', '80.5', '-1', '1e2', 'NaN', 'Infinity'])(
    'PORT %j is a port or refused',
    (PORT) => {
      if (PORT.trim() === '') expect(readConfig({ PORT }).port).toBe(8080);
      else expect(complaintsOf({ PORT })).toHaveLength(1);
    },
  );

  test('a lease that could end while a try is under way is refused', () => {
    expect(complaintsOf({ CALLBACK_TIMEOUT: '20', LEASE_SECONDS: '30' })).toEqual([]);
    expect(complaintsOf({ CALLBACK_TIMEOUT: '20.5' })[0]).toContain('at least CALLBACK_TIMEOUT + 10, that is 30.5');
    expect(complaintsOf({ LEASE_SECONDS: '24.9' })[0]).toContain('at least CALLBACK_TIMEOUT + 10, that is 25');
  });

  test.each([
    'ftp://example.org',
    'https://user:pass@example.org',
    'https://example.org/?a=1',
    'https://example.org/#a',
  ])('BASE_URL %s cannot be put into a proceed_url', (BASE_URL) => expect(complaintsOf({ BASE_URL })).toHaveLength(1));

  test.each([
    ['https://rota.example', false],
    ['http://10.0.0.7:8080', false],
    ['http://localhost:8080/rota', true],
    ['http://[::1]:8080', true],
  ])(
    'behind a proxy at %s, callbacks to private addresses are allowed unless told otherwise: %s',
    (BASE_URL, allowed) => {
      expect(readConfig({ BASE_URL }).allowPrivateTargets).toBe(allowed);
      expect(readConfig({ BASE_URL, ALLOW_PRIVATE_TARGETS: '1' }).allowPrivateTargets).toBe(true);
    },
  );

  test.each([
    [{ DATABSE_URL: 'x' }, 'DATABSE_URL is not a setting; did you mean DATABASE_URL?'],
    [{ ROTA_PORT: '1' }, 'ROTA_PORT is not a setting; did you mean PORT?'],
    [{ ROTA_COLOUR: '1' }, 'ROTA_COLOUR is not a setting; rota --help lists them'],
    [{ TRIES_PER_HOSTS_MAX: '1' }, 'TRIES_PER_HOSTS_MAX is not a setting; did you mean TRIES_PER_HOST_MAX?'],
  ])('that are misspelt are told: %j', (environment, sentence) => {
    expect(settingWarnings(environment)).toEqual([sentence]);
  });

  test("variables of others are nobody's mistake", () => {
    const others = [
      'PATH',
      'HOME',
      'HOSTNAME',
      'POST',
      'PORTS',
      'NODE_ENV',
      'NODE_OPTIONS',
      'ROTA_CONFIG',
      'DATABASE_URL_FILE',
      'RULE',
    ];
    expect(settingWarnings(Object.fromEntries(others.map((name) => [name, 'x'])))).toEqual([]);
  });
});
