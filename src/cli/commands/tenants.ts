import { urlOf } from '../../model/url.ts';
import { moveTenant } from '../../store/moving.ts';
import { WronglySet } from '../../store/store.ts';
import { UsageError } from '../command.ts';
import type { Flags } from '../settings.ts';

const USAGE = `Say
  rota tenants move <tenant> --from <DATABASE_URL> --to <DATABASE_URL> [--address <BASE_URL of the other cell>]`;

/** `rota tenants move`: a tenant goes to another cell with everything, while both are at work; after an interruption the same command goes on. */
export async function tenants([verb, tenant]: readonly string[], flags: Flags): Promise<number> {
  const { from, to, address } = flags;
  if (verb !== 'move' || tenant === undefined) throw new UsageError(USAGE);
  if (typeof from !== 'string' || typeof to !== 'string') throw new UsageError(USAGE);
  for (const url of [from, to])
    if (!/^postgres(?:ql)?:\/\//.test(url))
      throw new UsageError(`--from and --to are addresses of Postgres, as in DATABASE_URL\n${USAGE}`);
  if (typeof address === 'string' && urlOf(address) === null)
    throw new UsageError(`--address ${address} is no address`);
  try {
    const settings = { tenant, from, to, say: (text: string) => console.error(text) };
    const { workflows, counts } = await moveTenant(typeof address === 'string' ? { ...settings, address } : settings);
    console.log(
      `${workflows} workflows of ${tenant} were moved, ${Object.values(counts).reduce((sum, n) => sum + n, 0)} rows in all`,
    );
    return 0;
  } catch (error) {
    if (!(error instanceof WronglySet)) throw error;
    console.error(error.message);
    return 2;
  }
}
