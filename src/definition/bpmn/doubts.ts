import { shortened } from '../complaint.ts';
import { CAMUNDA, type Element } from './elements.ts';
import {
  ACTIVITIES,
  attributeOf,
  extensionOf,
  type FlowNode,
  isEventSub,
  isHandler,
  refersTo,
  type ScopeModel,
  scopesOf,
} from './model.ts';

/*
 * What can be run and was probably not meant, or is not heeded. Only told, never a reason to refuse.
 */

export type DoubtCode =
  | 'element_unreachable'
  | 'elements_in_a_circle'
  | 'join_never_completes'
  | 'attribute_ignored'
  | 'data_ignored'
  | 'executable_missing';

export type Doubt = {
  readonly code: DoubtCode;
  readonly element: Element;
  readonly id: string;
  readonly message: string;
};

type Note = (code: DoubtCode, of: { readonly id: string; readonly element: Element }, message: string) => void;

/** In document order. */
export function doubtsOf(process: ScopeModel): readonly Doubt[] {
  const doubts: Doubt[] = [];
  const note: Note = (code, { id, element }, message) => {
    doubts.push({ code, element, id, message });
  };
  if (!process.element.attributes.has('isExecutable'))
    note('executable_missing', process, `process "${shortened(process.id)}" does not say isExecutable="true"`);
  for (const scope of scopesOf(process)) {
    const ways = waysIn(scope);
    unreachable(scope, ways, note);
    circles(scope, ways, note);
    joins(scope, note);
    for (const node of scope.nodes) ignored(node, note);
  }
  return doubts.sort((a, b) => a.element.offset - b.element.offset);
}

/** Node → where its token goes on: by flows, boundary events, links. */
type Ways = ReadonlyMap<FlowNode, readonly FlowNode[]>;

const linkOf = ({ events }: FlowNode): string | null =>
  events[0]?.kind === 'link' ? attributeOf(events[0].element, 'name') : null;

function waysIn(scope: ScopeModel): Ways {
  const byId = new Map(scope.nodes.map((node) => [node.id, node]));
  const ways = new Map<FlowNode, FlowNode[]>(scope.nodes.map((node) => [node, []]));
  const add = (from: FlowNode | undefined, to: FlowNode | undefined): void => {
    if (from !== undefined && to !== undefined) ways.get(from)?.push(to);
  };
  const links = new Map<string, FlowNode>();
  for (const node of scope.nodes) {
    for (const flow of node.outgoing) add(node, byId.get(flow.targetRef));
    if (node.type === 'boundaryEvent') add(byId.get(refersTo(byId, attributeOf(node.element, 'attachedToRef'))), node);
    const link = node.type === 'intermediateCatchEvent' ? linkOf(node) : null;
    if (link !== null) links.set(link, node);
  }
  for (const node of scope.nodes) {
    const link = node.type === 'intermediateThrowEvent' ? linkOf(node) : null;
    if (link !== null) add(node, links.get(link));
  }
  return ways;
}

function unreachable(scope: ScopeModel, ways: Ways, note: Note): void {
  const starts = scope.nodes.filter(({ type }) => type === 'startEvent');
  const begin = scope.nodes.filter(
    (node) =>
      node.type === 'startEvent' || isEventSub(node) || isHandler(node) || (starts.length === 0 && isFree(node)),
  );
  const seen = new Set<FlowNode>();
  const open = [...begin];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    open.push(...(ways.get(node) ?? []));
  }
  for (const node of scope.nodes)
    if (!seen.has(node))
      note('element_unreachable', node, `no token ever comes to ${node.type} "${shortened(node.id)}"`);
}

const isFree = (node: FlowNode): boolean =>
  node.incoming.length === 0 && node.type !== 'boundaryEvent' && linkOf(node) === null;

/** What a token passes without a stop and without a change. */
const isPassed = (node: FlowNode): boolean =>
  (node.type.endsWith('Gateway') && node.type !== 'eventBasedGateway') ||
  (node.type === 'intermediateThrowEvent' && extensionOf(node.element, 'taskDefinition') === null) ||
  (node.type === 'intermediateCatchEvent' && linkOf(node) !== null);

/** Circles of nothing but what is passed: told once, at the first of its elements. */
function circles(scope: ScopeModel, ways: Ways, note: Note): void {
  const state = new Map<FlowNode, 'open' | 'done'>();
  for (const root of scope.nodes) {
    if (!isPassed(root) || state.has(root)) continue;
    const open: [FlowNode, number][] = [[root, 0]];
    state.set(root, 'open');
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      const [node, next] = top;
      const to = (ways.get(node) ?? []).filter(isPassed)[next];
      if (to === undefined) {
        state.set(node, 'done');
        open.pop();
        continue;
      }
      top[1]++;
      const before = state.get(to);
      if (before === 'open')
        note(
          'elements_in_a_circle',
          to,
          `${to.type} "${shortened(to.id)}" stands in a circle in which nothing waits: a token runs round it until a condition changes`,
        );
      else if (before === undefined) {
        state.set(to, 'open');
        open.push([to, 0]);
      }
    }
  }
}

/** Where nothing in a scope makes two tokens of one, a parallel gateway waits for ever. */
function joins(scope: ScopeModel, note: Note): void {
  const starts = scope.nodes.filter(({ type, events }) => type === 'startEvent' && events.length === 0);
  const isForked =
    starts.length !== 1 ||
    scope.nodes.some(
      (node) =>
        (node.outgoing.length > 1 && node.type !== 'exclusiveGateway' && node.type !== 'eventBasedGateway') ||
        isEventSub(node) ||
        (node.type === 'boundaryEvent' && attributeOf(node.element, 'cancelActivity') === 'false'),
    );
  if (isForked) return;
  for (const node of scope.nodes)
    if (node.type === 'parallelGateway' && node.incoming.length > 1)
      note(
        'join_never_completes',
        node,
        `parallelGateway "${shortened(node.id)}" waits for ${node.incoming.length} tokens, and there is never more than one`,
      );
}

/** Attributes of camunda's that say how its own engine goes about it. */
const IGNORED: readonly string[] = [
  'asyncBefore',
  'asyncAfter',
  'exclusive',
  'class',
  'delegateExpression',
  'expression',
  'jobPriority',
];

function ignored(node: FlowNode, note: Note): void {
  const { element } = node;
  const told = (what: string, why: string): void =>
    note('attribute_ignored', node, `${what} of "${shortened(node.id)}" is not heeded: ${why}`);
  for (const name of IGNORED)
    if (element.attributes.has(`{${CAMUNDA}}${name}`))
      told(
        `camunda:${name}`,
        ACTIVITIES.has(node.type) ? 'the task is done by its participant' : 'every step is one transaction',
      );
  for (const local of ['executionListener', 'taskListener', 'connector', 'failedJobRetryTimeCycle'])
    if (extensionOf(element, local) !== null) told(`camunda:${local}`, 'nothing of a file is executed');
  if (extensionOf(element, 'taskDefinition')?.attributes.has('retries') === true)
    told('retries', 'tries follow what the launch says (retry)');
  const data = element.children.find(
    ({ local }) => local === 'dataInputAssociation' || local === 'dataOutputAssociation',
  );
  if (data !== undefined)
    note('data_ignored', node, `the data associations of "${shortened(node.id)}" are drawn, not run; write a mapping`);
}
