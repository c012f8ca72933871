import { readConfig } from '../../server/config.ts';
import { healthComplaint } from '../../server/health.ts';
import { type Flags, sourcesOf } from '../settings.ts';

/** `rota health`: whether the server of these settings answers; 1 when it does not. */
export async function health(_words: readonly string[], flags: Flags): Promise<number> {
  const complaint = await healthComplaint(readConfig(process.env, sourcesOf(flags)));
  if (complaint === null) return 0;
  console.error(complaint);
  return 1;
}
