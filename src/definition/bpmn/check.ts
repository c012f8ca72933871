import { parseFeel } from '../../language/feel/feel.ts';
import { isReadableTimer } from '../../language/iso-timer.ts';
import { shortened } from '../complaint.ts';
import type { Element } from './elements.ts';
import { eventSpec, messageSpec, referred, TIMER_FORMS } from './events.ts';
import {
  ACTIVITIES,
  attributeOf,
  boundaryIn,
  childOf,
  type Definitions,
  type EventDefinition,
  extensionOf,
  type Flow,
  type FlowNode,
  feelIn,
  isEventSub,
  isHandler,
  refersTo,
  type ScopeModel,
  scopesOf,
} from './model.ts';

/*
 * What makes a process none that can be run. Everything is looked for; complaints come in document order. It is one thing, for each rule looks
 * at the same walk over the same scopes, and is a few lines by itself.
 */

export type Trouble = {
  readonly element: Element;
  readonly id: string;
  readonly message: string;
  /** What it is that is not run here: an element's or event definition's name. */
  readonly unsupported?: string;
  /** Where the other one is. */
  readonly other?: Element;
};

/** Flow nodes, flows, scopes on top of each other; boundary events of one activity. */
const NODES_MAX = 5_000;
const FLOWS_MAX = 10_000;
const SCOPES_MAX = 50;
const BOUNDARY_MAX = 50;
/** Inclusive gateways with several ways in, ways into one of them, and those gateways times the nodes of their scope. */
const JOINS_MAX = 50;
const WAYS_IN_MAX = 30;
const REACH_MAX = 50_000;
/** Characters of all expressions of one definition: reading them is most of the work of reading it (bench/parse.ts). */
export const EXPRESSIONS_CHARACTERS_MAX = 250_000;
/** Characters of an id, of a key, of a name in a message. */
const ID_MAX = 255;
/** Names of a dotted target. */
const TARGET_PARTS_MAX = 50;

const NOT_SUPPORTED: ReadonlySet<string> = new Set([
  'complexGateway',
  'adHocSubProcess',
  'transaction',
  'choreographyTask',
  'callChoreography',
  'subChoreography',
  'implicitThrowEvent',
]);
/** Which events may stand where. */
const STARTS_OF_EVENT_SUB: ReadonlySet<string> = new Set([
  'message',
  'timer',
  'signal',
  'error',
  'escalation',
  'compensate',
  'conditional',
]);
const ALLOWED: { readonly [type: string]: ReadonlySet<string> } = {
  startEvent: new Set(['message', 'timer', 'signal']),
  endEvent: new Set(['terminate', 'error', 'message', 'signal', 'escalation', 'compensate']),
  intermediateCatchEvent: new Set(['message', 'timer', 'signal', 'conditional', 'link']),
  intermediateThrowEvent: new Set(['message', 'signal', 'link', 'escalation', 'compensate']),
  boundaryEvent: new Set(['message', 'timer', 'signal', 'conditional', 'error', 'escalation', 'compensate']),
};
export const WAITING: ReadonlySet<string> = new Set(['message', 'timer', 'signal', 'conditional']);

export const nameOf = (node: { readonly id: string; readonly element: Element }): string =>
  node.id === '' ? `<${node.element.local}> without id` : shortened(node.id);

type Note = (
  of: { readonly id: string; readonly element: Element },
  message: string,
  more?: Pick<Trouble, 'unsupported' | 'other'>,
) => void;

/** Characters of expressions that may be read yet; below 0 once there were too many. */
export type Budget = { characters: number };
export const newBudget = (): Budget => ({ characters: EXPRESSIONS_CHARACTERS_MAX });

/**
 * Finds what is wrong with one process.
 *
 * @param budget of the whole definition
 * @returns in document order, as many as there are
 */
export function checkProcess(
  process: ScopeModel,
  definitions: Definitions,
  budget: Budget = newBudget(),
): readonly Trouble[] {
  const troubles: Trouble[] = [];
  const note: Note = ({ id, element }, message, more = {}) => {
    troubles.push({ element, id: id === '' ? `<${element.local}> without id` : id, message, ...more });
  };
  const scopes = scopesOf(process);
  const nodes = scopes.reduce((sum, scope) => sum + scope.nodes.length, 0);
  const flows = scopes.reduce((sum, scope) => sum + scope.flows.length, 0);
  if (nodes > NODES_MAX) note(process, `more than ${NODES_MAX} flow nodes`);
  else if (flows > FLOWS_MAX) note(process, `more than ${FLOWS_MAX} sequence flows`);
  else if (depthOf(process) > SCOPES_MAX) note(process, `sub-processes are nested more than ${SCOPES_MAX} deep`);
  else {
    checkIds(scopes, definitions, note);
    const where = new Map<string, ScopeModel>();
    for (const scope of scopes) for (const node of scope.nodes) where.set(node.id, scope);
    for (const scope of scopes) new ScopeCheck(scope, scope === process, definitions, where, note, budget).run();
  }
  return troubles.sort((a, b) => a.element.offset - b.element.offset);
}

const depthOf = (scope: ScopeModel): number =>
  1 + scope.nodes.reduce((most, { inner }) => (inner === null ? most : Math.max(most, depthOf(inner))), 0);

function checkIds(scopes: readonly ScopeModel[], { byId }: Definitions, note: Note): void {
  const otherOf = (id: string): Pick<Trouble, 'other'> => {
    const other = byId.get(id);
    return other === undefined ? {} : { other };
  };
  for (const scope of scopes) {
    for (const node of scope.nodes) {
      if (node.id === '') note(node, `<${node.type}> has no id`);
      else if (byId.get(node.id) !== node.element) note(node, twice(node.id), otherOf(node.id));
      if (node.id.length > ID_MAX) note(node, `the id is longer than ${ID_MAX} characters`);
    }
    for (const flow of scope.flows)
      if (attributeOf(flow.element, 'id') !== '' && byId.get(flow.id) !== flow.element)
        note(flow, twice(flow.id), otherOf(flow.id));
  }
}

const twice = (id: string): string => `the id "${shortened(id)}" is there twice`;

class ScopeCheck {
  private readonly scope: ScopeModel;
  private readonly isProcess: boolean;
  private readonly definitions: Definitions;
  private readonly where: ReadonlyMap<string, ScopeModel>;
  private readonly note: Note;
  private readonly budget: Budget;
  private readonly own: ReadonlyMap<string, FlowNode>;
  private readonly boundary: ReadonlyMap<string, readonly number[]>;

  constructor(
    scope: ScopeModel,
    isProcess: boolean,
    definitions: Definitions,
    where: ReadonlyMap<string, ScopeModel>,
    note: Note,
    budget: Budget,
  ) {
    this.budget = budget;
    this.scope = scope;
    this.isProcess = isProcess;
    this.definitions = definitions;
    this.where = where;
    this.note = note;
    this.own = new Map(scope.nodes.map((node) => [node.id, node]));
    this.boundary = boundaryIn(scope);
  }

  run(): void {
    for (const flow of this.scope.flows) this.flow(flow);
    for (const node of this.scope.nodes) this.node(node);
    this.joins();
    this.links();
    this.eventSubs();
    this.associations();
  }

  private flow(flow: Flow) {
    const ends = [
      ['sourceRef', flow.sourceRef],
      ['targetRef', flow.targetRef],
    ] as const;
    for (const [attribute, ref] of ends) {
      if (ref === '') this.note(flow, `flow "${shortened(flow.id)}" has no ${attribute}`);
      else if (!this.own.has(ref)) {
        const elsewhere = this.where.has(ref) || this.definitions.byId.has(ref);
        this.note(
          flow,
          elsewhere
            ? `${attribute} of flow "${shortened(flow.id)}" names "${shortened(ref)}", which is not in the same scope as the flow`
            : `${attribute} of flow "${shortened(flow.id)}" names "${shortened(ref)}", which is not there`,
        );
      }
    }
    const source = this.own.get(flow.sourceRef);
    const target = this.own.get(flow.targetRef);
    const both = `flow "${shortened(flow.id)}" from "${shortened(flow.sourceRef)}" to "${shortened(flow.targetRef)}"`;
    if (source?.type === 'endEvent') this.note(flow, `${both} leaves an end event`);
    if (source !== undefined && isThrowLink(source)) this.note(flow, `${both} leaves a link`);
    if (target?.type === 'startEvent') this.note(flow, `${both} leads into a start event`);
    if (target?.type === 'boundaryEvent') this.note(flow, `${both} leads into a boundary event`);
    for (const end of [source, target])
      if (end?.inner !== undefined && end.inner !== null && isEventSub(end))
        this.note(flow, `${both} touches an event sub-process, which has no flows`);
    if (flow.condition !== null) this.condition(flow, flow.condition);
  }

  private condition(flow: Flow | FlowNode, element: Element) {
    const text = element.text.trim();
    if (text === '') return this.note(flow, 'the condition is empty');
    if (element.attributes.has('resource')) return this.note(flow, 'the condition is a file');
    if (attributeOf(element, 'language') === 'rota') return;
    // Behind `=` it is FEEL, whatever the file has for others.
    const byDefault = feelIn(text) === null ? attributeOf(this.definitions.root, 'expressionLanguage') : '';
    this.language(flow, attributeOf(element, 'language') || byDefault, text);
    this.feel(flow, feelIn(text) ?? text);
  }

  private language(of: Flow | FlowNode, language: string, text: string) {
    if (language !== '' && !/feel/i.test(language))
      this.note(
        of,
        `the language "${shortened(language)}" of ${JSON.stringify(shortened(text))} is not supported; write FEEL`,
      );
  }

  /** A text that is FEEL. */
  private feel(of: { readonly id: string; readonly element: Element }, text: string) {
    if (/^\s*[$#]\{/.test(text))
      return this.note(
        of,
        `${JSON.stringify(shortened(text.trim()))} is not FEEL; write the expression without the braces`,
      );
    if (this.budget.characters < 0) return;
    this.budget.characters -= text.length;
    if (this.budget.characters < 0)
      return this.note(
        of,
        `the expressions of this definition have more than ${EXPRESSIONS_CHARACTERS_MAX} characters in all; from here on they are not read`,
      );
    const parsed = parseFeel(text);
    if (!parsed.ok)
      this.note(
        of,
        `the expression ${JSON.stringify(shortened(text.trim()))} cannot be read: ${parsed.message} (at character ${parsed.at + 1})`,
      );
  }

  /** A text that is FEEL when it begins with `=`. */
  private maybeFeel(of: FlowNode, text: string) {
    const feel = feelIn(text);
    if (feel !== null) this.feel(of, feel);
  }

  /** A text that is FEEL when it begins with `=`, and no expression of another language that would be taken for a plain text. */
  private mapped(of: FlowNode, text: string) {
    if (/^\s*[$#]\{/.test(text)) this.feel(of, text);
    else this.maybeFeel(of, text);
  }

  private node(node: FlowNode) {
    if (NOT_SUPPORTED.has(node.type))
      return this.note(node, `${node.type} "${nameOf(node)}" is not supported`, { unsupported: node.type });
    if (node.type.endsWith('Gateway')) this.gateway(node);
    else if (node.type.endsWith('Event')) this.event(node);
    else this.activity(node);
    this.defaultFlow(node);
    for (const { source, target } of [...node.input, ...node.output]) {
      if (target === '') this.note(node, 'a mapping has no target');
      if (target.split('.').length > TARGET_PARTS_MAX)
        this.note(node, `the target "${shortened(target)}" of a mapping has more than ${TARGET_PARTS_MAX} parts`);
      this.mapped(node, source);
    }
  }

  private defaultFlow(node: FlowNode) {
    const written = attributeOf(node.element, 'default');
    if (written === '') return;
    const ids = new Map(node.outgoing.map((flow) => [flow.id, flow]));
    const flow = ids.get(refersTo(ids, written));
    if (flow === undefined)
      this.note(node, `default of "${nameOf(node)}" names "${shortened(written)}", which is no flow of its own`);
    else if (flow.condition !== null && node.type !== 'parallelGateway')
      this.note(node, `the default flow "${shortened(flow.id)}" has a condition`);
  }

  private gateway(node: FlowNode) {
    const written = attributeOf(node.element, 'default');
    if (node.type === 'exclusiveGateway' && node.outgoing.length > 1) {
      const bare = node.outgoing.filter(
        (flow) => flow.condition === null && flow.id !== refersTo(new Map([[flow.id, 0]]), written),
      );
      if (bare.length > 1)
        this.note(
          node,
          `exclusiveGateway "${nameOf(node)}" has ${bare.length} flows without a condition, none of them default: ${bare
            .slice(0, 5)
            .map(({ id }) => `"${shortened(id)}"`)
            .join(', ')}`,
        );
    }
    if (node.type === 'eventBasedGateway') this.eventGateway(node);
    if (node.type === 'inclusiveGateway' && node.incoming.length > WAYS_IN_MAX)
      this.note(node, `inclusiveGateway "${nameOf(node)}" has more than ${WAYS_IN_MAX} flows into it`);
  }

  private joins() {
    const joins = this.scope.nodes.filter(({ type, incoming }) => type === 'inclusiveGateway' && incoming.length > 1);
    const [, first] = joins;
    if (first === undefined) return;
    if (joins.length > JOINS_MAX)
      this.note(first, `more than ${JOINS_MAX} inclusive gateways with several flows into them stand in one scope`);
    else if (joins.length * this.scope.nodes.length > REACH_MAX)
      this.note(first, `${joins.length} inclusive joins among ${this.scope.nodes.length} elements are too many`);
  }

  private eventGateway(node: FlowNode) {
    if (attributeOf(node.element, 'instantiate') === 'true')
      this.note(node, `eventBasedGateway "${nameOf(node)}" that starts a process is not supported`);
    if (node.outgoing.length < 2) this.note(node, `eventBasedGateway "${nameOf(node)}" has fewer than two ways`);
    for (const flow of node.outgoing) {
      const target = this.own.get(flow.targetRef);
      if (target === undefined) continue;
      const waits =
        target.type === 'receiveTask' ||
        (target.type === 'intermediateCatchEvent' &&
          target.events.length === 1 &&
          WAITING.has(target.events[0]?.kind ?? ''));
      if (!waits)
        this.note(
          node,
          `behind eventBasedGateway "${nameOf(node)}" stands ${target.type} "${nameOf(target)}"; only catch events and receive tasks can`,
        );
      else if (target.incoming.length > 1)
        this.note(
          node,
          `${target.type} "${nameOf(target)}" behind eventBasedGateway "${nameOf(node)}" has further flows into it`,
        );
      if (flow.condition !== null)
        this.note(node, `flow "${shortened(flow.id)}" behind an event-based gateway has a condition`);
    }
  }

  private event(node: FlowNode) {
    const { events, type, element } = node;
    const refs = element.children.filter(({ local }) => local === 'eventDefinitionRef');
    if (events.length + refs.length > 1)
      this.note(node, `${type} "${nameOf(node)}" has several event definitions, which is not supported`);
    else if (refs.length > 0)
      this.note(node, `${type} "${nameOf(node)}" names its event definition elsewhere, which is not supported`);
    const [event] = events;
    if (event === undefined) {
      if (type === 'intermediateCatchEvent' || type === 'boundaryEvent')
        this.note(node, `${type} "${nameOf(node)}" has no event definition`);
      if (type === 'boundaryEvent') this.attached(node);
      return;
    }
    const isSub = type === 'startEvent' && attributeOf(this.scope.element, 'triggeredByEvent') === 'true';
    const allowed = isSub ? STARTS_OF_EVENT_SUB : (ALLOWED[type] ?? new Set());
    if (!allowed.has(event.kind))
      this.note(node, `${event.kind} event "${nameOf(node)}" (${type}) is not supported`, {
        unsupported: event.element.local,
      });
    else if (type === 'startEvent' && !isSub && !this.isProcess)
      this.note(node, `start event "${nameOf(node)}" of a sub-process cannot wait for something`);
    else this.definition(node, event, isSub);
    if (type === 'boundaryEvent') this.attached(node);
  }

  private attached(node: FlowNode) {
    const ref = attributeOf(node.element, 'attachedToRef');
    const host = this.own.get(refersTo(this.own, ref));
    if (host === undefined) {
      this.note(node, `attachedToRef of "${nameOf(node)}" names "${shortened(ref)}", which is not there`);
      return;
    }
    if (!ACTIVITIES.has(host.type))
      this.note(
        node,
        `boundary event "${nameOf(node)}" is attached to ${host.type} "${nameOf(host)}", which is no activity`,
      );
    const all = this.boundary.get(host.id) ?? [];
    if (all.length > BOUNDARY_MAX && this.scope.nodes[all[0] ?? -1] === node)
      this.note(host, `more than ${BOUNDARY_MAX} boundary events`);
    const [event] = node.events;
    if (event?.kind === 'error' && attributeOf(node.element, 'cancelActivity') === 'false')
      this.note(node, `error event "${nameOf(node)}" always interrupts; cancelActivity cannot be false`);
    if (event?.kind === 'compensate' && node.outgoing.length > 0)
      this.note(node, `compensation event "${nameOf(node)}" has a flow; it names its handler by an association`);
  }

  private definition(node: FlowNode, event: EventDefinition, isSub: boolean) {
    const { definitions } = this;
    const catches = node.type !== 'endEvent' && node.type !== 'intermediateThrowEvent';
    const dangling = (attribute: string, local: string): boolean => {
      const written = attributeOf(event.element, attribute);
      if (written === '') return false;
      const found = referred(event.element, attribute, definitions);
      if (found?.local === local) return false;
      this.note(
        node,
        `${attribute} of "${nameOf(node)}" names "${shortened(written)}", which is ${found === null ? 'not there' : `no ${local}`}`,
      );
      return true;
    };
    switch (event.kind) {
      case 'timer':
        this.timer(
          node,
          event,
          isSub || node.type === 'startEvent' || attributeOf(node.element, 'cancelActivity') === 'false',
        );
        return;
      case 'message':
        if (dangling('messageRef', 'message')) return;
        if (!catches && extensionOf(node.element, 'taskDefinition') !== null) return;
        this.message(node, referred(event.element, 'messageRef', definitions));
        return;
      case 'signal': {
        if (dangling('signalRef', 'signal')) return;
        const spec = eventSpec(event, definitions);
        if (spec['name'] === '') this.note(node, `signal event "${nameOf(node)}" has no signal with a name`);
        return;
      }
      case 'conditional': {
        const condition = childOf(event.element, 'condition');
        if (condition === null || condition.text.trim() === '')
          this.note(node, `conditional event "${nameOf(node)}" has no condition`);
        else this.condition(node, condition);
        return;
      }
      case 'error':
        if (!dangling('errorRef', 'error') && !catches && attributeOf(event.element, 'errorRef') === '')
          this.note(node, `error event "${nameOf(node)}" throws no error`);
        if (isSub && attributeOf(node.element, 'isInterrupting') === 'false')
          this.note(node, `error event "${nameOf(node)}" always interrupts; isInterrupting cannot be false`);
        return;
      case 'escalation':
        if (!dangling('escalationRef', 'escalation') && !catches && attributeOf(event.element, 'escalationRef') === '')
          this.note(node, `escalation event "${nameOf(node)}" throws no escalation`);
        return;
      case 'compensate': {
        const ref = attributeOf(event.element, 'activityRef');
        if (ref !== '' && !this.where.has(refersTo(this.where, ref)))
          this.note(node, `activityRef of "${nameOf(node)}" names "${shortened(ref)}", which is not there`);
        if (isSub && this.isTopLevelEventSub())
          this.note(node, `compensation event "${nameOf(node)}" starts nothing at process level`);
        return;
      }
      default:
    }
  }

  private isTopLevelEventSub(): boolean {
    return this.definitions.processes.some((process) => process.nodes.some(({ inner }) => inner === this.scope));
  }

  private message(node: FlowNode, message: Element | null) {
    if (message === null) return this.note(node, `${node.type} "${nameOf(node)}" has no message (messageRef)`);
    const { name, key } = messageSpec(message);
    if (name.trim() === '')
      this.note(node, `the message "${shortened(attributeOf(message, 'id'))}" of "${nameOf(node)}" has no name`);
    this.maybeFeel(node, name);
    if (key !== null) this.maybeFeel(node, key);
  }

  private timer(node: FlowNode, { element }: EventDefinition, mayRepeat: boolean) {
    const times = TIMER_FORMS.flatMap(([local, form]) => {
      const child = childOf(element, local);
      return child === null ? [] : [{ child, form }];
    });
    const [time] = times;
    const text = time?.child.text.trim() ?? '';
    if (time === undefined || text === '') return this.note(node, `timer event "${nameOf(node)}" has no time`);
    if (times.length > 1) return this.note(node, `timer event "${nameOf(node)}" has two times`);
    if (time.form === 'cycle' && !mayRepeat)
      this.note(node, `timer event "${nameOf(node)}" has a cycle, but happens only once`);
    const feel = feelIn(text);
    if (feel !== null) this.feel(node, feel);
    else if (!isReadableTimer(time.form, text))
      this.note(node, `the time ${JSON.stringify(shortened(text))} of timer event "${nameOf(node)}" cannot be read`);
  }

  private activity(node: FlowNode) {
    const { element } = node;
    if (node.type === 'receiveTask') {
      const written = attributeOf(element, 'messageRef');
      const message = referred(element, 'messageRef', this.definitions);
      if (written !== '' && message?.local !== 'message')
        this.note(node, `messageRef of "${nameOf(node)}" names "${shortened(written)}", which is not there`);
      else this.message(node, message);
      if (attributeOf(element, 'instantiate') === 'true')
        this.note(node, `receiveTask "${nameOf(node)}" that starts a process is not supported`);
    }
    if (node.type === 'callActivity') {
      const called = extensionOf(element, 'calledElement');
      const name = called === null ? attributeOf(element, 'calledElement') : attributeOf(called, 'processId');
      if (name === '') this.note(node, `callActivity "${nameOf(node)}" calls nothing`);
      if (called !== null && attributeOf(called, 'bindingType') === 'versionTag')
        this.note(node, `callActivity "${nameOf(node)}" names a version by a tag; versions have numbers here`);
      this.maybeFeel(node, name);
    }
    if (isHandler(node) && !isEventSub(node) && (node.incoming.length > 0 || node.outgoing.length > 0))
      this.note(node, `the handler "${nameOf(node)}" of a compensation has flows`);
    for (const local of ['taskDefinition', 'assignmentDefinition'])
      for (const value of extensionOf(element, local)?.attributes.values() ?? []) this.maybeFeel(node, value);
    const script = extensionOf(element, 'script');
    if (script !== null) this.maybeFeel(node, script.attributes.get('expression') ?? '');
    this.loop(node);
  }

  private loop(node: FlowNode) {
    const multi = childOf(node.element, 'multiInstanceLoopCharacteristics');
    const standard = childOf(node.element, 'standardLoopCharacteristics');
    if (standard !== null) {
      const condition = childOf(standard, 'loopCondition');
      if (condition !== null && condition.text.trim() !== '') this.feel(node, feelIn(condition.text) ?? condition.text);
      const most = attributeOf(standard, 'loopMaximum');
      if (most !== '' && !/^\d{1,9}$/.test(most)) this.note(node, `loopMaximum of "${nameOf(node)}" is no number`);
    }
    if (multi === null) return;
    const zeebe = extensionOf(multi, 'loopCharacteristics');
    const collection = zeebe === null ? '' : attributeOf(zeebe, 'inputCollection');
    const cardinality = childOf(multi, 'loopCardinality');
    const camundaCollection = [...multi.attributes].find(([key]) => key.endsWith('}collection'))?.[1] ?? '';
    if (collection === '' && camundaCollection === '' && (cardinality?.text.trim() ?? '') === '')
      this.note(node, `the multi-instance activity "${nameOf(node)}" has neither a collection nor a count`);
    if (zeebe !== null && attributeOf(zeebe, 'inputElement') !== '' && collection === '')
      this.note(node, `inputElement of "${nameOf(node)}" has no inputCollection`);
    if (cardinality !== null) this.feel(node, feelIn(cardinality.text) ?? cardinality.text);
    if (collection === '' && camundaCollection !== '') this.feel(node, feelIn(camundaCollection) ?? camundaCollection);
    const until = childOf(multi, 'completionCondition');
    if (until !== null && until.text.trim() !== '') this.feel(node, feelIn(until.text) ?? until.text);
    for (const name of ['inputCollection', 'outputElement'] as const) {
      const text = zeebe === null ? '' : attributeOf(zeebe, name);
      if (text !== '') this.feel(node, feelIn(text) ?? text);
    }
  }

  private links() {
    const named = (type: string): Map<string, FlowNode[]> => {
      const map = new Map<string, FlowNode[]>();
      for (const node of this.scope.nodes) {
        if (node.type !== type || node.events[0]?.kind !== 'link') continue;
        const name = attributeOf(node.events[0].element, 'name');
        const others = map.get(name);
        if (others === undefined) map.set(name, [node]);
        else others.push(node);
      }
      return map;
    };
    const catches = named('intermediateCatchEvent');
    const throws = named('intermediateThrowEvent');
    for (const [name, nodes] of throws) {
      for (const node of nodes) {
        if (name === '') this.note(node, `link "${nameOf(node)}" has no name`);
        else if (!catches.has(name))
          this.note(node, `link "${shortened(name)}" has no catch event of this name in its scope`);
      }
    }
    for (const [name, nodes] of catches) {
      for (const node of nodes.slice(1)) this.note(node, `link "${shortened(name)}" has two catch events`);
      const [first] = nodes;
      if (first !== undefined && !throws.has(name))
        this.note(first, `link "${shortened(name)}" has no throw event of this name in its scope`);
    }
  }

  private eventSubs() {
    const codes = new Map<string, FlowNode>();
    for (const node of this.scope.nodes) {
      if (node.inner === null || !isEventSub(node)) continue;
      const starts = node.inner.nodes.filter(({ type }) => type === 'startEvent');
      const [start] = starts;
      if (starts.length !== 1 || start?.events.length !== 1) {
        this.note(node, `event sub-process "${nameOf(node)}" needs exactly one start event, with an event`);
        continue;
      }
      const [event] = start.events;
      if (event?.kind !== 'error') continue;
      const code = String(eventSpec(event, this.definitions)['code'] ?? '');
      if (codes.has(code))
        this.note(
          node,
          `two event sub-processes catch the error ${code === '' ? 'without a code' : `"${shortened(code)}"`}`,
        );
      else codes.set(code, node);
    }
  }

  private associations() {
    for (const node of this.scope.nodes) {
      if (node.type !== 'boundaryEvent' || node.events[0]?.kind !== 'compensate') continue;
      const target = this.definitions.associations.get(node.id);
      const handler = target === undefined ? undefined : this.own.get(target);
      if (handler === undefined || !ACTIVITIES.has(handler.type))
        this.note(node, `compensation event "${nameOf(node)}" has no association with a handler`);
    }
  }
}

const isThrowLink = ({ type, events }: FlowNode): boolean =>
  type === 'intermediateThrowEvent' && events[0]?.kind === 'link';
