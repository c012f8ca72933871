/*
 * Queries of addresses as typed values, there and back. What a codec does not know it complains about instead of dropping it, for an address is
 * the state of a page and may have been written by hand.
 */

/** One parameter: what its texts mean. `read` answers with null for what it cannot read. */
export type Parameter<Value> = {
  readonly read: (texts: readonly string[]) => Value | null;
  readonly write: (value: Value) => readonly string[];
  /** The value when it is not there. */
  readonly absent: Value;
};
export type Codec<State> = {
  /** The state in a query and a sentence for each thing that is not understood. */
  read(query: string): { readonly state: State; readonly complaints: readonly string[] };
  /** `a=1&b=2`, without what is absent; empty for the first state of a page. */
  write(state: State): string;
};

/** Longest text of one parameter that is looked at. */
export const TEXT_MAX = 10_000;
/** Values one parameter may have. */
export const VALUES_MAX = 50;

export const text = (): Parameter<string> => ({
  read: ([one = '']) => (one.length > TEXT_MAX ? null : one),
  write: (value) => [value],
  absent: '',
});

export const oneOf = <Name extends string>(names: readonly Name[], absent: Name): Parameter<Name> => ({
  read: ([one]) => names.find((name) => name === one) ?? null,
  write: (value) => [value],
  absent,
});

export const severalOf = <Name extends string>(names: readonly Name[]): Parameter<readonly Name[]> => ({
  read: (texts) => {
    const found = texts.map((one) => names.find((name) => name === one));
    return found.length > VALUES_MAX || found.includes(undefined) ? null : (found as Name[]);
  },
  write: (value) => value,
  absent: [],
});

/** Several of these names, joined by commas. */
export const severalIn = <Name extends string>(names: readonly Name[]): Parameter<readonly Name[]> => ({
  read: ([one = '']) => {
    const found = one.split(',').map((word) => names.find((name) => name === word));
    return found.length > VALUES_MAX || found.includes(undefined) ? null : (found as Name[]);
  },
  write: (value) => [value.join(',')],
  absent: [],
});

/** A list of short words, joined by commas. */
export const words = (): Parameter<readonly string[]> => ({
  read: ([one = '']) => {
    const list = one.split(',').filter((word) => word !== '');
    return list.length > VALUES_MAX || one.length > TEXT_MAX ? null : list;
  },
  write: (value) => [value.join(',')],
  absent: [],
});

export const whole = (): Parameter<number | null> => ({
  read: ([one = '']) => (/^\d{1,15}$/.test(one) ? Number(one) : null),
  write: (value) => [String(value)],
  absent: null,
});

export function codec<State extends { readonly [name: string]: unknown }>(
  parameters: {
    readonly [name in keyof State]: Parameter<State[name]>;
  },
): Codec<State> {
  const all = Object.entries(parameters) as unknown as readonly (readonly [string, Parameter<unknown>])[];
  const names = new Set(all.map(([name]) => name));
  return {
    read(query) {
      const given = new URLSearchParams(query);
      const complaints: string[] = [];
      const state: { [name: string]: unknown } = {};
      for (const [name, { read, absent }] of all) {
        const texts = given.getAll(name);
        const value = texts.length === 0 ? absent : read(texts);
        if (value === null && texts.length > 0)
          complaints.push(`${name}=${texts.join(',').slice(0, 80)} means nothing here: ignored`);
        state[name] = value ?? absent;
      }
      for (const name of new Set(given.keys()))
        if (!names.has(name)) complaints.push(`\`${name.slice(0, 80)}\` is no filter of this page: ignored`);
      return { state: state as State, complaints };
    },
    write(state) {
      const query = new URLSearchParams();
      for (const [name, { write, absent }] of all) {
        const value = state[name];
        if (JSON.stringify(value) === JSON.stringify(absent) || value === null) continue;
        for (const one of write(value)) query.append(name, one);
      }
      return query.toString().replaceAll('%21', '!').replaceAll('%2C', ',');
    },
  };
}
