import { auditRows } from '../interpreter/audit.ts';
import { checkRows, type Finding } from '../store/check.ts';

/**
 * Whether the rows of a database fit together, and those of each workflow that is not over its expressions.
 *
 * @returns what does not fit; nothing: all is well
 * @throws when the database cannot be reached or has no tables of ours
 */
export const checkDatabase = (settings: {
  readonly databaseUrl: string | null;
  readonly dataDir: string;
}): Promise<readonly Finding[]> => checkRows(settings, auditRows);
