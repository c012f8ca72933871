/* Times as callers see them: RFC 3339 in UTC. */

export const timeView = (at: number): string => new Date(at).toISOString();
export const timeOrNull = (at: number | null): string | null => (at === null ? null : timeView(at));
