import { cpus, release, totalmem } from 'node:os';
import { type Calibration, fine, type Result, whole } from './support/bench.ts';
import type { Breakdown } from './support/profile.ts';

/* What is printed, in a form that can be put into a document as it is. */

export function machine(postgres: string | null): string {
  const [cpu] = cpus();
  return `${cpus().length} × ${cpu?.model ?? '?'}, ${whole(totalmem() / 2 ** 30)} GB, Linux ${release()}, Node ${process.versions.node}, ${postgres === null ? 'embedded only' : `Postgres ${postgres}`}`;
}

export function table(results: readonly Result[]): string {
  const rows = [...results]
    .sort((a, b) => a.goal - b.goal)
    .map(({ goal, what, figure, wanted, met, ratio, note }) => [
      String(goal),
      what,
      figure,
      wanted,
      met === null ? '–' : met ? 'yes' : 'NO',
      ratio ?? '',
      note ?? '',
    ]);
  return lined(['#', 'What', 'Figure', 'Goal', 'Met', 'Against the loops', 'Remarks'], rows);
}

export function loops({ step, post, json }: Calibration): string {
  return lined(
    ['Calibration loop of this run', 'µs of CPU', 'a second'],
    [
      [
        'least step in Postgres, 4 in flight',
        `${whole(step.us)} here + ${whole(step.databaseUs)} Postgres`,
        whole(step.perSecond),
      ],
      ['POST of 1 KB with got, 16 in flight', whole(post.us), whole(post.perSecond)],
      ['1 KB of JSON printed and read', fine(json.us, 1), whole(json.perSecond)],
    ],
  );
}

export function breakdown({ shares }: Breakdown, serverUs: number, rows = 24): string {
  return lined(
    ['Where the server’s CPU goes', 'part', 'µs per step'],
    shares.slice(0, rows).map(({ name, part }) => [name, `${fine(part * 100, 1)} %`, whole(part * serverUs)]),
  );
}

export function functions({ functions }: Breakdown, serverUs: number): string {
  return lined(
    ['Function, by itself', 'part', 'µs per step'],
    functions.map(({ name, part }) => [name, `${fine(part * 100, 1)} %`, whole(part * serverUs)]),
  );
}

function lined(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] ?? '').length)));
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, i) => (cells[i] ?? '').padEnd(width)).join(' | ')} |`;
  return [line(head), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...rows.map(line)].join('\n');
}
