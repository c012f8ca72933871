import { Problem } from '../problem.ts';

/*
 * What the bodies of all requests under way hold together, in bytes: from the first byte that arrives to the answer. The first part of
 * each is not counted (2,000 requests times 64 kB), so that large bodies that never end cannot shut out small ones.
 */

/** Bytes of bodies under way on this node, beyond the first `BODY_BYTES_FREE` of each. */
export const BODIES_BYTES_MAX = 128 * 1024 * 1024;
export const BODY_BYTES_FREE = 64 * 1024;

export type Intake = {
  /** A body that is about to be read. */
  begin(): Held;
  readonly held: () => number;
};
export type Held = {
  /** So many bytes more. @throws Problem `overloaded` when there is no room */
  add(bytes: number): void;
  /** The request has been answered. A second time does nothing. */
  release(): void;
};

export function makeIntake(most = BODIES_BYTES_MAX): Intake {
  let all = 0;
  return {
    held: () => all,
    begin: () => {
      let read = 0;
      let counted = 0;
      return {
        add: (bytes) => {
          const more = Math.max(0, read + bytes - BODY_BYTES_FREE) - counted;
          if (all + more > most)
            throw new Problem('overloaded', `Bodies of more than ${most} bytes are under way; try again in a moment`);
          read += bytes;
          counted += more;
          all += more;
        },
        release: () => {
          all -= counted;
          counted = 0;
          read = 0;
        },
      };
    },
  };
}
