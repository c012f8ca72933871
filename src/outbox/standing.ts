import { makeBoundedMap } from '../runtime/bounded.ts';

/*
 * How many tries a host may have under way at once, and how much text in them, by how it has answered so far. A host that answers has its whole share; one nobody
 * has heard of yet begins with a few and gains one with each answer; one that is only silent keeps very few. And some of all places are
 * for those that answer alone, so that any number of silent hosts holds up nobody else.
 */

/** `answers`: the last thing heard of it is an answer; `unproven`: nothing yet; `silent`: its last tries ended by their time limit only. */
export type Standing = 'answers' | 'unproven' | 'silent';

/** How a try looked from here. Any status is an answer; a refused connection is quick, and says nothing. */
export type Sign = 'answered' | 'silent' | 'nothing';

/** A host begins with so many places. */
export const PLACES_FIRST = 8;
/** A host that is silent has so many. */
export const PLACES_SILENT = 2;
/** So many tries without an answer between them make a host silent. */
export const SILENT_IN_ROW = 3;
/** Hosts whose standing is remembered. */
const HOSTS_REMEMBERED_MAX = 10_000;

export type Standings = {
  of(host: string): Standing;
  /** Tries this host may have under way at once, at least 1. */
  placesOf(host: string): number;
  heard(host: string, sign: Sign): void;
  /** Tries that hosts of this standing may have under way at once, all together. */
  readonly placesOfAll: Readonly<Record<Standing, number>>;
  /** Characters that bodies under way hold, to one host and to all hosts of this standing. */
  readonly charactersPerHost: number;
  readonly charactersOfAll: Readonly<Record<Standing, number>>;
};

/** Bodies under way hold so many characters in all: each is in memory until its try has ended. */
export const UNDER_WAY_CHARACTERS_MAX = 32_000_000;

type Known = { standing: Standing; places: number; silentInRow: number };

export function makeStandings(settings: { readonly triesMax: number; readonly triesPerHostMax: number }): Standings {
  const { triesMax, triesPerHostMax } = settings;
  const first = Math.min(PLACES_FIRST, triesPerHostMax);
  const hosts = makeBoundedMap<Known>(HOSTS_REMEMBERED_MAX);
  const quarter = Math.floor(triesMax / 4);
  return {
    of: (host) => hosts.get(host)?.standing ?? 'unproven',
    placesOf: (host) => hosts.get(host)?.places ?? first,
    heard: (host, sign) => {
      if (sign === 'nothing') return;
      const known = hosts.get(host) ?? { standing: 'unproven', places: first, silentInRow: 0 };
      if (sign === 'answered') {
        // One that is back after a silence begins again.
        known.places = known.standing === 'silent' ? first : Math.min(triesPerHostMax, known.places + 1);
        known.standing = 'answers';
        known.silentInRow = 0;
      } else {
        known.silentInRow += 1;
        if (known.silentInRow >= SILENT_IN_ROW) {
          known.standing = 'silent';
          known.places = Math.min(PLACES_SILENT, triesPerHostMax);
        }
      }
      hosts.set(host, known);
    },
    placesOfAll: { answers: triesMax, unproven: triesMax - quarter, silent: Math.max(1, quarter) },
    // As with places: large bodies that nobody takes must not hold up those that somebody would.
    charactersPerHost: UNDER_WAY_CHARACTERS_MAX / 4,
    charactersOfAll: {
      answers: UNDER_WAY_CHARACTERS_MAX,
      unproven: UNDER_WAY_CHARACTERS_MAX / 2,
      silent: UNDER_WAY_CHARACTERS_MAX / 4,
    },
  };
}
