import fc from 'fast-check';
import { Histogram, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { makeDistribution, printDistribution } from '../../src/runtime/distribution.ts';

const ENDS = [0.001, 0.25, 1, 5];

test('says of any values what the histogram of the library says', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(fc.constantFrom(...ENDS), fc.double({ min: 0, max: 10, noNaN: true }))),
      async (values) => {
        const registers = [new Registry()];
        const theirs = new Histogram({
          name: 'waits',
          help: 'waits',
          labelNames: ['pool'],
          buckets: [...ENDS],
          registers,
        });
        const ours = makeDistribution(ENDS);
        theirs.zero({ pool: 'reads' });
        for (const value of values) {
          theirs.labels('reads').observe(value);
          ours.observe(value);
        }
        const said = (await theirs.get()).values.map(({ metricName, labels, value }) => [
          metricName,
          String((labels as { readonly le?: number }).le ?? ''),
          value,
        ]);
        const printed = printDistribution('waits', 'pool="reads"', ours).map((line) => {
          const [, name, end = '', value] = /^(\w+)\{pool="reads"(?:,le="([^"]+)")?\} (\S+)$/.exec(line) ?? [];
          return [name, end, Number(value)];
        });
        expect(printed).toEqual(said);
      },
    ),
    { numRuns: 200 },
  ));

test('is printed without braces where there are no labels', () => {
  const one = makeDistribution([1]);
  one.observe(3);
  expect(printDistribution('waits', '', one)).toEqual([
    'waits_bucket{le="1"} 0',
    'waits_bucket{le="+Inf"} 1',
    'waits_sum 3',
    'waits_count 1',
  ]);
});
