import { path } from '../address/router.ts';

/* What holds the place of what is being read, as large as that is going to be: as it was when it was looked at last in this window. */

/** Rows where nobody has looked yet; and of which a window is full in any case. */
const ROWS_FIRST = 8;
const ROWS_MAX = 60;

/** Rows each list had, by its page and which of its lists it is. */
const rows = new Map<string, number>();
const nameOf = (which: string): string => `${path.value.split('/').slice(0, 3).join('/')} ${which}`;
export const rememberRows = (which: string, count: number): void => void rows.set(nameOf(which), count);

/** A list that is being read. */
export const ListSkeleton = ({ which }: { readonly which: string }) => (
  <div
    class="skeleton list"
    style={{ '--rows': Math.max(1, Math.min(ROWS_MAX, rows.get(nameOf(which)) ?? ROWS_FIRST)) }}
  />
);
