import { seededIds } from '../../src/runtime/ids.ts';
import type { Crew } from './participant-crew.ts';
import { makePoster, soon } from './participant-crew.ts';

/* Workflows for a crew (participant-crew.ts): launched so that some number of them is always in flight. */

type Tree = readonly [string, Readonly<Record<string, unknown>>, readonly Tree[]];
const asks = (participant: string, more: Readonly<Record<string, unknown>> = {}): Tree => [
  'participant',
  { ref: participant, ...more },
  [],
];
const define = (...children: readonly Tree[]): Tree => ['define', {}, [['sequence', {}, children]]];

const asked = (id: string): string => `<userTask id="${id}"/>`;
const timer = (duration: string): string =>
  `<timerEventDefinition><timeDuration>${duration}</timeDuration></timerEventDefinition>`;
const flows = (...ways: readonly string[]): string =>
  ways
    .map((way, i) => {
      const [from, to] = way.split('>');
      return `<sequenceFlow id="f${i}" sourceRef="${from}" targetRef="${to}"/>`;
    })
    .join('');
/** A fork and its join, a timer that is waited for, and a task that its boundary timer ends. */
const DIAGRAM = `<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"><process id="diagram" isExecutable="true">
  <startEvent id="start"/>${asked('p1')}<parallelGateway id="fork"/>${asked('p2')}${asked('p3')}<parallelGateway id="join"/>
  <intermediateCatchEvent id="pause">${timer('PT0.3S')}</intermediateCatchEvent>
  ${asked('sleeper')}<boundaryEvent id="late" attachedToRef="sleeper">${timer('PT1S')}</boundaryEvent>${asked('p4')}<endEvent id="end"/>
  ${flows('start>p1', 'p1>fork', 'fork>p2', 'fork>p3', 'p2>join', 'p3>join', 'join>pause', 'pause>sleeper', 'sleeper>end', 'late>p4', 'p4>end')}
</process></definitions>`;

/** Every participant stands once in a definition, so that a step taken twice shows as a second workitem of it. */
export const SHAPES = {
  line: { participants: ['p1', 'p2', 'p3', 'p4'], tree: define(asks('p1'), asks('p2'), asks('p3'), asks('p4')) },
  fork: {
    participants: ['p1', 'p2', 'p3', 'p4', 'p5'],
    tree: define(asks('p1'), ['concurrence', {}, [asks('p2'), asks('p3'), asks('p4')]], asks('p5')),
  },
  timer: {
    participants: ['p1', 'p2', 'p3'],
    tree: define(asks('p1'), ['wait', { for: '0.3s' }, []], asks('p2'), ['wait', { for: '0.3s' }, []], asks('p3')),
  },
  // The sleeper is given up after a moment, and gets a notice.
  timeout: {
    participants: ['p1', 'sleeper', 'p2'],
    tree: define(asks('p1'), asks('sleeper', { timeout: '1s' }), asks('p2')),
  },
  diagram: { participants: ['p1', 'p2', 'p3', 'sleeper', 'p4'], tree: DIAGRAM },
} satisfies Readonly<Record<string, { readonly participants: readonly string[]; readonly tree: Tree | string }>>;

export type Shape = keyof typeof SHAPES;
const NAMES = Object.keys(SHAPES) as readonly Shape[];

export type Load = {
  /** Launches nothing more; resolves when the launches under way have been answered, or have come to nothing. */
  stop(): Promise<void>;
  /** Resolves when all that were to be launched are. */
  readonly done: Promise<void>;
  /** The shapes of workflows, by id; launches whose answer was lost are not among them. */
  readonly shapes: ReadonlyMap<string, Shape>;
};

const LAUNCHERS = 6;

/**
 * @param serverUrl asked before every launch
 * @param inFlight so many workflows are kept in flight
 * @param most so many are launched in all
 * @param again when a launch that came to nothing is followed by the next
 */
export function startLoad(parts: {
  readonly crew: Crew;
  readonly serverUrl: () => string;
  readonly inFlight: number;
  readonly most: number;
  readonly seed: number;
  readonly again?: () => Promise<void>;
}): Load {
  const { crew, serverUrl, again = soon } = parts;
  const { journal } = crew;
  const poster = makePoster();
  const ids = seededIds(parts.seed);
  const shapes = new Map<string, Shape>();
  let stopped = false;
  let begun = 0;
  let underWay = 0;

  async function launcher(): Promise<void> {
    while (!stopped && begun < parts.most) {
      if (journal.inFlight() + underWay >= parts.inFlight) {
        await somethingHappens();
        continue;
      }
      begun += 1;
      underWay += 1;
      const shape = NAMES[Math.floor(ids.fraction() * NAMES.length)] ?? 'line';
      const { tree, participants } = SHAPES[shape];
      const reply = await poster.post(`${serverUrl()}/v1/workflows`, {
        workflow: tree,
        callback: crew.url,
        fields: { shape, last: participants.at(-1) },
      });
      underWay -= 1;
      if (reply?.status === 201) {
        const { id } = JSON.parse(reply.text) as { readonly id: string };
        shapes.set(id, shape);
        journal.launched(id);
        continue;
      }
      if (reply !== null && reply.status < 500) journal.complain(`a launch is answered ${reply.status}: ${reply.text}`);
      begun -= 1; // perhaps it was launched all the same; then the journal hears of it
      await again();
    }
  }

  const somethingHappens = (): Promise<void> =>
    new Promise((resolve) => {
      const unwatch = journal.watch(() => {
        unwatch();
        resolve();
      });
      wakers.add(resolve);
    });
  const wakers = new Set<() => void>();

  const done = Promise.all(Array.from({ length: LAUNCHERS }, launcher)).then(() => poster.close());
  return {
    done,
    shapes,
    stop: async () => {
      stopped = true;
      for (const wake of wakers) wake();
      await done;
    },
  };
}
