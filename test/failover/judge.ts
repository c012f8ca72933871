/* What was seen while one server took over from another, and what is to be said of it. */

/** A launch as its caller saw it. Times in milliseconds on one clock. */
export type Launch = {
  readonly node: string;
  readonly at: number;
  readonly ms: number;
  /** 0: the connection ended without an answer. */
  readonly status: number;
  readonly retryAfter: boolean;
  /** Null: it was not acknowledged. */
  readonly workflow: string | null;
};

/** A callback as its participant saw it. */
export type Asked = {
  readonly workflow: string;
  readonly participant: string;
  readonly workitem: string;
  readonly at: number;
  /** When its proceed was acknowledged; null: not yet. */
  readonly answeredAt: number | null;
};

export type Seen = {
  readonly launches: readonly Launch[];
  readonly asked: readonly Asked[];
  /** What the database holds in the end, by workflow. */
  readonly statuses: ReadonlyMap<string, string>;
  readonly promotedAt: number;
};

export type Verdict = {
  /** Acknowledged, and not there or not over. */
  readonly lost: readonly string[];
  /** Opened twice, or asked for again long after it was answered. */
  readonly doubled: readonly string[];
  /** Answers that are neither a success nor a 503 that says when to come again. */
  readonly wrong: readonly string[];
  readonly longestMs: number;
  /** By node: from the promotion to the first success. */
  readonly backMs: ReadonlyMap<string, number>;
};

/** A callback may still be on its way when its proceed is acknowledged. */
const LATE_MS = 2_000;

export function judge({ launches, asked, statuses, promotedAt }: Seen): Verdict {
  const lost = launches.flatMap(({ workflow }) =>
    workflow === null || statuses.get(workflow) === 'completed'
      ? []
      : [`${workflow} is ${statuses.get(workflow) ?? 'gone'}`],
  );
  const doubled: string[] = [];
  const first = new Map<string, Asked>();
  for (const one of [...asked].sort((a, b) => a.at - b.at)) {
    const key = `${one.participant} of ${one.workflow}`;
    const before = first.get(key);
    if (before === undefined) first.set(key, one);
    else if (before.workitem !== one.workitem) doubled.push(`${key} was opened twice`);
    else if (before.answeredAt !== null && one.at - before.answeredAt > LATE_MS)
      doubled.push(`${key} was asked again ${Math.round(one.at - before.answeredAt)} ms after it had answered`);
  }
  const wrong = launches
    .filter(({ status, retryAfter }) => status !== 201 && !(status === 503 && retryAfter))
    .map(({ node, status }) => `${node} answered ${status}`);
  const backMs = new Map<string, number>();
  for (const { node, at, ms, status } of launches)
    if (status === 201 && at >= promotedAt) {
      const back = at + ms - promotedAt;
      backMs.set(node, Math.min(backMs.get(node) ?? back, back));
    }
  return { lost, doubled, wrong, longestMs: Math.max(0, ...launches.map(({ ms }) => ms)), backMs };
}
