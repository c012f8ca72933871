import pg from 'pg';

/** Counts the statements that this process sends from now on, by name; what has none by its first word. */
export function countStatements(): {
  /** How many of each since the last time it was asked. */
  readonly taken: () => ReadonlyMap<string, number>;
  readonly stop: () => void;
} {
  let counts = new Map<string, number>();
  const original = pg.Client.prototype.query;
  Reflect.set(pg.Client.prototype, 'query', function (this: pg.Client, ...given: readonly unknown[]) {
    const name = nameOf(given[0]);
    counts.set(name, (counts.get(name) ?? 0) + 1);
    return Reflect.apply(original, this, given);
  });
  return {
    taken: () => {
      const now = counts;
      counts = new Map();
      return now;
    },
    stop: () => void Reflect.set(pg.Client.prototype, 'query', original),
  };
}

function nameOf(given: unknown): string {
  if (typeof given === 'string') return given.trim().split(/\s+/, 1)[0] ?? '';
  if (typeof given !== 'object' || given === null) return '?';
  if ('name' in given && typeof given.name === 'string') return given.name;
  return 'text' in given ? nameOf(given.text) : '?';
}
