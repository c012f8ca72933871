/*
 * Diagrams at random, and an independent game of tokens that says what must happen in them. It knows nothing of strands, scopes or counts: a
 * marking is a number of tokens for each flow and each task, and gateways fire by the rules of the standard.
 */

export type Kind = 'task' | 'parallel' | 'exclusive' | 'inclusive';
type Flow = { readonly id: string; readonly from: string; readonly to: string; readonly condition: string | null };
type GraphNode = { readonly id: string; readonly kind: Kind | 'end'; readonly fallback: string | null };
export type Graph = { readonly nodes: readonly GraphNode[]; readonly flows: readonly Flow[] };

/** What a generator draws for each node: where its flows go, as numbers that `makeGraph` folds into the nodes behind it. */
export type Draft = { readonly kind: Kind; readonly targets: readonly number[]; readonly back: number | null };

const END = 'end';

/**
 * A diagram of the drafts: flows lead forward, to a node behind or to the end; those that lead back lead to a task, so that no token goes
 * round without somebody's doing. Exclusive and inclusive gateways ask the fields `c0`, `c1`…
 */
export function makeGraph(drafts: readonly Draft[]): Graph {
  const flows: Flow[] = [{ id: 's', from: 'start', to: 'n0', condition: null }];
  const nodes: GraphNode[] = [];
  const tasks = drafts.flatMap(({ kind }, i) => (kind === 'task' ? [`n${i}`] : []));
  for (const [i, { kind, targets, back }] of drafts.entries()) {
    const ways = targets.map((target) => {
      const to = i + 1 + (target % (drafts.length - i));
      return to === drafts.length ? END : `n${to}`;
    });
    if (back !== null && kind === 'exclusive' && tasks.length > 0) ways.push(tasks[back % tasks.length] as string);
    const asks = (kind === 'exclusive' || kind === 'inclusive') && ways.length > 1;
    for (const [k, to] of ways.entries())
      flows.push({
        id: `n${i}_${k}`,
        from: `n${i}`,
        to,
        condition: asks && k > 0 ? conditionOf(kind, i, k) : null,
      });
    nodes.push({ id: `n${i}`, kind, fallback: asks ? `n${i}_0` : null });
  }
  return { nodes: [...nodes, { id: END, kind: 'end', fallback: null }], flows };
}

/** An exclusive gateway takes one way by number, an inclusive one each whose bit is set. */
const conditionOf = (kind: Kind, node: number, way: number): string =>
  kind === 'exclusive' ? `=c${node} = ${way}` : `=modulo(floor(c${node} / ${2 ** way}), 2) = 1`;

const isTaken = (kind: Kind | 'end', choice: number, way: number): boolean =>
  kind === 'exclusive' ? choice === way : Math.floor(choice / 2 ** way) % 2 === 1;

const ELEMENTS = {
  parallel: 'parallelGateway',
  exclusive: 'exclusiveGateway',
  inclusive: 'inclusiveGateway',
  end: 'endEvent',
} as const;

/** @param taskText what stands for a task, when it is more than a plain one */
export function graphText(
  { nodes, flows }: Graph,
  taskText: (id: string) => string = (id) => `<serviceTask id="${id}"/>`,
): string {
  const elements = nodes.map(({ id, kind, fallback }) =>
    kind === 'task'
      ? taskText(id)
      : `<${ELEMENTS[kind]} id="${id}"${fallback === null ? '' : ` default="${fallback}"`}/>`,
  );
  const arrows = flows.map(
    ({ id, from, to, condition }) =>
      `<sequenceFlow id="${id}" sourceRef="${from}" targetRef="${to}">${condition === null ? '' : `<conditionExpression>${condition}</conditionExpression>`}</sequenceFlow>`,
  );
  return `<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"><process id="p" isExecutable="true"><startEvent id="start"/>${elements.join('')}${arrows.join('')}</process></definitions>`;
}

/** What can be seen from outside, each a sorted list with repetitions. */
export type Marking = {
  /** Tasks that wait to be answered. */
  readonly open: readonly string[];
  /** How often an end was reached. */
  readonly ended: number;
  /** Gateways where tokens wait. */
  readonly joining: readonly string[];
};

/** Tokens are about to become too many to be worth looking at, or what must happen depends on an order that nobody has laid down. */
export class Undecided extends Error {}

const TOKENS_MAX = 60;

export class TokenGame {
  private readonly graph: Graph;
  private readonly choices: { readonly [field: string]: number };
  private readonly waiting = new Map<string, number>();
  private readonly tasks = new Map<string, number>();
  private ended = 0;

  constructor(graph: Graph, choices: { readonly [field: string]: number }) {
    this.graph = graph;
    this.choices = choices;
    this.arrive('s');
    this.rest();
  }

  marking(): Marking {
    const joining = this.graph.nodes.filter(({ id }) => this.into(id).some((flow) => this.on(flow.id) > 0));
    return {
      open: [...this.tasks].flatMap(([id, count]) => Array.from({ length: count }, () => id)).sort(),
      ended: this.ended,
      joining: joining.map(({ id }) => id).sort(),
    };
  }

  /** Somebody answers the task. */
  answer(task: string): void {
    const count = this.tasks.get(task) ?? 0;
    if (count === 0) throw new Error(`no token stands at ${task}`);
    this.tasks.set(task, count - 1);
    this.leave(task);
    this.rest();
  }

  private on(flow: string): number {
    return this.waiting.get(flow) ?? 0;
  }
  private into(node: string): readonly Flow[] {
    return this.graph.flows.filter(({ to }) => to === node);
  }
  private outOf(node: string): readonly Flow[] {
    return this.graph.flows.filter(({ from }) => from === node);
  }
  private nodeOf(id: string): GraphNode {
    return this.graph.nodes.find((node) => node.id === id) as GraphNode;
  }

  private arrive(flowId: string): void {
    const flow = this.graph.flows.find(({ id }) => id === flowId) as Flow;
    const node = this.nodeOf(flow.to);
    switch (node.kind) {
      case 'end':
        this.ended += 1;
        return;
      case 'task':
        this.tasks.set(node.id, (this.tasks.get(node.id) ?? 0) + 1);
        break;
      case 'exclusive':
        this.leave(node.id);
        return;
      default:
        this.waiting.set(flowId, this.on(flowId) + 1);
        if (node.kind === 'parallel' && this.into(node.id).every(({ id }) => this.on(id) > 0)) this.fire(node.id);
    }
    const tokens = [...this.tasks.values(), ...this.waiting.values()].reduce((sum, count) => sum + count, 0);
    if (tokens > TOKENS_MAX) throw new Undecided();
  }

  /** A join takes one token of each flow that has one, and goes on. */
  private fire(gateway: string): void {
    for (const { id } of this.into(gateway)) if (this.on(id) > 0) this.waiting.set(id, this.on(id) - 1);
    this.leave(gateway);
  }

  private leave(id: string): void {
    const { kind, fallback } = this.nodeOf(id);
    const flows = this.outOf(id);
    if (fallback === null) {
      for (const flow of flows) this.arrive(flow.id);
      return;
    }
    const choice = this.choices[`c${id.slice(1)}`] ?? 0;
    const taken = flows.filter(({ condition }, way) => condition !== null && isTaken(kind, choice, way));
    for (const flow of taken.length > 0 ? taken : [{ id: fallback }]) this.arrive(flow.id);
  }

  /** Inclusive gateways are looked at when nothing else moves. */
  private rest(): void {
    for (;;) {
      const waiting = this.graph.nodes.filter(
        ({ id, kind }) => kind === 'inclusive' && this.into(id).some((flow) => this.on(flow.id) > 0),
      );
      const free = waiting.filter(({ id }) => !this.isHeldUp(id));
      if (free.length === 0) {
        // Those that wait only for each other go on in the order in which they began to wait, which is not known here.
        if (waiting.length > 1) throw new Undecided();
        return;
      }
      if (waiting.length > 1) throw new Undecided();
      this.fire((free[0] as GraphNode).id);
    }
  }

  /** Whether a token elsewhere may still bring one to a flow that has none, and to none that has one. */
  private isHeldUp(gateway: string): boolean {
    const flows = this.into(gateway);
    const reach = (from: string): ReadonlySet<string> => {
      const seen = new Set<string>();
      const reached = new Set<string>();
      const open = [from];
      for (let node = open.pop(); node !== undefined; node = open.pop()) {
        if (seen.has(node) || node === gateway) continue;
        seen.add(node);
        for (const flow of this.outOf(node)) {
          if (flow.to === gateway) reached.add(flow.id);
          else open.push(flow.to);
        }
      }
      return reached;
    };
    const places = new Set([
      ...[...this.tasks].flatMap(([id, count]) => (count > 0 ? [id] : [])),
      ...[...this.waiting].flatMap(([id, count]) => {
        const { to } = this.graph.flows.find((flow) => flow.id === id) as Flow;
        return count > 0 && to !== gateway ? [to] : [];
      }),
    ]);
    for (const place of places) {
      const reached = [...reach(place)];
      const isEmpty = (flow: string): boolean => this.on(flow) === 0;
      if (reached.some(isEmpty) && reached.every(isEmpty)) {
        if (flows.length > 1) return true;
      }
    }
    return false;
  }
}
