import { expect, test } from 'vitest';
import { makeSealing } from '../../src/identity/sealing.ts';
import type { Tenant } from '../../src/model/tenant.ts';
import type { Definition } from '../../src/registry/definitions.ts';
import { LOADING_MAX, makeOwnParticipants } from '../../src/registry/own-participants.ts';
import type { LineDetails, Log } from '../../src/runtime/log.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { until } from '../support/until.ts';

/* What a version of a definition brings along, where the version is not at hand yet. */

const tenant = 'default' as Tenant;
const versionOf = (name: string): Definition => ({
  ...{ tenant, name, version: 1, hash: 'h', source: 's', sha256: 'x', format: 'radial', changedAt: 0 },
  options: { participants: { alpha: { url: 'http://alpha.example/' } } },
});

test('a version that cannot be loaded is told in the log, and loaded when it is asked for again', async () => {
  const lines: LineDetails[] = [];
  const log: Log = { ...silentLog, warn: (_sentence, details) => void lines.push(details) };
  const kept = new Map<string, Definition>();
  let isDown = true;
  const own = makeOwnParticipants({
    definitions: {
      kept: (_tenant, name) => kept.get(name),
      load: async (_tenant, name) => {
        if (isDown) throw new Error('the database is down');
        kept.set(name, versionOf(name));
        return versionOf(name);
      },
    },
    sealing: makeSealing([]),
    log,
  });
  const order = { name: 'order', version: 1 };
  expect(own.find(tenant, order, 'alpha')).toBeUndefined();
  own.begin(tenant, order);
  own.begin(tenant, order);
  await until('a line in the log', () => lines.length > 0);
  expect(lines).toMatchObject([{ event: 'participant.not_loaded', definition: 'order@1' }]);
  isDown = false;
  own.begin(tenant, order);
  await until('the entry', () => own.find(tenant, order, 'alpha') !== undefined);
  expect(own.find(tenant, order, 'alpha')).toMatchObject({ url: 'http://alpha.example/' });
});

test('so many versions are loaded at once, and the others are asked for again', async () => {
  const asked: string[] = [];
  const release: (() => void)[] = [];
  const own = makeOwnParticipants({
    definitions: {
      kept: () => undefined,
      load: async (_tenant, name) => {
        asked.push(name);
        await new Promise<void>((resolve) => release.push(resolve));
        return null;
      },
    },
    sealing: makeSealing([]),
    log: silentLog,
  });
  for (let n = 0; n < LOADING_MAX + 5; n++) own.begin(tenant, { name: `d${n}`, version: 1 });
  expect(asked).toHaveLength(LOADING_MAX);
  for (const let_ of release) let_();
  await until('room', () => own.find(tenant, { name: 'd0', version: 1 }, 'alpha') === null);
  own.begin(tenant, { name: `d${LOADING_MAX}`, version: 1 });
  expect(asked.at(-1)).toBe(`d${LOADING_MAX}`);
  release.at(-1)?.();
});
