import { createHash } from 'node:crypto';
import { makeWorld as make } from '../../console/rehearse/world.ts';

export type { Delivered, DeliveredFields, Step, World } from '../../console/rehearse/world.ts';

type Parts = Omit<Parameters<typeof make>[0], 'seed'>;

/** The world of the rehearsal, as tests have it: the nth step has the same seed in every run. */
export const makeWorld = (parts: Parts): ReturnType<typeof make> =>
  make({ ...parts, seed: (n) => createHash('md5').update(`seed ${n}`).digest('hex') });
