import { checkFiles } from '../../server/check-files.ts';
import { readSettings, settingWarnings } from '../../server/config.ts';
import { type Flags, sourcesOf } from '../settings.ts';

/** `rota config check [file]`: says what is wrong, with the files that settings name as well. `rota config print`: every setting, its value, where it came from. Secrets are never shown. */
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
  if (verb === 'check') console.log('The settings are good.');
  else for (const { name, shown, from } of origins) console.log(`${name}=${shown}  # ${from}`);
  return 0;
}
