/** What the counts in the rail are read from; it belongs to every page and to none. */
export const COUNTED = 'v1/stats?minutes=1';
