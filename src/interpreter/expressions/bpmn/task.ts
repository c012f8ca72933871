import { LanguageError } from '../../../language/language-error.ts';
import { type Fields, isObject, type Json, type JsonObject, ownValue } from '../../../model/json.ts';
import { refOf } from '../../life/branches.ts';
import { firstKnown } from '../../life/participants.ts';
import type { Acting, Expression } from '../../state/world.ts';
import { answerOf, beginActivity, completeActivity, deliveredTo, isAsked, replyToMany } from './activity.ts';
import { common } from './family.ts';
import { react } from './flow.ts';
import { asPayload, happeningIn } from './happening.ts';
import { eventOf, feel, list, meant, of, passed, setOutside, text, treeOf, visible } from './parts.ts';
import { sendMessage, throwError, throwFailure } from './throwing.ts';
import { arm } from './waits.ts';

/** Asks the participant of a task. */
export function ask(x: Acting): void {
  const { node, world } = x;
  const tree = treeOf(x);
  const params = paramsOf(x);
  const candidates = [text(tree, 'id'), ...candidatesOf(x)];
  node.applied = deliveredTo(x);
  node.data = { ...node.data, participant: participantOf(x, candidates), params };
  world.send({ kind: 'dispatch', to: refOf(x) });
}

/** The first candidate with a callback of its own; with one callback for all the element's id. */
function participantOf(x: Acting, candidates: readonly string[]): string {
  const named = firstKnown(x.world, candidates);
  if (named !== null) return named;
  throw new LanguageError(
    'MissingCallbackUrl',
    `no participant of ${candidates.map((each) => `'${each}'`).join(', ')} has a callback URL: the launch gave none for these names`,
  );
}

function candidatesOf(x: Acting): readonly string[] {
  const names: string[] = [];
  for (const written of list(treeOf(x), 'names') as readonly string[]) {
    const value = meant(x, written);
    if (Array.isArray(value)) names.push(...(value as readonly Json[]).map(String));
    else if (typeof value === 'string' && written.trimStart().startsWith('='))
      names.push(...value.split(',').map((each) => each.trim()));
    else if (value !== null) names.push(String(value));
  }
  return names;
}

function paramsOf(x: Acting): JsonObject {
  const tree = treeOf(x);
  const written = of(tree, 'params');
  const params: Fields = {
    ref: text(tree, 'id'),
    element: text(tree, 'id'),
    element_name: tree.attributes.get('name') ?? null,
    element_type: text(tree, 'type'),
    definition: x.world.header.wfName,
  };
  if (!isObject(written)) return params;
  const more = Object.entries(written).map(
    ([key, value]) => [key, typeof value === 'string' && key !== 'script' ? meant(x, value) : (value as Json)] as const,
  );
  return Object.fromEntries([...Object.entries(params), ...more]);
}

const WAITS: ReadonlySet<string> = new Set(['receiveTask']);

function work(x: Acting): void {
  const tree = treeOf(x);
  const event = eventOf(tree);
  const script = of(tree, 'script');
  if (Array.isArray(script)) {
    const [expression = '', target = ''] = script as readonly string[];
    const value = feel(x, expression);
    if (target !== '') setOutside(x, target, value);
    completeActivity(x, {});
  } else if (WAITS.has(text(tree, 'type')) && event !== null) {
    const happening = happeningIn(x.node.applied);
    if (happening !== null) completeActivity(x, happening.fields);
    else arm(x, 'e0', event, false);
  } else if (event !== null) {
    send(x);
    completeActivity(x, {});
  } else if (of(tree, 'names') !== null) ask(x);
  else {
    passed(x);
    completeActivity(x, {});
  }
}

/** A message goes out inside Rota; with the mapped inputs as its variables. */
export function send(x: Acting): void {
  const event = eventOf(treeOf(x));
  if (event === null) return;
  const name = meant(x, String(event['name']));
  const written = event['key'];
  const key = typeof written === 'string' ? meant(x, written) : null;
  sendMessage(x, String(name), key === null ? null : typeof key === 'string' ? key : JSON.stringify(key), localsOf(x));
}

function localsOf(x: Acting): Fields {
  return x.node.scope === null ? {} : Object.fromEntries([...x.node.scope.own] as [string, Json][]);
}

export const task: Expression = {
  ...common,
  names: ['bpmn:task'],
  apply: (x) => beginActivity(x, () => work(x)),
  fork: isAsked,
  reply: (x, reply) => {
    if (x.node.data['many'] !== undefined) {
      if (replyToMany(x, reply)) return;
    }
    const from = String(reply.from);
    if (from === '@e0') completeActivity(x, reply.fields);
    else if (from.startsWith('@')) react(x, from.slice(1), asPayload({ fields: reply.fields }));
    else completeActivity(x, answerOf(x, reply.fields));
  },
};

export const call: Expression = {
  ...common,
  names: ['bpmn:call'],
  apply: (x) => beginActivity(x, () => callDefinition(x)),
  fork: isAsked,
  reply: (x, reply) => {
    if (x.node.data['many'] !== undefined && replyToMany(x, reply)) return;
    const from = String(reply.from);
    if (from.startsWith('@')) react(x, from.slice(1), asPayload({ fields: reply.fields }));
    else back(x, reply.fields);
  },
};

type Called = { readonly name: string; readonly version?: string; readonly down: boolean; readonly up: boolean };

/** A stored definition, or a process of the same file, in a scope of its own within the same workflow. */
function callDefinition(x: Acting): void {
  const { node, strand, world } = x;
  const called = of(treeOf(x), 'call') as unknown as Called;
  const name = String(meant(x, called.name) ?? '');
  const { root } = node.tree;
  const calls = world.tree({ root, path: '' }).attributes.get('calls');
  const at = isObject(calls) && called.version === undefined ? ownValue(calls, name) : undefined;
  const version = called.version === undefined ? '' : textOf(meant(x, called.version));
  const stored = world.stored(version === '' ? name : `${name}@${version}`);
  const tree =
    stored !== null ? { root: stored.hash, path: '' } : typeof at === 'number' ? { root, path: String(at) } : null;
  if (tree === null)
    throw new LanguageError(
      'UnknownDefinition',
      `there is no stored definition "${name}"${version === '' ? '' : ` of version ${version}`}`,
    );
  const given = called.down ? visible(x) : localsOf(x);
  node.applied = given;
  node.children++;
  const id = world.freshId('0');
  node.child = id;
  strand.touched = true;
  world.send({
    kind: 'apply',
    parent: refOf(x),
    path: strand.path,
    fresh: null,
    id,
    tree,
    fields: given,
    variables: new Map(Object.entries(given) as [string, Json][]),
    launch: true,
    flanking: false,
    place: null,
  });
}

const textOf = (value: Json): string => (typeof value === 'string' ? value : JSON.stringify(value));

function back(x: Acting, fields: Fields): void {
  const called = of(treeOf(x), 'call') as unknown as Called;
  const hasOutput = list(treeOf(x), 'output').length > 0;
  completeActivity(x, called.up || hasOutput ? answerOf(x, fields) : {});
}

/** A participant gives up: with a code it is an error of BPMN, without one it waits for a person, unless a failure is caught. */
export function participantFails(x: Acting, code: string | null, message: string, fields: Fields): boolean {
  return code === null ? throwFailure(x, message, fields) : throwError(x, code, message, fields);
}
