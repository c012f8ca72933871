import type { LookupAddress } from 'node:dns';
import { makeBoundedMap, makeQueue } from '../runtime/bounded.ts';
import type { ProcessTime } from '../runtime/process-time.ts';

export type Resolve = (
  host: string,
  options: { readonly all: true; readonly family: 0 | 4 | 6; readonly hints: number },
  done: (error: Error | null, addresses: LookupAddress[]) => void,
) => void;

/** What a name was found to be is good for so long. */
export const REMEMBERED_MS = 5_000;
const REMEMBERED_MAX = 1_000;
/** Names that wait to be looked up; more are turned away. */
const WAITING_MAX = 1_000;

/**
 * Looks names up, so many at once: each look-up holds one of the few threads that also read files. The same name is looked up once for all who
 * ask at the same time, and for five seconds after. Whoever has waited for `seconds` is told that it took too long.
 */
export function makeLookups(parts: {
  readonly resolve: Resolve;
  readonly most: number;
  readonly seconds: number;
  readonly rememberedMs?: number;
  readonly time: ProcessTime;
}): Resolve {
  const { resolve, most, seconds, time, rememberedMs = REMEMBERED_MS } = parts;
  type Asker = (error: Error | null, addresses: LookupAddress[]) => void;
  type Lookup = { readonly name: string; readonly begin: () => void; readonly askers: Set<Asker> };
  const found = makeBoundedMap<{ readonly addresses: LookupAddress[]; readonly at: number }>(REMEMBERED_MAX);
  const open = new Map<string, Lookup>();
  const waiting = makeQueue<Lookup>();
  let underWay = 0;

  function next(): void {
    while (underWay < most) {
      const lookup = waiting.shift();
      if (lookup === undefined) return;
      // Nobody waits for it any more.
      if (lookup.askers.size === 0) {
        open.delete(lookup.name);
        continue;
      }
      underWay += 1;
      lookup.begin();
    }
  }

  return (host, options, done) => {
    const name = `${host} ${options.family} ${options.hints}`;
    const known = found.get(name);
    if (known !== undefined && time.now() - known.at < rememberedMs) return done(null, known.addresses);
    let lookup = open.get(name);
    if (lookup === undefined) {
      if (waiting.size >= WAITING_MAX) return done(slow(), []);
      const askers = new Set<Asker>();
      const begin = (): void =>
        resolve(host, options, (error, addresses) => {
          underWay -= 1;
          open.delete(name);
          if (error === null) found.set(name, { addresses, at: time.now() });
          for (const tell of [...askers]) tell(error, addresses);
          next();
        });
      lookup = { name, begin, askers };
      open.set(name, lookup);
      waiting.push(lookup);
    }
    const { askers } = lookup;
    const asker: Asker = (error, addresses) => {
      if (!askers.delete(asker)) return;
      cancel();
      done(error, addresses);
    };
    const cancel = time.after(seconds * 1000, () => asker(slow(), []));
    askers.add(asker);
    next();
  };
}

const slow = (): Error => Object.assign(new Error('The name could not be looked up in time'), { code: 'ELOOKUP' });
