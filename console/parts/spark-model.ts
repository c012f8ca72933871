import { isObject, type Json, type JsonObject } from '../../src/model/json.ts';
import { textOf } from '../picture/standing.ts';

/* The minutes of the server as points of a small chart. */

/** Minutes a spark looks back, and the points it has: beyond an hour a point stands for several minutes. */
export const MINUTES = 60;

export type Series = {
  readonly word: string;
  /** Of one minute; null: nothing was measured. */
  readonly of: (minute: JsonObject) => number | null;
  /** What stands before the word: the sum of all minutes, or the largest of them. */
  readonly sum: 'sum' | 'largest';
  readonly say?: (value: number) => string;
  readonly look?: 'live' | 'done' | 'failed' | 'waits';
};

/** `place`: which of the MINUTES points it is, the last one is now. */
export type Point = { readonly at: string; readonly place: number; readonly value: number };

/** The points in which something happened, oldest first. `now`: by the clock of the server, RFC 3339. */
export function pointsOf(
  { of, sum }: Pick<Series, 'of' | 'sum'>,
  minutes: readonly JsonObject[],
  now: string,
  over = MINUTES,
): readonly Point[] {
  const size = Math.ceil(over / MINUTES);
  const pointAt = (at: string): number => Math.floor(Date.parse(at) / 60_000 / size);
  const last = pointAt(now);
  const points = new Map<number, { readonly at: string; readonly place: number; value: number }>();
  for (const one of minutes) {
    const at = textOf(one['at']);
    const place = MINUTES - 1 - (last - pointAt(at));
    const value = of(one) ?? 0;
    const known = points.get(place);
    if (known === undefined) points.set(place, { at, place, value });
    else known.value = sum === 'largest' ? Math.max(known.value, value) : known.value + value;
  }
  return [...points.values()];
}

/** What stands before the word of a series. */
export const toldOf = (points: readonly Point[], sum: Series['sum']): number =>
  sum === 'largest'
    ? Math.max(0, ...points.map(({ value }) => value))
    : points.reduce((total, { value }) => total + value, 0);

/** The same points as a line through all of them, in a drawing MINUTES - 1 wide: where nothing happened it lies on the ground. */
export function lineThrough(points: readonly Point[], height: number): string {
  const most = Math.max(0, ...points.map(({ value }) => value));
  const values = new Map(points.map(({ place, value }) => [place, value]));
  return Array.from({ length: MINUTES }, (_, place) => {
    const value = values.get(place) ?? 0;
    return `${place},${most === 0 ? height : Number((height - (height * value) / most).toFixed(2))}`;
  }).join(' ');
}

export const numberIn = (value: Json | undefined, ...path: readonly string[]): number | null => {
  const found = path.reduce<Json | undefined>(
    (one, name) => (isObject(one ?? null) ? (one as JsonObject)[name] : undefined),
    value,
  );
  return typeof found === 'number' ? found : null;
};
