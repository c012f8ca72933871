import { readDotenv, type Sources } from '../server/config.ts';
import { flagOf, SETTINGS } from '../server/settings/table.ts';

/** The flags of commands that read settings: `--config`, and one for every setting that is no secret (others could be seen in the list of processes). */
export const settingFlags: Readonly<Record<string, { readonly type: 'string' }>> = Object.fromEntries(
  ['config', ...SETTINGS.filter((one) => !one.secret && one.fileOnly !== true).map((one) => flagOf(one.name))].map(
    (flag) => [flag, { type: 'string' as const }],
  ),
);

/** Flags of one call, by their names; a list where one may be given several times. */
export type Flags = Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>;

/** @throws ConfigError when the `.env` file cannot be read */
export function sourcesOf(flags: Flags): Sources {
  const named = SETTINGS.flatMap((one) => {
    const value = flags[flagOf(one.name)];
    return typeof value === 'string' ? [[one.name, value] as const] : [];
  });
  const { config } = flags;
  if (flags['no-migrate'] === true) named.push(['MIGRATE', '0']);
  return { flags: new Map(named), dotenv: readDotenv(), ...(typeof config === 'string' ? { file: config } : {}) };
}
