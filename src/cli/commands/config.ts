import { checkFiles } from '../../server/check-files.ts';
import { readSettings, settingWarnings } from '../../server/config.ts';
import { type Flags, sourcesOf } from '../settings.ts';

/**
 * `rota config check [file]`: says what is wrong, with the files that settings name as well; else what is set, and where that came from. `rota config print`: the
 * same of every setting. Secrets are never shown. With `--json` a line for each: `name`, `value`, `from`.
 */
export async function config([verb, file]: readonly string[], flags: Flags): Promise<number> {
  if ((verb !== 'check' && verb !== 'print') || (verb === 'print' && file !== undefined)) {
    console.error('Say rota config check [file], or rota config print');
    return 2;
  }
  const sources = sourcesOf(file === undefined ? flags : { ...flags, config: file });
  // Throws with all complaints; the caller prints them.
  const { config: settings, origins } = readSettings(process.env, sources);
  if (verb === 'check') checkFiles(settings);
  for (const warning of settingWarnings({ ...sources.dotenv, ...process.env })) console.error(warning);
  const told = origins.filter(({ from }) => verb === 'print' || from !== 'default');
  if (flags['json'] === true) {
    for (const { name, shown, from } of told) console.log(JSON.stringify({ name, value: shown, from }));
    return 0;
  }
  if (verb === 'check') console.log('The settings are good.');
  for (const { name, shown, from } of told) console.log(`${name}=${shown}  # ${from}`);
  return 0;
}
