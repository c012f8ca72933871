import { expect, test } from 'vitest';
import type { NewSchedule } from '../../../src/store/tables/definition-name.ts';
import type { Topic } from '../topic.ts';

const name = (ver: number, active: number | null = ver) => ({
  ...{ tenant: 'schedules', name: 'daily', active, last: ver, ver, hash: 'sh', source: 'ss', sha256: `x${ver}` },
  ...{ format: 'json', options: '{}', routeMethod: null, routeShape: null, routePublic: null },
});
const version = { text: 'define', stored: '[]', note: null, createdBy: null };
const schedule = (id: string, given: Partial<NewSchedule> = {}): NewSchedule => ({
  ...{ id: `daily:${id}`, spec: '{"every":"1d"}', since: 100, dueAt: 500, wakeAt: 500, paused: false },
  ...given,
});

export const about: Topic = (store) => {
  test('schedules are those of the version that is active; one that stays as it was keeps its times', async () => {
    const { stored, schedules } = store();
    await stored.add(name(1), version, [schedule('a'), schedule('b')]);
    const row = await schedules.get('schedules', 'daily:a');
    expect(row).toMatchObject({ definition: 'daily', version: 1, dueAt: 500, firing: '[]', recent: '[]', ver: 1 });
    expect(row !== null && (await schedules.change(row, { dueAt: 900, wakeAt: 900, recent: '[1]' }))).toBe(true);
    expect(row !== null && (await schedules.change(row, { dueAt: 901 }))).toBe(false);
    const changed = schedule('b', { spec: '{"every":"2d"}', dueAt: 700, wakeAt: 700 });
    await stored.add(name(2), version, [schedule('a', { dueAt: 600, wakeAt: 600 }), changed, schedule('c')]);
    const { items } = await schedules.ofDefinition('schedules', 'daily', { limit: 10, after: null });
    expect(items.map(({ id, version: of, dueAt, recent }) => [id, of, dueAt, recent])).toEqual([
      ['daily:a', 2, 900, '[1]'],
      ['daily:b', 2, 700, '[]'],
      ['daily:c', 2, 500, '[]'],
    ]);
    await stored.change({ ...name(3), active: 1, last: 2 }, [schedule('c')]);
    expect((await schedules.of('schedules', { limit: 10, after: null })).items.map(({ id }) => id)).toEqual([
      'daily:c',
    ]);
    await stored.change({ ...name(4, null), last: 2 });
    expect(await schedules.get('schedules', 'daily:c')).toBe(null);
  });

  test('those that have to be looked at stand in front, and those that wait for nothing nowhere', async () => {
    const { stored, schedules } = store();
    await stored.add({ ...name(1), name: 'due', tenant: 'due' }, version, [
      schedule('x', { wakeAt: 30 }),
      schedule('y', { wakeAt: 10 }),
      schedule('z', { wakeAt: null }),
    ]);
    expect((await schedules.awake(20, 10)).map(({ id }) => id)).toEqual(['daily:y']);
    expect((await schedules.awake(30, 10)).map(({ id }) => id)).toEqual(['daily:y', 'daily:x']);
    expect(await schedules.nextWakeAt()).toBe(10);
    await stored.change({ ...name(2, null), name: 'due', tenant: 'due' });
  });
};
