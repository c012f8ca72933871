import type { Json } from '../../model/json.ts';
import { makeTree, type Tree } from '../../model/tree.ts';
import { drawingOf } from './drawing.ts';
import type { Element } from './elements.ts';
import { conditionOf, eventSpec, messageSpec, referred } from './events.ts';
import {
  attributeOf,
  boundaryIn,
  camunda,
  childOf,
  childrenOf,
  type Definitions,
  extensionOf,
  type FlowNode,
  feelIn,
  isEventSub,
  isHandler,
  refersTo,
  type ScopeModel,
} from './model.ts';

/*
 * The model as an ordinary tree: `bpmn:process`, and below it one child per flow node in document order; sub-processes have their own
 * children. Flows are in the attributes of the nodes they leave and enter, by the index of the child.
 */

export type TreeOptions = { readonly start: string | null };
type Attributes = (readonly [string, Json])[];

/** The tree of a process that has passed the check. */
export function bpmnTree(process: ScopeModel, definitions: Definitions, { start }: TreeOptions): Tree {
  const called = calledIn(process, definitions);
  const writer = new Writer(definitions);
  const own = writer.scope(process, start);
  const names = called.map((each, i): readonly [string, Json] => [each.id, process.nodes.length + i]);
  const name = process.element.attributes.get('name')?.trim();
  return makeTree(
    'bpmn:process',
    [
      ['name', name === undefined || name === '' ? process.id : name],
      ['id', process.id],
      ...own.attributes,
      ...(names.length > 0 ? ([['calls', Object.fromEntries(names)]] as const) : []),
      ['drawing', drawingOf(process, definitions) ?? false],
    ],
    [
      ...own.children,
      ...called.map((each) => {
        const inner = writer.scope(each, null);
        return makeTree('bpmn:process', [['id', each.id], ...inner.attributes], inner.children);
      }),
    ],
  );
}

/** The other processes of the file that are called from here, or from one that is. */
function calledIn(process: ScopeModel, { processes }: Definitions): readonly ScopeModel[] {
  const found = new Set<ScopeModel>();
  const visit = (scope: ScopeModel): void => {
    for (const node of scope.nodes) {
      if (node.inner !== null) visit(node.inner);
      const other = node.type === 'callActivity' ? processes.find(({ id }) => id === calledName(node)) : undefined;
      if (other === undefined || other === process || found.has(other)) continue;
      found.add(other);
      visit(other);
    }
  };
  visit(process);
  return [...found];
}

const calledName = (node: FlowNode): string => {
  const called = extensionOf(node.element, 'calledElement');
  return called === null ? attributeOf(node.element, 'calledElement') : attributeOf(called, 'processId');
};

class Writer {
  private readonly definitions: Definitions;

  constructor(definitions: Definitions) {
    this.definitions = definitions;
  }

  scope(
    scope: ScopeModel,
    start: string | null,
  ): { readonly attributes: Attributes; readonly children: readonly Tree[] } {
    const index = new Map(scope.nodes.map((node, i) => [node.id, i]));
    const handlers = new Map<string, number>();
    for (const [source, target] of this.definitions.associations) {
      const at = index.get(target);
      if (at !== undefined) handlers.set(source, at);
    }
    const eventSubs = scope.nodes.flatMap((node, i) => (node.inner !== null && isEventSub(node) ? [i] : []));
    const attributes: Attributes = [['starts', startsOf(scope, start)]];
    if (eventSubs.length > 0) attributes.push(['eventSubs', eventSubs]);
    const reach = reachOf(scope, index);
    const boundaries = boundaryIn(scope);
    return {
      attributes,
      children: scope.nodes.map((node, i) => this.node(node, index, boundaries, handlers, reach.get(i) ?? null)),
    };
  }

  private node(
    node: FlowNode,
    index: ReadonlyMap<string, number>,
    boundaries: ReadonlyMap<string, readonly number[]>,
    handlers: ReadonlyMap<string, number>,
    reach: Json,
  ): Tree {
    const { element } = node;
    const inner = node.inner === null ? null : this.scope(node.inner, null);
    const attributes: Attributes = [
      ['id', node.id],
      ['type', node.type],
    ];
    const put = (key: string, value: Json | undefined): void => {
      if (value !== undefined && value !== null && value !== '') attributes.push([key, value]);
    };
    put('name', node.name?.trim());
    if (node.outgoing.length > 0)
      put(
        'to',
        node.outgoing.map((flow) => [flow.id, index.get(flow.targetRef) ?? -1, conditionOf(flow.condition)]),
      );
    if (node.incoming.length > 0)
      put(
        'from',
        node.incoming.map(({ id }) => id),
      );
    const byDefault = attributeOf(element, 'default');
    if (byDefault !== '') put('default', refersTo(new Map(node.outgoing.map((flow) => [flow.id, flow])), byDefault));
    if (node.input.length > 0)
      put(
        'input',
        node.input.map(({ source, target }) => [source, target]),
      );
    if (node.output.length > 0)
      put(
        'output',
        node.output.map(({ source, target }) => [source, target]),
      );
    put('reach', reach);
    const [event] = node.events;
    if (event !== undefined) put('event', eventSpec(event, this.definitions));
    if (node.type === 'receiveTask')
      put('event', { kind: 'message', ...messageSpec(referred(element, 'messageRef', this.definitions)) });
    if (
      node.type === 'sendTask' &&
      extensionOf(element, 'taskDefinition') === null &&
      referred(element, 'messageRef', this.definitions) !== null
    )
      put('event', { kind: 'message', ...messageSpec(referred(element, 'messageRef', this.definitions)) });
    if (node.type === 'startEvent' && attributeOf(element, 'isInterrupting') === 'false') put('interrupting', false);
    if (node.type === 'boundaryEvent') {
      put('on', index.get(refersTo(index, attributeOf(element, 'attachedToRef'))) ?? -1);
      if (attributeOf(element, 'cancelActivity') === 'false') put('interrupting', false);
      put('handler', handlers.get(node.id));
    }
    const boundary = boundaries.get(node.id) ?? [];
    if (boundary.length > 0) put('boundary', [...boundary]);
    if (isHandler(node)) put('handles', true);
    if (isEventSub(node)) put('eventSub', true);
    put('loop', loopOf(node));
    if (node.type === 'callActivity') put('call', callOf(node));
    const work = workOf(node, this.definitions);
    if (work !== null) for (const [key, value] of work) put(key, value);
    if (inner !== null) attributes.push(...inner.attributes);
    return makeTree(headOf(node), attributes, inner?.children ?? []);
  }
}

function headOf({ type }: FlowNode): string {
  if (type === 'subProcess') return 'bpmn:sub';
  if (type === 'callActivity') return 'bpmn:call';
  if (type.endsWith('Gateway')) return 'bpmn:gateway';
  return type.endsWith('Event') ? 'bpmn:event' : 'bpmn:task';
}

/** All none start events; else the one named or the only one (none of several); else every node nothing leads to. */
function startsOf(scope: ScopeModel, named: string | null): readonly number[] {
  const at = (test: (node: FlowNode) => boolean): number[] => scope.nodes.flatMap((node, i) => (test(node) ? [i] : []));
  if (named !== null) return at((node) => node.id === named);
  const isStart = (node: FlowNode): boolean => node.type === 'startEvent';
  const none = at((node) => isStart(node) && node.events.length === 0);
  if (none.length > 0) return none;
  const starts = at(isStart);
  // Of several that wait for something one has to be named.
  if (starts.length > 0) return starts.length === 1 ? starts : [];
  return at(
    (node) =>
      node.incoming.length === 0 &&
      node.type !== 'boundaryEvent' &&
      !isEventSub(node) &&
      !isHandler(node) &&
      !(node.type === 'intermediateCatchEvent' && node.events[0]?.kind === 'link'),
  );
}

/** Of each inclusive gateway with several ways in: child index → bits of the incoming flows a token there can still come by. */
function reachOf(scope: ScopeModel, index: ReadonlyMap<string, number>): ReadonlyMap<number, Json> {
  const found = new Map<number, Json>();
  const into = new Map<number, number[]>();
  const edge = (from: number, to: number): void => {
    const others = into.get(to);
    if (others === undefined) into.set(to, [from]);
    else others.push(from);
  };
  for (const flow of scope.flows) edge(index.get(flow.sourceRef) ?? -1, index.get(flow.targetRef) ?? -1);
  const links = new Map<string, number>();
  for (const [i, node] of scope.nodes.entries()) {
    const [event] = node.events;
    if (node.type === 'boundaryEvent')
      edge(index.get(refersTo(index, attributeOf(node.element, 'attachedToRef'))) ?? -1, i);
    if (node.type === 'intermediateCatchEvent' && event?.kind === 'link')
      links.set(attributeOf(event.element, 'name'), i);
  }
  for (const [i, node] of scope.nodes.entries()) {
    const [event] = node.events;
    if (node.type !== 'intermediateThrowEvent' || event?.kind !== 'link') continue;
    const target = links.get(attributeOf(event.element, 'name'));
    if (target !== undefined) edge(i, target);
  }
  for (const [i, node] of scope.nodes.entries()) {
    if (node.type !== 'inclusiveGateway' || node.incoming.length < 2) continue;
    const reach: { [child: string]: number } = {};
    for (const [bit, flow] of node.incoming.entries()) {
      const seen = new Set<number>([i]);
      const open = [index.get(flow.sourceRef) ?? -1];
      for (let at = open.pop(); at !== undefined; at = open.pop()) {
        if (seen.has(at)) continue;
        seen.add(at);
        reach[at] = (reach[at] ?? 0) | (1 << bit);
        open.push(...(into.get(at) ?? []));
      }
    }
    found.set(i, reach);
  }
  return found;
}

function loopOf(node: FlowNode): Json {
  const multi = childOf(node.element, 'multiInstanceLoopCharacteristics');
  const standard = childOf(node.element, 'standardLoopCharacteristics');
  const feel = (text: string | undefined): Json => {
    const trimmed = text?.trim() ?? '';
    return trimmed === '' ? null : (feelIn(trimmed) ?? trimmed).trim();
  };
  if (standard !== null)
    return {
      kind: 'standard',
      while: feel(childOf(standard, 'loopCondition')?.text),
      before: attributeOf(standard, 'testBefore') === 'true',
      most: attributeOf(standard, 'loopMaximum') === '' ? null : Number(attributeOf(standard, 'loopMaximum')),
    };
  if (multi === null) return null;
  const zeebe = extensionOf(multi, 'loopCharacteristics');
  const of = (name: string): string | undefined => zeebe?.attributes.get(name);
  const collection = feel(of('inputCollection')) ?? feel(camunda(multi, 'collection') ?? undefined);
  return {
    kind: attributeOf(multi, 'isSequential') === 'true' ? 'sequential' : 'parallel',
    collection,
    count: collection === null ? feel(childOf(multi, 'loopCardinality')?.text) : null,
    item: of('inputElement')?.trim() || camunda(multi, 'elementVariable') || null,
    into: of('outputCollection')?.trim() || null,
    give: feel(of('outputElement')),
    until: feel(childOf(multi, 'completionCondition')?.text),
  };
}

function callOf(node: FlowNode): Json {
  const called = extensionOf(node.element, 'calledElement');
  const version =
    called === null
      ? camunda(node.element, 'calledElementBinding') === 'version' && camunda(node.element, 'calledElementVersion')
      : attributeOf(called, 'bindingType') === 'version' && attributeOf(called, 'version');
  return {
    name: calledName(node),
    ...(version && { version: version.trim() }),
    down: called === null || attributeOf(called, 'propagateAllParentVariables') !== 'false',
    up: called === null || attributeOf(called, 'propagateAllChildVariables') !== 'false',
  };
}

const WORK: ReadonlySet<string> = new Set(['serviceTask', 'userTask', 'sendTask', 'businessRuleTask', 'scriptTask']);

/** Who does a task, and what it is told; null when nobody is asked. */
function workOf(node: FlowNode, definitions: Definitions): ReadonlyMap<string, Json> | null {
  const { element, type } = node;
  const definition = extensionOf(element, 'taskDefinition');
  const isThrow = type === 'intermediateThrowEvent' || type === 'endEvent';
  const isWork = WORK.has(type) || (isThrow && definition !== null && node.events[0]?.kind === 'message');
  const script = type === 'scriptTask' ? extensionOf(element, 'script') : null;
  if (script?.attributes.has('expression')) {
    const expression = script.attributes.get('expression') ?? '';
    return new Map<string, Json>([
      ['script', [feelIn(expression) ?? expression, attributeOf(script, 'resultVariable')]],
    ]);
  }
  if (!isWork) return null;
  const names: string[] = [];
  const params: { [key: string]: Json } = {};
  const taskType = definition?.attributes.get('type')?.trim() || camunda(element, 'topic')?.trim();
  const decision = extensionOf(element, 'calledDecision');
  const decisionId =
    (decision === null ? '' : attributeOf(decision, 'decisionId')) || camunda(element, 'decisionRef')?.trim() || '';
  if (type !== 'userTask') {
    if (taskType) names.push(taskType);
    if (decisionId !== '') names.push(decisionId);
  } else names.push(...assigned(element, params, definitions));
  if (taskType) params['type'] = taskType;
  if (decisionId !== '') params['decision'] = decisionId;
  if (node.lane !== null) names.push(node.lane);
  const headers = extensionOf(element, 'taskHeaders');
  if (headers !== null)
    params['headers'] = Object.fromEntries(
      headers.children.map((header) => [attributeOf(header, 'key'), header.attributes.get('value') ?? '']),
    );
  const form = extensionOf(element, 'formDefinition');
  if (form !== null) params['form'] = attributeOf(form, 'formKey') || attributeOf(form, 'formId');
  if (type === 'scriptTask') {
    const text = childOf(element, 'script');
    if (text !== null) params['script'] = text.text;
    if (attributeOf(element, 'scriptFormat') !== '') params['script_format'] = attributeOf(element, 'scriptFormat');
  }
  const schedule = extensionOf(element, 'taskSchedule');
  const due = schedule === null ? camunda(element, 'dueDate') : attributeOf(schedule, 'dueDate');
  if (due) params['due_date'] = due;
  const priority = extensionOf(element, 'priorityDefinition');
  const weight = priority === null ? camunda(element, 'priority') : attributeOf(priority, 'priority');
  if (weight) params['priority'] = weight;
  return new Map<string, Json>([
    ['names', names],
    ['params', params],
  ]);
}

function assigned(element: Element, params: { [key: string]: Json }, { byId }: Definitions): readonly string[] {
  const assignment = extensionOf(element, 'assignmentDefinition');
  const assignee = (assignment === null ? null : attributeOf(assignment, 'assignee')) || camunda(element, 'assignee');
  const groups =
    (assignment === null ? null : attributeOf(assignment, 'candidateGroups')) || camunda(element, 'candidateGroups');
  const names: string[] = [];
  if (assignee) {
    names.push(assignee.trim());
    params['assignee'] = assignee.trim();
  }
  if (groups) {
    const list =
      feelIn(groups) === null
        ? groups
            .split(',')
            .map((group) => group.trim())
            .filter((group) => group !== '')
        : [groups.trim()];
    names.push(...list);
    params['candidate_groups'] = feelIn(groups) === null ? list : groups.trim();
  }
  const [owner] = childrenOf(element, 'potentialOwner');
  const ref = owner === undefined ? null : childOf(owner, 'resourceRef');
  if (owner !== undefined) {
    const written = ref?.text.trim() ?? '';
    const resource = byId.get(refersTo(byId, written));
    const named = resource?.local === 'resource' ? attributeOf(resource, 'name') : '';
    const name = named || written || attributeOf(owner, 'name');
    if (name !== '') names.push(name);
  }
  return names;
}
