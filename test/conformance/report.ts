import type { Case } from './cases.ts';
import type { Verdict } from './harness.ts';

/* The table a run prints: one line per group, then the names of what failed. */

export type Tally = {
  readonly verdicts: readonly Verdict[];
  readonly leftOut: readonly Case[];
  readonly names: readonly string[];
};

export const passed = (verdict: Verdict): boolean => verdict.differences.length === 0;

export function table({ verdicts, leftOut, names }: Tally): string {
  const groups = [...new Set([...verdicts.map(({ one }) => one.group), ...leftOut.map((one) => one.group)])].sort();
  const width = Math.max(5, ...groups.map((group) => group.length));
  const line = (name: string, of: readonly Verdict[], out: number): string => {
    const cell = (some: readonly Verdict[]): string => `${some.filter(passed).length}/${some.length}`.padStart(8);
    const share = of.length === 0 ? '' : `${Math.floor((100 * of.filter(passed).length) / of.length)} %`.padStart(6);
    const [same, better] = [of.filter(({ one }) => one.kind === 'same'), of.filter(({ one }) => one.kind === 'better')];
    const rest = out === 0 ? '' : `  ${out} left out`;
    return `${name.padEnd(width)}${cell(of)}${share.padStart(7)}${cell(same)}${cell(better)}${rest}`;
  };
  const head = `${'group'.padEnd(width)}${'passed'.padStart(8)}${''.padStart(7)}${'same'.padStart(8)}${'better'.padStart(8)}`;
  const rows = groups.map((group) =>
    line(
      group,
      verdicts.filter(({ one }) => one.group === group),
      leftOut.filter((one) => one.group === group).length,
    ),
  );
  const repeated = verdicts
    .filter((verdict) => passed(verdict) && verdict.tries > 1)
    .map(({ one }) => `${one.group}/${one.name}`);
  const failing = verdicts.filter((verdict) => !passed(verdict)).map(({ one }) => `  ${one.group}/${one.name}`);
  return [
    head,
    ...rows,
    line('all', verdicts, leftOut.length),
    `${leftOut.length} cases left out${names.length === 0 ? '' : ` (they mention ${names.join(', ')})`}`,
    ...(repeated.length === 0 ? [] : [`passed at a second or third try: ${repeated.join(', ')}`]),
    ...(failing.length === 0 ? [] : ['failing:', ...failing]),
  ].join('\n');
}

/** All that is known of one failed case. */
export const describe = (verdict: Verdict): string =>
  [
    `--- ${verdict.one.group}/${verdict.one.name} (${verdict.one.kind}): ${verdict.one.about}`,
    verdict.one.definition,
    `fields ${JSON.stringify(verdict.one.fields)}`,
    `participants ${JSON.stringify(verdict.one.participants)}`,
    `script ${JSON.stringify(verdict.one.script)}`,
    ...verdict.differences.map((line) => `  ${line}`),
  ].join('\n');
