import { readConfig } from '../../server/config.ts';
import { checkDatabase } from '../../store/check.ts';
import { type Flags, sourcesOf } from '../settings.ts';

/** `rota check-database`: says whether the rows fit together; 1 when they do not. It only reads, also while servers run (on Postgres). */
export async function checkDatabaseCommand(_words: readonly string[], flags: Flags): Promise<number> {
  const findings = await checkDatabase(readConfig(process.env, sourcesOf(flags)));
  for (const { what, count, workflows } of findings)
    console.log(`${count} ${what}: ${workflows.join(', ')}${workflows.length < count ? ', …' : ''}`);
  if (findings.length > 0) return 1;
  console.log('The database is in order.');
  return 0;
}
