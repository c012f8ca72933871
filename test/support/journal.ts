/*
 * What participants themselves have seen and done, kept by the test's own process, which nobody kills. From it can be told what a
 * server has done, without asking the server.
 */

export type Arrival = {
  /** Place in the order of all arrivals, 1, 2, … */
  readonly n: number;
  readonly workflow: string;
  readonly workitem: string;
  readonly participant: string;
  readonly status: string;
  /** `rota-try` and `webhook-id`. */
  readonly number: number;
  readonly message: string;
};

/** All that is known of one workitem. */
export type Story = {
  readonly workflow: string;
  readonly workitem: string;
  readonly participant: string;
  readonly arrivals: readonly Arrival[];
  /** Proceeds that were answered 201, 400 "workitem_id not found", and those whose answer was lost or told nothing. */
  readonly taken: number;
  readonly refused: number;
  readonly unknown: number;
};

type Writing = { -readonly [Key in keyof Story]: Story[Key] } & { arrivals: Arrival[] };

export type Journal = {
  readonly hear: (arrival: Omit<Arrival, 'n'>) => Arrival;
  readonly proceeded: (workitem: string, how: 'taken' | 'refused' | 'unknown') => void;
  /** The launch of it was answered. */
  readonly launched: (workflow: string) => void;
  /** Its last participant has handed its workitem back. */
  readonly over: (workflow: string) => void;
  /** Something that must never be. */
  readonly complain: (complaint: string) => void;

  readonly stories: () => readonly Story[];
  readonly story: (workitem: string) => Story | undefined;
  /** Launches that were answered, and workflows that were heard of. */
  readonly workflows: () => ReadonlySet<string>;
  readonly launches: () => ReadonlySet<string>;
  readonly inFlight: () => number;
  readonly complaints: () => readonly string[];
  /** Calls back whenever something was written. */
  readonly watch: (seen: () => void) => () => void;
};

export function makeJournal(): Journal {
  const stories = new Map<string, Writing>();
  const launched = new Set<string>();
  const known = new Set<string>();
  const over = new Set<string>();
  const complaints: string[] = [];
  const watchers = new Set<() => void>();
  let heard = 0;
  const tell = (): void => {
    for (const watcher of [...watchers]) watcher();
  };

  return {
    hear: (one) => {
      heard += 1;
      const arrival = { ...one, n: heard };
      const { workflow, workitem, participant } = one;
      const story = stories.get(workitem);
      if (story === undefined)
        stories.set(workitem, {
          ...{ workflow, workitem, participant, arrivals: [arrival] },
          ...{ taken: 0, refused: 0, unknown: 0 },
        });
      else story.arrivals.push(arrival);
      known.add(workflow);
      tell();
      return arrival;
    },
    proceeded: (workitem, how) => {
      const story = stories.get(workitem);
      if (story !== undefined) story[how] += 1;
      tell();
    },
    launched: (workflow) => {
      launched.add(workflow);
      known.add(workflow);
      tell();
    },
    over: (workflow) => {
      over.add(workflow);
      tell();
    },
    complain: (complaint) => {
      complaints.push(complaint);
    },
    stories: () => [...stories.values()],
    story: (workitem) => stories.get(workitem),
    workflows: () => known,
    launches: () => launched,
    inFlight: () => known.size - over.size,
    complaints: () => complaints,
    watch: (seen) => {
      watchers.add(seen);
      return () => {
        watchers.delete(seen);
      };
    },
  };
}
