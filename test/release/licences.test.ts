import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/* What the package brings along, by what the lock file says of it. */

type Entry = {
  readonly license?: string;
  readonly dev?: boolean;
  readonly version?: string;
  readonly integrity?: string;
};

/** Licences under which a package may be part of what is shipped. */
const SHIPPED: readonly string[] = [
  ...['MIT', 'ISC', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'BlueOak-1.0.0', '0BSD', '(MIT OR CC0-1.0)'],
];
/** And those of what only builds and tests it. */
const WORKSHOP: readonly string[] = [...SHIPPED, 'MIT OR Apache-2.0', 'MPL-2.0', 'Unlicense'];

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { readonly packages: Record<string, Entry> };
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
  readonly dependencies: Record<string, string>;
  readonly devDependencies: Record<string, string>;
};
const packages = Object.entries(lock.packages).filter(([name]) => name !== '');

test('every package has a licence that is on the list, shipped ones on the shorter one', () => {
  const strays = packages.filter(([, { license = 'none', dev }]) => !(dev ? WORKSHOP : SHIPPED).includes(license));
  expect(strays.map(([name, { license }]) => `${name}: ${license}`)).toEqual([]);
  expect(packages.length).toBeGreaterThan(100);
});

test('every package is locked by its bytes, and asked for by one version', () => {
  expect(packages.filter(([, { integrity }]) => integrity === undefined).map(([name]) => name)).toEqual([]);
  const wanted = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
  expect(wanted.filter(([, version]) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version))).toEqual([]);
});
