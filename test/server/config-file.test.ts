import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConfigError, readConfig, readSettings, SETTINGS, type Sources } from '../../src/server/config.ts';
import { FILE_BYTES_MAX } from '../../src/server/settings/file.ts';
import { keyOf } from '../../src/server/settings/table.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rota-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const put = (name: string, content: string): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const complaintsOf = (environment: Record<string, string>, sources: Sources = {}): readonly string[] => {
  try {
    readConfig(environment, sources);
  } catch (error) {
    if (error instanceof ConfigError) return error.complaints.map((one) => one.replaceAll(`${folder}/`, ''));
    throw error;
  }
  return [];
};
const complaintsOfFile = (content: string, environment: Record<string, string> = {}): readonly string[] =>
  complaintsOf(environment, { file: put('rota.yaml', content) });

describe('the file of settings', () => {
  const layers = ['flag', 'environment', '.env', 'file'] as const;
  const sets = Array.from({ length: 2 ** layers.length }, (_, bits) => layers.filter((_layer, i) => bits & (1 << i)));
  test.each(sets.map((set) => [set] as const))(
    'given by %j, the strongest wins, and it is told which it was',
    (set) => {
      const port = (layer: (typeof layers)[number]): string => String(7_000 + layers.indexOf(layer));
      const has = (layer: (typeof layers)[number]): boolean => set.includes(layer);
      const { config, origins } = readSettings(has('environment') ? { PORT: port('environment') } : {}, {
        ...(has('flag') ? { flags: new Map([['PORT', port('flag')]]) } : {}),
        ...(has('.env') ? { dotenv: { PORT: port('.env') } } : {}),
        ...(has('file') ? { file: put('rota.yaml', `port: ${port('file')}`) } : {}),
      });
      expect(config.port).toBe(set[0] === undefined ? 8080 : Number(port(set[0])));
      const from = origins.find(({ name }) => name === 'PORT')?.from.replace(`${folder}/`, '');
      const places = { flag: '--port', environment: 'environment', '.env': '.env', file: 'rota.yaml:1:7' };
      expect(from).toBe(set[0] === undefined ? 'default' : places[set[0]]);
    },
  );

  test('is named by ROTA_CONFIG, and by --config before that', () => {
    const [one, two] = [put('one.yaml', 'port: 7001'), put('two.yaml', 'port: 7002')];
    expect(readConfig({ ROTA_CONFIG: one }).port).toBe(7001);
    expect(readConfig({ ROTA_CONFIG: one }, { file: two }).port).toBe(7002);
  });

  test('is YAML or JSON; lists may be lists, and yes and no are true and false only', () => {
    const yaml = 'retry_delays: [1, 2.5]\ntest_clock: true\ndatabase_prepared: 0\nlog_level: ~\n';
    const json = '{"retry_delays": "1,2.5", "test_clock": 1, "database_prepared": false}';
    for (const content of [yaml, json])
      expect(readConfig({}, { file: put('rota.yaml', content) })).toMatchObject({
        retryDelaysSeconds: [1, 2.5],
        testClock: true,
        databasePrepared: false,
        logLevel: 'info',
      });
    expect(complaintsOfFile('test_clock: yes')).toEqual(['rota.yaml:1:13: test_clock is "yes", but must be 0 or 1']);
  });

  test.each([
    ['port: 0x50', ['rota.yaml:1:7: port is "0x50", but must be a whole number from 0 to 65535']],
    ['port: 1\n\nprot: 2', ['rota.yaml:3:1: there is no setting "prot"; did you mean port?']],
    ['colour: red', ['rota.yaml:1:1: there is no setting "colour"']],
    ['port: {a: 1}', ['rota.yaml:1:7: port must be a plain value or a list']],
    ['retry_delays: [1, [2]]', ['rota.yaml:1:19: retry_delays must be a list of plain values']],
    ['- 1', ['rota.yaml:1:1: the file must hold settings, such as `port: 8080`']],
    [
      'role: boss\nport: many',
      [
        'rota.yaml:2:7: port is "many", but must be a whole number from 0 to 65535',
        'rota.yaml:1:7: role is "boss", but must be one of all, api, worker',
      ],
    ],
    ['host: &a x\nnode_name: *a', ['rota.yaml:2:12: node_name must be written out: aliases are not allowed']],
    [
      'data_dir: ${NONE}',
      ['rota.yaml:1:11: data_dir names ${NONE}, which is not set; set it, or write ${NONE:-otherwise}'],
    ],
    ['data_dir: "${"', ['rota.yaml:1:11: data_dir holds a ${ without its }; a plain one is written $${']],
    ['data_dir: "${A:-${B}}"', ['rota.yaml:1:11: data_dir holds one ${…} inside of another, which is not understood']],
    [
      'data_dir: "${no way}"',
      ['rota.yaml:1:11: data_dir holds ${no way}, but must be ${NAME}, ${NAME:-otherwise} or ${file:/path}'],
    ],
  ])('%j is told with its place', (content, complaints) => {
    expect(complaintsOfFile(content)).toEqual(complaints);
  });

  test.each(['port: 1\nport: 2', 'port: [', 'host: "open', 'port: 1\n---\nport: 2', '? [a]\n: 1'])(
    '%j cannot be read, and the line is told',
    (content) => {
      const complaints = complaintsOfFile(content);
      expect(complaints.length).toBeGreaterThan(0);
      for (const complaint of complaints) expect(complaint).toMatch(/^rota\.yaml:\d+:\d+: /);
    },
  );

  test('a bomb of aliases does nothing', () => {
    const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]'];
    for (const [name, before] of ['ba', 'cb', 'dc', 'ed', 'fe', 'gf', 'hg', 'ih'].map((pair) => [...pair]))
      bomb.push(`${name}: &${name} [${Array(9).fill(`*${before}`).join(', ')}]`);
    expect(complaintsOfFile(`${bomb.join('\n')}\nretry_delays: *i`).at(-1)).toContain('aliases are not allowed');
  });

  test('one that is missing or too large is told', () => {
    expect(complaintsOf({}, { file: join(folder, 'none.yaml') })[0]).toContain('none.yaml cannot be read');
    expect(complaintsOfFile('#'.repeat(FILE_BYTES_MAX + 1))[0]).toContain(`larger than ${FILE_BYTES_MAX} bytes`);
  });

  test('what is put in for ${…} is text and never structure', () => {
    const secret = put('secret', 'from a file\n');
    const config = readConfig(
      { FOLDER: 'x\nport: 1', PORT_NUMBER: '7001' },
      {
        file: put(
          'rota.yaml',
          `data_dir: "/a \${FOLDER} $\${b} \${NONE:-c} \${file:${secret}}"\nport: \${PORT_NUMBER}`,
        ),
      },
    );
    expect(config.dataDir).toBe('/a x\nport: 1 ${b} c from a file');
    expect(config.port).toBe(7001);
  });
});

describe('secrets', () => {
  const secrets = SETTINGS.filter((one) => one.secret);
  const MARKER = 'hunter2';

  test('are at least the address of the database', () => {
    expect(secrets.map((one) => one.name)).toContain('DATABASE_URL');
  });

  test('may be read from a file that the environment or the file of settings names', () => {
    const path = put('url', 'postgres://a:b@db/rota\n');
    expect(readConfig({ DATABASE_URL_FILE: path }).databaseUrl).toBe('postgres://a:b@db/rota');
    const file = put('rota.yaml', `database_url_file: ${path}`);
    expect(readConfig({}, { file }).databaseUrl).toBe('postgres://a:b@db/rota');
    expect(complaintsOf({ DATABASE_URL_FILE: path, DATABASE_URL: 'postgres://db/x' })).toEqual([
      'DATABASE_URL and DATABASE_URL_FILE are both set, but only one of them must be',
    ]);
    expect(complaintsOf({ DATABASE_URL_FILE: join(folder, 'none') })[0]).toContain('DATABASE_URL_FILE must be a file');
  });

  test.each(secrets.map((one) => one.name))('%s is never shown, right or wrong, wherever it comes from', (name) => {
    const wrong = complaintsOf({ [name]: `no://${MARKER}` });
    expect(wrong).toHaveLength(1);
    const inFile = complaintsOfFile(`${keyOf(name)}: no://${MARKER}`);
    expect(inFile).toHaveLength(1);
    const named = complaintsOf({ [`${name}_FILE`]: put('secret', `no://${MARKER}`) });
    expect(named).toHaveLength(1);
    const { origins } = readSettings({ DATABASE_URL: `postgres://a:${MARKER}@db/rota` });
    expect(JSON.stringify([wrong, inFile, named, origins])).not.toContain(MARKER);
  });
});
