/*
 * How values are spread over buckets, for figures that are counted at every step: numbers in memory, text when somebody looks. (prom-client
 * makes a key of the labels at each value, which was a hundredth of a step: docs/performance.md.)
 */

export type Distribution = {
  readonly observe: (value: number) => void;
  readonly read: () => {
    /** Upper ends, upwards, each with how many values were at most that. */
    readonly buckets: readonly (readonly [end: number, count: number])[];
    readonly count: number;
    readonly sum: number;
  };
};

/** @param ends upper ends of the buckets, upwards; values beyond the last are in the count only */
export function makeDistribution(ends: readonly number[]): Distribution {
  const counts = ends.map(() => 0);
  let count = 0;
  let sum = 0;
  return {
    observe: (value) => {
      count += 1;
      sum += value;
      for (let i = 0; i < ends.length; i++)
        if (value <= (ends[i] as number)) {
          counts[i] = (counts[i] as number) + 1;
          return;
        }
    },
    read: () => {
      let below = 0;
      const buckets = ends.map((end, i) => {
        below += counts[i] as number;
        return [end, below] as const;
      });
      return { buckets, count, sum };
    },
  };
}

/** Its lines in the text format of Prometheus. @param labels printed, without braces; empty: none */
export function printDistribution(name: string, labels: string, { read }: Distribution): readonly string[] {
  const { buckets, count, sum } = read();
  const before = labels === '' ? '' : `${labels},`;
  const own = labels === '' ? '' : `{${labels}}`;
  return [
    ...buckets.map(([end, below]) => `${name}_bucket{${before}le="${end}"} ${below}`),
    `${name}_bucket{${before}le="+Inf"} ${count}`,
    `${name}_sum${own} ${sum}`,
    `${name}_count${own} ${count}`,
  ];
}
