import { checkDatabase } from '../../server/check-database.ts';
import { readConfig } from '../../server/config.ts';
import { type Flags, sourcesOf } from '../settings.ts';

/** `rota check-database`: says whether the rows fit together; 1 when they do not. It only reads, also while servers run (on Postgres). */
export async function checkDatabaseCommand(_words: readonly string[], flags: Flags): Promise<number> {
  const findings = await checkDatabase(readConfig(process.env, sourcesOf(flags)));
  for (const { what, count, workflows, lines = [] } of findings) {
    console.log(`${count} ${what}: ${workflows.join(', ')}${workflows.length < count ? ', …' : ''}`);
    for (const line of lines) console.log(`  ${line}`);
  }
  if (findings.length > 0) return 1;
  console.log('The database is in order.');
  return 0;
}
