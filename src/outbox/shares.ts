import type { Held } from './waiting.ts';

/*
 * Participants that may have only so many tries at once (`places` of their entries), on top of what their host may have. What has no place waits here,
 * in the order in which its turn had come, and goes back into the queue when a try of its participant has ended.
 */

/** Claimed messages of one participant that wait for a place here; more are put off. */
export const WAITING_PER_SHARE = 100;

export type Shares = {
  /** Its turn has come. `begins`: it counts until `ended`; `waits`: it is kept here; `full`: too many wait already. */
  begin(item: Held): 'begins' | 'waits' | 'full';
  /** Its try has ended. */
  ended(item: Held): void;
  /** One that waits and may begin now, because something of what `item` shares was let go; undefined: none may. */
  next(item: Held): Held | undefined;
  /** False: it does not wait here. */
  remove(item: Held): boolean;
  readonly waiting: number;
};

type Group = { most: number; running: number; readonly waiting: Set<Held> };

export function makeShares(): Shares {
  const groups = new Map<string, Group>();
  /** Groups of what is under way or waits. */
  const known = new Map<Held, string>();
  let waiting = 0;

  function forget(key: string, group: Group): void {
    if (group.running === 0 && group.waiting.size === 0) groups.delete(key);
  }

  return {
    begin: (item) => {
      const share = item.share?.() ?? null;
      if (share === null) return 'begins';
      const { key, most } = share;
      const group = groups.get(key) ?? { most, running: 0, waiting: new Set<Held>() };
      group.most = most;
      if (group.running >= most && group.waiting.size >= WAITING_PER_SHARE) return 'full';
      groups.set(key, group);
      known.set(item, key);
      if (group.running < most) {
        group.running += 1;
        return 'begins';
      }
      group.waiting.add(item);
      waiting += 1;
      return 'waits';
    },
    ended: (item) => {
      const key = known.get(item);
      const group = key === undefined ? undefined : groups.get(key);
      known.delete(item);
      if (key === undefined || group === undefined) return;
      group.running -= 1;
      forget(key, group);
    },
    next: (item) => {
      if (waiting === 0) return undefined;
      const share = item.share?.() ?? null;
      const group = share === null ? undefined : groups.get(share.key);
      if (share === null || group === undefined || group.running >= share.most) return undefined;
      const { value: first } = group.waiting.values().next();
      if (first === undefined) return undefined;
      group.waiting.delete(first);
      known.delete(first);
      waiting -= 1;
      forget(share.key, group);
      return first;
    },
    remove: (item) => {
      const key = known.get(item);
      const group = key === undefined ? undefined : groups.get(key);
      if (key === undefined || group === undefined || !group.waiting.delete(item)) return false;
      known.delete(item);
      waiting -= 1;
      forget(key, group);
      return true;
    },
    get waiting() {
      return waiting;
    },
  };
}
