import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { readConfig, SETTINGS } from '../../src/server/config.ts';

/* The image and its composition, held against what is there. No daemon is needed, and none builds them here. */

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const manifest = JSON.parse(read('package.json')) as {
  readonly scripts: object;
  readonly bin: { readonly rota: string };
  readonly engines: { readonly node: string };
};

const steps = read('Dockerfile')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => {
    const [word = '', ...rest] = line.split(' ');
    return { word, rest: rest.join(' ') };
  });
const all = (word: string): string[] => steps.filter((step) => step.word === word).map((step) => step.rest);

test('the image copies only what is there, and its build context holds it', () => {
  const allowed = read('.dockerignore')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1));
  const copied = all('COPY')
    .filter((rest) => !rest.startsWith('--from'))
    .flatMap((rest) => rest.split(' ').slice(0, -1));
  expect(copied.length).toBeGreaterThan(0);
  for (const file of copied) expect(existsSync(join(root, file)), file).toBe(true);
  expect([...new Set(copied)].sort()).toEqual([...allowed].sort());
  expect(read('.dockerignore').split('\n')[0]).toBe('*');
});

test('what the build runs and reads is in the image before it', () => {
  const { build } = manifest.scripts as { readonly build: string };
  const before = all('COPY')
    .filter((rest) => !rest.startsWith('--from'))
    .slice(0, -2)
    .flatMap((rest) => rest.split(' ').slice(0, -1));
  const wanted = [...build.matchAll(/(?:node|-p) (\w+)(?:\/\S+)?/g)].map(([, first = '']) => first);
  for (const name of [...wanted, 'src', 'console', 'docs', 'examples'])
    expect(
      before.some((copied) => copied === name || copied.startsWith(`${name}.`)),
      name,
    ).toBe(true);
});

test('its build steps are scripts that exist', () => {
  for (const [, script = ''] of all('RUN')
    .join('\n')
    .matchAll(/npm run (\S+)/g))
    expect(manifest.scripts).toHaveProperty([script]);
  expect(all('RUN')).toContain('npm run build');
});

test('it runs the command of the package, not as root, with settings that are good', () => {
  expect(all('CMD')).toEqual([JSON.stringify(['node', manifest.bin.rota, 'serve']).replaceAll(',', ', ')]);
  expect(all('USER')).toEqual(['node']);
  const variables = Object.fromEntries(
    all('ENV').flatMap((rest) => rest.split(' ').map((pair) => pair.split('=') as [string, string])),
  );
  const known = new Set([...SETTINGS.map((one) => one.name), 'NODE_ENV']);
  expect(Object.keys(variables).filter((name) => !known.has(name))).toEqual([]);
  const config = readConfig(variables);
  expect(config).toMatchObject({ host: '0.0.0.0', dataDir: '/data', allowPrivateTargets: false });
  expect(all('EXPOSE')).toEqual([String(config.port)]);
  expect(all('VOLUME')).toEqual([config.dataDir]);
});

test('the image stands on one exact version of Node, which the package takes', () => {
  const [image = ''] = all('ARG').filter((rest) => rest.startsWith('NODE_IMAGE='));
  const [, major, minor] = image.match(/^NODE_IMAGE=node:(\d+)\.(\d+)\.\d+-\w+-slim$/) ?? [];
  const [, least, leastMinor] = manifest.engines.node.match(/^>=(\d+)\.(\d+)$/) ?? [];
  expect(Number(least)).toBeGreaterThan(0);
  expect(Number(major) * 1_000 + Number(minor), image).toBeGreaterThanOrEqual(
    Number(least) * 1_000 + Number(leastMinor),
  );
  expect([...new Set(all('FROM'))]).toEqual(['${NODE_IMAGE} AS build', '${NODE_IMAGE}']);
});

test('what the image and the compositions name in capitals is a setting, or is read by the program beside it', () => {
  const others = ['NODE_IMAGE', 'NODE_ENV', 'POSTGRES_USER', 'POSTGRES_PASSWORD', 'POSTGRES_DB'];
  const known = new Set([...SETTINGS.map((one) => one.name), ...others, 'GRAFANA_PASSWORD']);
  known.add('GF_SECURITY_ADMIN_PASSWORD');
  for (const file of ['Dockerfile', 'compose.yaml', 'ops/compose.yaml', 'ops/rota.service']) {
    const named = [...read(file).matchAll(/\b[A-Z]+(?:_[A-Z]+)+\b/g)].map(([name]) => name);
    expect(named.length, file).toBeGreaterThan(0);
    expect(
      named.filter((name) => !known.has(name)),
      file,
    ).toEqual([]);
  }
});

test('the service of systemd runs the command of the package, and gives it time to stop', () => {
  const said = new Map(
    read('ops/rota.service')
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  expect(said.get('ExecStart')).toBe(`/usr/bin/node ${manifest.bin.rota} serve`);
  expect(said.get('RestartPreventExitStatus')).toBe('2');
  const { drainSeconds, stopSeconds } = readConfig({});
  expect(Number(said.get('TimeoutStopSec'))).toBeGreaterThanOrEqual(drainSeconds + stopSeconds + 10);
});

test('the composition has no password of its own, listens at loopback, and gives the node time to stop', () => {
  const { services } = parse(read('ops/compose.yaml')) as {
    readonly services: {
      readonly rota: {
        readonly environment: Record<string, string>;
        readonly ports: string[];
        readonly stop_grace_period: string;
      };
      readonly postgres: { readonly environment: Record<string, string>; readonly ports?: string[] };
    };
  };
  expect(services.postgres.ports).toBeUndefined();
  expect(services.postgres.environment['POSTGRES_PASSWORD']).toMatch(/^\$\{POSTGRES_PASSWORD:\?/);
  for (const port of services.rota.ports) expect(port).toMatch(/^127\.0\.0\.1:/);
  const known = SETTINGS.map((one) => one.name);
  expect(Object.keys(services.rota.environment).filter((name) => !known.includes(name))).toEqual([]);
  const { drainSeconds, stopSeconds } = readConfig({});
  expect(Number.parseInt(services.rota.stop_grace_period, 10)).toBeGreaterThanOrEqual(drainSeconds + stopSeconds + 10);
});
