import type { Element } from './elements.ts';
import { BPMN, CAMUNDA, ROTA, ZEEBE, ZENBPM } from './elements.ts';

/*
 * BPMN elements as a typed model: flow nodes with their flows, events, loops and mappings. Nothing is judged here (check.ts does); what
 * is of foreign namespaces, and what is only drawn (data, artifacts, lanes but for their names), is left out.
 */

export type Mapping = { readonly source: string; readonly target: string };

export type EventDefinition = {
  /** `message`, `timer`…: the local name without `EventDefinition`. */
  readonly kind: string;
  readonly element: Element;
};

export type Flow = {
  readonly id: string;
  readonly element: Element;
  readonly sourceRef: string;
  readonly targetRef: string;
  readonly condition: Element | null;
};

export type FlowNode = {
  /** The id, or empty. */
  readonly id: string;
  /** The local name of its element: `serviceTask`, `boundaryEvent`… */
  readonly type: string;
  readonly name: string | null;
  readonly element: Element;
  readonly events: readonly EventDefinition[];
  /** What a sub-process holds, or null. */
  readonly inner: ScopeModel | null;
  readonly incoming: Flow[];
  readonly outgoing: Flow[];
  readonly input: readonly Mapping[];
  readonly output: readonly Mapping[];
  lane: string | null;
};

export type ScopeModel = {
  readonly id: string;
  readonly element: Element;
  readonly nodes: readonly FlowNode[];
  readonly flows: readonly Flow[];
};

export type Definitions = {
  readonly root: Element;
  readonly processes: readonly ScopeModel[];
  /** Everything with an id that something can refer to: messages, errors, signals, escalations, flow nodes, flows. */
  readonly byId: ReadonlyMap<string, Element>;
  /** Associations: from where to where. Tools write them into the sub-process or into the process. */
  readonly associations: ReadonlyMap<string, string>;
};

export const ACTIVITIES: ReadonlySet<string> = new Set([
  'task',
  'serviceTask',
  'userTask',
  'sendTask',
  'receiveTask',
  'businessRuleTask',
  'scriptTask',
  'manualTask',
  'callActivity',
  'subProcess',
  'transaction',
  'adHocSubProcess',
]);
export const GATEWAYS: ReadonlySet<string> = new Set([
  'exclusiveGateway',
  'parallelGateway',
  'inclusiveGateway',
  'eventBasedGateway',
  'complexGateway',
]);
export const EVENTS: ReadonlySet<string> = new Set([
  'startEvent',
  'endEvent',
  'intermediateCatchEvent',
  'intermediateThrowEvent',
  'boundaryEvent',
  'implicitThrowEvent',
]);
const SUB_PROCESSES: ReadonlySet<string> = new Set(['subProcess', 'transaction', 'adHocSubProcess']);
const OTHER_NODES: ReadonlySet<string> = new Set(['choreographyTask', 'callChoreography', 'subChoreography']);
const isFlowNode = ({ uri, local }: Element): boolean =>
  uri === BPMN && (ACTIVITIES.has(local) || GATEWAYS.has(local) || EVENTS.has(local) || OTHER_NODES.has(local));

export const childOf = (element: Element, local: string): Element | null =>
  element.children.find((child) => child.uri === BPMN && child.local === local) ?? null;
export const childrenOf = (element: Element, local: string): readonly Element[] =>
  element.children.filter((child) => child.uri === BPMN && child.local === local);
/** An attribute without white space around it; empty when there is none. */
export const attributeOf = (element: Element, name: string): string => (element.attributes.get(name) ?? '').trim();

/** The extension elements of an element whose namespace is one of these, by local name. */
export function extensionsOf(element: Element, local: string): readonly Element[] {
  const holder = childOf(element, 'extensionElements');
  if (holder === null) return [];
  return holder.children.filter((child) => EXTENSIONS.has(child.uri) && child.local === local);
}
export const extensionOf = (element: Element, local: string): Element | null => extensionsOf(element, local)[0] ?? null;
const EXTENSIONS: ReadonlySet<string> = new Set([ZEEBE, ZENBPM, CAMUNDA, ROTA]);

export const camunda = (element: Element, name: string): string | null =>
  element.attributes.get(`{${CAMUNDA}}${name}`) ?? null;
export const rota = (element: Element, name: string): string | null =>
  element.attributes.get(`{${ROTA}}${name}`) ?? null;

/** The FEEL in a text: behind its `=`, or null. */
export const feelIn = (text: string): string | null =>
  text.trimStart().startsWith('=') ? text.trimStart().slice(1) : null;

/** What a reference says, without the prefix some tools write before it. */
export function refersTo(known: ReadonlyMap<string, unknown>, written: string): string {
  if (known.has(written)) return written;
  const bare = written.slice(written.indexOf(':') + 1);
  return known.has(bare) ? bare : written;
}

export function modelOf(root: Element): Definitions {
  const byId = new Map<string, Element>();
  for (const child of root.children) {
    const id = attributeOf(child, 'id');
    if (child.uri === BPMN && id !== '' && !byId.has(id)) byId.set(id, child);
  }
  const processes = childrenOf(root, 'process').map((process) => scopeOf(process, byId));
  for (const process of processes) {
    const nodes = new Map(scopesOf(process).flatMap((scope) => scope.nodes.map((node) => [node.id, node] as const)));
    for (const [id, lane] of lanesOf(process.element)) {
      const node = nodes.get(id);
      if (node !== undefined) setLane(node, lane);
    }
  }
  const associations = new Map<string, string>();
  const gather = (element: Element): void => {
    for (const each of childrenOf(element, 'association')) {
      const source = attributeOf(each, 'sourceRef');
      if (!associations.has(source)) associations.set(source, attributeOf(each, 'targetRef'));
    }
  };
  for (const process of processes) for (const scope of scopesOf(process)) gather(scope.element);
  for (const collaboration of childrenOf(root, 'collaboration')) gather(collaboration);
  return { root, processes, byId, associations };
}

function scopeOf(element: Element, byId: Map<string, Element>): ScopeModel {
  const nodes: FlowNode[] = [];
  const own = new Map<string, FlowNode>();
  for (const child of element.children) {
    if (!isFlowNode(child)) continue;
    const node = nodeOf(child, byId);
    nodes.push(node);
    if (node.id === '') continue;
    if (!own.has(node.id)) own.set(node.id, node);
    if (!byId.has(node.id)) byId.set(node.id, child);
  }
  const counts = new Map<string, number>();
  const flows = childrenOf(element, 'sequenceFlow').map((child): Flow => {
    const sourceRef = refersTo(own, attributeOf(child, 'sourceRef'));
    const targetRef = refersTo(own, attributeOf(child, 'targetRef'));
    let id = attributeOf(child, 'id');
    if (id === '') {
      const pair = `${sourceRef}→${targetRef}`;
      const n = (counts.get(pair) ?? 0) + 1;
      counts.set(pair, n);
      id = `${pair}#${n}`;
    } else if (!byId.has(id)) byId.set(id, child);
    const flow = { id, element: child, sourceRef, targetRef, condition: childOf(child, 'conditionExpression') };
    own.get(sourceRef)?.outgoing.push(flow);
    own.get(targetRef)?.incoming.push(flow);
    return flow;
  });
  return { id: attributeOf(element, 'id'), element, nodes, flows };
}

function nodeOf(element: Element, byId: Map<string, Element>): FlowNode {
  return {
    id: attributeOf(element, 'id'),
    type: element.local,
    name: element.attributes.get('name') ?? null,
    element,
    events: element.children
      .filter(({ uri, local }) => uri === BPMN && local.endsWith('EventDefinition'))
      .map((child) => ({ kind: child.local.slice(0, -'EventDefinition'.length), element: child })),
    inner: SUB_PROCESSES.has(element.local) ? scopeOf(element, byId) : null,
    incoming: [],
    outgoing: [],
    ...mappingsOf(element),
    lane: null,
  };
}

/** zeebe's and zenBPM's `ioMapping`, camunda's `inputOutput` with plain texts. */
function mappingsOf(element: Element): { readonly input: readonly Mapping[]; readonly output: readonly Mapping[] } {
  const io = extensionOf(element, 'ioMapping');
  if (io !== null) {
    const pick = (local: string): Mapping[] =>
      io.children
        .filter((child) => EXTENSIONS.has(child.uri) && child.local === local)
        .map((child) => ({
          source: child.attributes.get('source') ?? '',
          target: attributeOf(child, 'target'),
        }));
    return { input: pick('input'), output: pick('output') };
  }
  const camundaIo = extensionOf(element, 'inputOutput');
  if (camundaIo === null) return { input: [], output: [] };
  const pick = (local: string): Mapping[] =>
    camundaIo.children
      .filter((child) => child.local === local)
      .map((child) => ({ source: child.text.trim(), target: attributeOf(child, 'name') }));
  return { input: pick('inputParameter'), output: pick('outputParameter') };
}

/** Flow node ids with the name of the innermost lane that names them. */
function lanesOf(process: Element): readonly (readonly [string, string])[] {
  const found: (readonly [string, string])[] = [];
  const visit = (set: Element): void => {
    for (const lane of childrenOf(set, 'lane')) {
      const name = attributeOf(lane, 'name');
      if (name !== '') for (const ref of childrenOf(lane, 'flowNodeRef')) found.push([ref.text.trim(), name]);
      for (const inner of childrenOf(lane, 'childLaneSet')) visit(inner);
    }
  };
  for (const set of childrenOf(process, 'laneSet')) visit(set);
  return found;
}

function setLane(node: FlowNode, lane: string): void {
  node.lane = lane;
  for (const inner of node.inner?.nodes ?? []) setLane(inner, lane);
}

/** Every scope of a process, itself first, in document order. */
export function scopesOf(scope: ScopeModel): readonly ScopeModel[] {
  return [scope, ...scope.nodes.flatMap((node) => (node.inner === null ? [] : scopesOf(node.inner)))];
}

/** The boundary events of a scope by the id of their activity, as indexes of its nodes. */
export function boundaryIn(scope: ScopeModel): ReadonlyMap<string, readonly number[]> {
  const known = new Map(scope.nodes.map(({ id }) => [id, 0]));
  const found = new Map<string, number[]>();
  for (const [i, node] of scope.nodes.entries()) {
    if (node.type !== 'boundaryEvent') continue;
    const on = refersTo(known, attributeOf(node.element, 'attachedToRef'));
    const others = found.get(on);
    if (others === undefined) found.set(on, [i]);
    else others.push(i);
  }
  return found;
}

/** Whether a sub-process begins by an event instead of a flow. */
export const isEventSub = ({ element }: FlowNode): boolean => attributeOf(element, 'triggeredByEvent') === 'true';
export const isHandler = ({ element }: FlowNode): boolean => attributeOf(element, 'isForCompensation') === 'true';
