import { expect, test } from 'vitest';
import * as bpmn from '../bpmn/cases.ts';
import { halfOf, OF_EACH_KIND } from '../support/halves.ts';
import { kindsOf } from './cases.ts';
import { playedOverHttp } from './server.ts';

/* Which cases are played over HTTP on which database. */

type Named = { readonly group: string; readonly name: string };

function areShared<One extends Named>(cases: readonly One[], about: (one: One) => readonly string[]): void {
  const halves = (['embedded', 'postgres'] as const).map((side) => halfOf(cases, side, about));
  expect(new Set(halves.flat()).size).toBe(cases.length);
  const times = countsOf(cases.flatMap(about));
  for (const half of halves) {
    expect(half.length).toBeLessThan(0.7 * cases.length);
    const here = countsOf(half.flatMap(about));
    for (const [kind, count] of times)
      expect(here.get(kind) ?? 0, kind).toBeGreaterThanOrEqual(Math.min(count, OF_EACH_KIND));
  }
}

function countsOf(kinds: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const kind of kinds) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

test('each case of the language is played on a database, and some of each kind on both', () => {
  areShared(playedOverHttp(), kindsOf);
});

test('each BPMN case is played on a database, and some of each kind on both', () => {
  areShared(bpmn.readCases(), bpmn.kindsOf);
});
