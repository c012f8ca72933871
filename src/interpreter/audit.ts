import { SEND_ID } from '../model/events.ts';
import type { Fields } from '../model/json.ts';
import { isOver } from '../model/rows.ts';
import type { Loaded } from '../model/stimulus.ts';
import { isResult } from './expressions/bpmn/activity.ts';
import { KEPT_SCOPE } from './expressions/bpmn/waits.ts';
import { UNDO_SCOPE } from './life/undoing.ts';
import { CONTINUATION } from './queue.ts';
import { decodeHeader, decodeRoot, decodeRow } from './state/encoding.ts';
import { baseFields, deliveredFields } from './state/fields.ts';
import { heldIn, readAll } from './state/held.ts';
import { decodeMessages, decodeQueue } from './state/messages.ts';
import type { Message, Node, Strand } from './state/state.ts';
import { ROOT } from './state/state.ts';

/*
 * An audit of all rows of one workflow, as any step leaves them: what the header and the forks count is what the rows hold, everything that
 * hangs on an expression belongs to a live one, and nothing is left behind when the workflow is over.
 */

/** Everything that does not add up, one line each; none: the rows are sound. `loaded` holds every row of the workflow. */
export function auditRows(loaded: Loaded): readonly string[] {
  const { workflow } = loaded;
  if (workflow === null) return [];
  const lines: string[] = [];
  const same = (what: string, counted: unknown, held: unknown): void => {
    if (counted !== held) lines.push(`${what}: counted ${String(counted)}, held ${String(held)}`);
  };
  const header = decodeHeader(workflow.header);
  const baseOf = (scope: string): ReturnType<typeof baseFields> | null => {
    const row = loaded.variables.get(`${scope} ^`);
    if (row === undefined) lines.push(`the base of ${scope} is missing`);
    return row === undefined ? {} : baseFields(row.value);
  };
  const root = decodeRoot(workflow, (id) => {
    const row = loaded.workitems.get(id);
    if (row?.fields != null && row.state !== 'closed') return heldIn(row, deliveredFields(row, null));
    lines.push(`${id} left its fields to a workitem that has none`);
    return { applied: {}, participant: '', params: {} };
  });
  for (const node of root.nodes) readAll(node);
  const others = [...loaded.strands.values()].map((row) => decodeRow(row, row.base === null ? null : baseOf(row.base)));
  const strands = [root, ...others];
  const nodes = strands.flatMap((strand) => strand.nodes.map((node) => ({ strand, node })));
  const live = new Map(nodes.map((each) => [each.node.id, each]));
  const continuation = loaded.agenda.get(CONTINUATION);
  const queue = messagesOf(loaded, baseOf, lines);
  for (const row of loaded.agenda.values()) if (row.kind === 'answer') queue.push(...decodeMessages(row.payload));

  same('header.continuing', header.continuing, continuation !== undefined);
  same('header.expressions', header.expressions, nodes.length);
  same('two expressions of one id', nodes.length, live.size);
  same('header.strands', header.strands, strands.filter((strand) => isAlive(strand, queue)).length);
  same(
    'header.roots',
    header.roots,
    others.filter((strand) => strand.kind === 'forgotten' && strand.arrival === null).length,
  );
  const broken = [...loaded.errors.values()].filter((row) => row.class === 'InternalError' && !live.has(row.id)).length;
  same('header.errors', header.errors, loaded.errors.size);
  same('expressions with an error', nodes.filter(({ node }) => node.hasError).length, loaded.errors.size - broken);
  same('header.listeners', header.listeners, loaded.listeners.size);
  same('expressions that listen', nodes.flatMap(({ node }) => listensAs(node)).length, loaded.listeners.size);
  // Of BPMN some wait that nobody outside can say; they are not counted, and yet taken off.
  if (header.waiters > loaded.waiters.size)
    lines.push(`header.waiters: counted ${header.waiters}, held ${loaded.waiters.size}`);
  const kept = [...loaded.variables.values()].filter(({ scope }) => scope === KEPT_SCOPE).length;
  same('header.messages', header.messages, kept);
  same('header.answers', header.answers, [...loaded.agenda.values()].filter((row) => row.kind === 'answer').length);
  lines.push(...auditHangers(loaded, live), ...auditTags(header.tags, nodes));
  for (const strand of strands) lines.push(...auditStrand(strand, strands, live, queue));
  if (isOver(workflow.status)) lines.push(...leftBehind(loaded, nodes.length));
  return lines;
}

/** What waits for the next turn, also what was set down beside it; each text belongs to a message that waits. */
function messagesOf(loaded: Loaded, baseOf: (scope: string) => Fields | null, lines: string[]): Message[] {
  const texts = new Map(
    [...loaded.agenda.values()].filter((row) => row.kind === 'continue').map((row) => [row.id, row]),
  );
  const continuation = texts.get(CONTINUATION);
  texts.delete(CONTINUATION);
  const waiting = continuation === undefined ? [] : decodeQueue(continuation.payload, baseOf);
  const queue = waiting.flatMap((message) => {
    if (message.kind !== 'set_down') return [message];
    const text = texts.get(message.row);
    texts.delete(message.row);
    if (text !== undefined) return decodeMessages(text.payload, baseOf);
    lines.push(`the text of a message that waits is missing: ${message.row}`);
    return [];
  });
  for (const id of texts.keys()) lines.push(`the text of no message that waits: ${id}`);
  return queue;
}

type Live = ReadonlyMap<string, { readonly strand: Strand; readonly node: Node }>;

const isAlive = (strand: Strand, queue: readonly Message[]): boolean =>
  strand.arrival === null && (strand.nodes.length > 0 || growing(strand.path, queue));

/** Whether an expression is about to be applied in a strand that is empty for the moment. */
const growing = (path: string, queue: readonly Message[]): boolean =>
  queue.some((message) => message.kind === 'apply' && message.fresh === null && message.path === path);

/** The ids of the rows by which an expression listens; of BPMN one for each key it is armed under. */
const listensAs = (node: Node): readonly string[] => [
  ...(node.hasListener ? [node.id] : []),
  ...((node.data['armed'] ?? []) as readonly string[]).map((on) => `${node.id}#${on}`),
];
const ownerOf = (id: string): string => id.split('#')[0] ?? id;

/** Rows that hang on expressions: each belongs to a live one that knows of it, in the strand the row names. */
function auditHangers(loaded: Loaded, live: Live): string[] {
  const lines: string[] = [];
  const belongs = (what: string, id: string, path: string | null, knows: (node: Node) => boolean): void => {
    const owner = live.get(id);
    if (owner === undefined) lines.push(`${what} of ${id}, which is not alive`);
    else if (path !== null && owner.strand.path !== path)
      lines.push(`${what} of ${id} is said to be in strand ${path}, but is in ${owner.strand.path}`);
    else if (!knows(owner.node)) lines.push(`${what} of ${id}, which does not know of it`);
  };
  for (const row of loaded.workitems.values())
    if (row.state !== 'closed') belongs('workitem', row.id, row.path, (node) => node.hasWorkitem);
  for (const row of loaded.listeners.values())
    belongs('listener', ownerOf(row.id), row.path, (node) => listensAs(node).includes(row.id));
  for (const row of loaded.waiters.values()) {
    const isKnown = (node: Node): boolean => node.data['waits'] !== undefined || listensAs(node).includes(row.id);
    belongs('waiter', ownerOf(row.id), row.path, isKnown);
  }
  for (const row of loaded.errors.values())
    if (row.class !== 'InternalError') belongs('error', row.id, row.path, (node) => node.hasError);
  for (const row of loaded.agenda.values()) {
    if (row.kind !== 'timer') continue;
    const { id, path } = JSON.parse(row.payload) as { readonly id: string; readonly path: string };
    if (path !== row.path) lines.push(`timer ${row.id} names two strands: ${path} and ${row.path}`);
    belongs(
      'timer',
      id,
      path,
      (node) => node.schedule === row.id || node.timers.some((each) => each.agenda === row.id),
    );
  }
  // What participants have done, to be undone, belongs to the workflow, and so do messages that are kept.
  for (const { name, scope } of loaded.variables.values())
    if (name !== '^' && scope !== UNDO_SCOPE && scope !== KEPT_SCOPE)
      belongs(`variable ${name}`, scope, null, ({ data, scope: own }) =>
        isResult(name) ? data['kept'] === true : own?.spilled === true,
      );
  for (const { node } of live.values()) {
    const opened = loaded.workitems.get(node.id);
    if (node.hasWorkitem && (opened === undefined || opened.state === 'closed'))
      lines.push(`${node.id} holds a workitem that is not open`);
    if (node.hasError && !loaded.errors.has(node.id)) lines.push(`${node.id} has an error that is not there`);
    for (const id of listensAs(node))
      if (!loaded.listeners.has(id)) lines.push(`${node.id} has a listener ${id} that is not there`);
    for (const agenda of [
      ...node.timers.map((timer) => timer.agenda),
      ...(node.schedule === null ? [] : [node.schedule]),
    ])
      if (!loaded.agenda.has(agenda)) lines.push(`${node.id} has a timer ${agenda} that is not there`);
  }
  return lines;
}

/** Tags beyond the number shown are not counted, so there may be more live ones than the header tells. */
function auditTags(counted: { readonly [tag: string]: number }, nodes: readonly { readonly node: Node }[]): string[] {
  const held = new Map<string, number>();
  for (const { node } of nodes) if (node.fullTag !== null) held.set(node.fullTag, (held.get(node.fullTag) ?? 0) + 1);
  return Object.entries(counted).flatMap(([tag, count]) =>
    count > 0 ? [] : [`tag ${tag} is counted ${count} times, held ${held.get(tag) ?? 0}`],
  );
}

/** Whether a cancel of the first expression of a strand is under way. */
const isCancelled = (path: string, { parent, at }: Strand, queue: readonly Message[]): boolean =>
  queue.some(
    (message) =>
      (message.kind === 'cancel' && message.to.path === path) ||
      (message.kind === 'cancel_children' && message.to.path === parent && message.to.id === at),
  );

function auditStrand(strand: Strand, strands: readonly Strand[], live: Live, queue: readonly Message[]): string[] {
  const lines: string[] = [];
  const { path, nodes } = strand;
  if (strand.arrival !== null && nodes.length > 0) lines.push(`strand ${path} has arrived, but has live expressions`);
  if (strand.arrival === null && nodes.length === 0 && path !== ROOT && !growing(path, queue))
    lines.push(`strand ${path} is empty`);
  if (strand.at !== '') {
    const above = live.get(strand.at);
    if (above === undefined) {
      // Whoever ends without waiting for what runs below has told it to end: it does, or runs a last handler.
      const [first] = nodes;
      const isEnding =
        first === undefined || first.state !== null || first.trigger !== null || isCancelled(path, strand, queue);
      if (strand.arrival === null && !isEnding)
        lines.push(`${strand.kind} ${path} hangs below ${strand.at}, which is gone`);
    } else if (above.strand.path !== strand.parent)
      lines.push(`strand ${path} is said to hang below ${strand.parent}, but ${strand.at} is in ${above.strand.path}`);
  }
  for (const [at, node] of nodes.entries()) {
    const next = nodes[at + 1];
    if (next !== undefined && node.child !== next.id)
      lines.push(`${node.id} in strand ${path} has the child ${node.child}, followed by ${next.id}`);
    lines.push(...auditCounters(strand, node, strands, live, queue));
  }
  return lines;
}

/** `children` and `branches` of an expression, held against strands and the messages that are under way. */
function auditCounters(
  strand: Strand,
  node: Node,
  strands: readonly Strand[],
  live: Live,
  queue: readonly Message[],
): string[] {
  const lines: string[] = [];
  const isBelow = (each: Strand): boolean =>
    each.parent === strand.path && each.at === node.id && each.arrival === null;
  const coming = queue.filter(
    (message) => message.kind === 'apply' && message.fresh !== null && message.parent?.id === node.id,
  );
  const born = (kind: Strand['kind']): number =>
    strands.filter((each) => isBelow(each) && each.kind === kind).length +
    coming.filter((message) => message.kind === 'apply' && message.fresh?.strandKind === kind).length;
  if (born('branch') !== node.branches)
    lines.push(`${node.id}: branches counted ${node.branches}, held ${born('branch')}`);
  if (born('flank') !== node.flanks) lines.push(`${node.id}: flanks counted ${node.flanks}, held ${born('flank')}`);
  const replying = queue.filter(
    (message) => message.kind === 'reply' && message.to.id === node.id && message.by === 'branch',
  ).length;
  const child = node.child === null ? 0 : 1;
  if (node.children !== child + node.branches + replying)
    lines.push(
      `${node.id}: children counted ${node.children}, held ${child} + ${node.branches} branches + ${replying} replies`,
    );
  if (node.child !== null && !live.has(node.child)) {
    const id = node.child;
    const underWay = queue.some(
      (message) => (message.kind === 'apply' && message.id === id) || (message.kind === 'reply' && message.from === id),
    );
    if (!underWay) lines.push(`${node.id} waits for ${id}, which is neither alive nor under way`);
  }
  return lines;
}

function leftBehind(loaded: Loaded, expressions: number): string[] {
  const left: string[] = [];
  if (expressions > 0) left.push(`${expressions} expressions`);
  // An event that was sent goes its way, whatever becomes of its sender.
  for (const kind of ['strands', 'agenda', 'errors', 'listeners'] as const)
    for (const key of loaded[kind].keys())
      if (kind !== 'agenda' || !key.startsWith(SEND_ID)) left.push(`${kind} ${key}`);
  // Nobody asks for messages that are kept any more; they go with the workflow.
  for (const { name, scope } of loaded.variables.values())
    if (name !== '^' && scope !== KEPT_SCOPE) left.push(`variable ${scope} ${name}`);
  for (const row of loaded.workitems.values()) if (row.state !== 'closed') left.push(`workitem ${row.id}`);
  return left.map((each) => `left behind: ${each}`);
}
