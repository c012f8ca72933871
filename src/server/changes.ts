import type { Config } from './config.ts';
import { TABLE } from './settings/table.ts';

/* What a server that runs takes up when it is told to read its settings anew (SIGHUP). */

const CHANGEABLE = [
  'logLevel',
  'corsOrigins',
  'rateLimitKey',
  'rateLimitAddress',
  'rateLimitFailures',
  'hosts',
  'overdue',
  'overdueAfterSeconds',
] as const satisfies readonly (keyof typeof TABLE)[];
export type Changeable = Pick<Config, (typeof CHANGEABLE)[number]>;

/** Names of the settings that differ: those that are taken up, and those that need a restart. */
export function changedSettings(
  before: Config,
  after: Config,
): { readonly taken: readonly string[]; readonly restart: readonly string[] } {
  const keys = Object.keys(TABLE) as (keyof typeof TABLE)[];
  const changed = keys.filter((key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]));
  const isTaken = (key: keyof typeof TABLE): boolean => CHANGEABLE.some((one) => one === key);
  const nameOf = (key: keyof typeof TABLE): string => TABLE[key].name;
  return {
    taken: changed.filter(isTaken).map(nameOf),
    restart: changed.filter((key) => !isTaken(key)).map(nameOf),
  };
}
