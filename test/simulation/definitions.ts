import { readdirSync, readFileSync } from 'node:fs';
import { readDefinition } from '../../src/definition/read.ts';
import type { Json } from '../../src/model/json.ts';
import { makeTree, type Tree } from '../../src/model/tree.ts';
import type { Random } from './scheduler.ts';

/*
 * Definitions for a simulated world: the examples that come with the server, and definitions made up at random from everything that
 * waits, forks, repeats, times out and recovers. None of them can go round for ever without waiting for somebody.
 */

export const PARTICIPANTS: readonly string[] = ['ann', 'ben', 'cleo', 'dan', 'eve', 'fay'];
/** Expressions of one definition, roughly. */
const SIZE_MAX = 24;
const DEPTH_MAX = 5;
const TAGS: readonly string[] = ['stage', 'review', 'extra'];
const SUBPROCESSES: readonly string[] = ['sub_one', 'sub_two'];

const examples: readonly Tree[] = readExamples();

function readExamples(): readonly Tree[] {
  const folder = new URL('../../examples/', import.meta.url);
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => (entry.isFile() && /\.(radial|xml|json)$/.test(entry.name) ? [entry.name] : []))
    .sort()
    .map((file) => {
      const read = readDefinition(readFileSync(new URL(file, folder), 'utf8'));
      if (!read.ok) throw new Error(`The example ${file} cannot be read`);
      return read.tree;
    });
}

type Attribute = readonly [string, Json];

/** A fork so wide that it goes in turns, and that its branches share what they were born with when that is large. */
function wide(random: Random): Tree {
  const call = makeTree(random.pick(PARTICIPANTS), [['task', 'do ${i}']]);
  const step = makeTree('set', [['f:seen', '${i}']]);
  const fork = makeTree(
    'concurrent_iterator',
    [
      ['times', random.pick([20, 70])],
      ['to', 'i'],
      ['merge_type', random.pick(['override', 'isolate', 'concat'])],
      ...(random.chance(0.5) ? [['count', random.between(1, 70)] as const] : []),
      ['remaining', random.pick(['cancel', 'wait', 'forget'])],
      ...(random.chance(0.3) ? [['timeout', '20s'] as const] : []),
    ],
    random.chance(0.5) ? [call] : [step, call, step],
  );
  return makeTree('define', [['name', 'wide']], [fork, makeTree('ann')]);
}

export function makeDefinition(random: Random): Tree {
  const kind = random.fraction();
  if (kind < 0.12) return random.pick(examples);
  if (kind < 0.14) return wide(random);
  let size = random.between(2, SIZE_MAX);
  // One that calls itself in two branches would grow without end: only what was defined before can be called.
  const bound: string[] = [];

  const participant = (): string => random.pick(PARTICIPANTS);
  const seconds = (low: number, high: number): string => `${random.between(low, high)}s`;
  const bare = (name: string, ...attributes: readonly Attribute[]): Tree => makeTree(name, attributes);
  const call = (): Tree => bare(participant(), ['task', 'do ${a}']);

  function children(depth: number, low: number, high: number): readonly Tree[] {
    const count = random.between(low, high);
    return Array.from({ length: count }, () => expression(depth + 1));
  }

  function expression(depth: number): Tree {
    size -= 1;
    const tree = size <= 0 || depth >= DEPTH_MAX ? leaf() : random.chance(0.55) ? leaf() : fork(depth);
    return withCommon(tree, depth);
  }

  function leaf(): Tree {
    const kind = random.between(0, 99);
    if (kind < 60) return call();
    if (kind < 68) return bare('wait', [seconds(1, 12), null]);
    if (kind < 74) return bare('set', [`f:${random.pick(['a', 'b', 'c'])}`, random.between(0, 9)]);
    if (kind < 78) return bare('inc', [random.pick(['v:n', 'v:/n', 'm']), null]);
    if (kind < 81) return bare('noop');
    if (kind < 84) return bare('error', ['it went wrong', null]);
    if (kind < 90 && bound.length > 0) return bare(random.pick(bound));
    if (kind < 92) return bare('undo', [random.pick(TAGS), null]);
    if (kind < 94)
      return bare('await', [random.pick(['in_tag', 'left_tag']), random.pick(TAGS)], ['global', random.chance(0.5)]);
    if (kind < 96) return bare('await', ['participant', participant()], ['global', random.chance(0.7)]);
    if (kind < 97) return random.chance(0.5) ? bare('stall') : makeTree('every', [['interval', '17s']], [call()]);
    if (kind < 98) return bare('cancel_process');
    return call();
  }

  function fork(depth: number): Tree {
    const kind = random.between(0, 99);
    if (kind < 30) return makeTree('sequence', [], children(depth, 1, 4));
    if (kind < 55) return makeTree('concurrence', merging(), children(depth, 2, 4));
    if (kind < 63)
      return makeTree(
        'iterator',
        [
          ['on', 'x, y, z'],
          ['to', 'v:i'],
        ],
        children(depth, 1, 2),
      );
    if (kind < 75) {
      const over: Attribute = random.chance(0.5) ? ['times', random.between(1, 5)] : ['on', 'p, q, r'];
      return makeTree('concurrent_iterator', [over, ['to', 'i'], ...merging()], children(depth, 1, 2));
    }
    if (kind < 85)
      return makeTree(
        'cursor',
        [],
        [
          ...children(depth, 0, 2),
          bare('reviewer'),
          bare('rewind', ['unless', '${verdict} == accept']),
          ...children(depth, 0, 1),
        ],
      );
    if (kind < 89)
      return makeTree('repeat', [], [call(), bare('reviewer'), bare('break', ['if', '${verdict} == accept'])]);
    if (kind < 93) return makeTree('if', [['test', '${a} == 1']], children(depth, 1, 2));
    if (kind < 96) return makeTree('reserve', [['mutex', random.pick(['m1', 'm2'])]], children(depth, 1, 1));
    if (kind < 98) return makeTree('let', [], children(depth, 1, 3));
    return makeTree(
      'listen',
      [
        ['to', participant()],
        ['upon', random.pick(['apply', 'reply'])],
      ],
      random.chance(0.5) ? [bare('noop')] : [],
    );
  }

  function merging(): readonly Attribute[] {
    const attributes: Attribute[] = [];
    if (random.chance(0.4)) attributes.push(['count', random.between(-1, 3)]);
    if (random.chance(0.5)) attributes.push(['merge', random.pick(['first', 'last', 'highest', 'lowest'])]);
    if (random.chance(0.5))
      attributes.push([
        'merge_type',
        random.pick(['override', 'mix', 'isolate', 'stack', 'union', 'ignore', 'concat', 'deep']),
      ]);
    if (random.chance(0.4)) attributes.push(['remaining', random.pick(['cancel', 'forget', 'wait'])]);
    if (random.chance(0.1)) attributes.push(['over_if', '${verdict} == accept']);
    return attributes;
  }

  /** Attributes that any expression can have. */
  function withCommon(tree: Tree, depth: number): Tree {
    const added: Attribute[] = [];
    const handler = (): Json => random.pick([participant(), participant(), 'pass', 'undo']);
    if (random.chance(0.15)) {
      added.push(['timeout', seconds(1, 25)]);
      if (random.chance(0.6)) added.push(['on_timeout', random.pick([participant(), participant(), 'error', 'undo'])]);
    } else if (random.chance(0.04))
      added.push(['timers', `${seconds(1, 9)}: ${participant()}, ${seconds(10, 20)}: timeout`]);
    if (random.chance(0.1)) added.push(['on_error', random.pick([handler(), 'retry * 2, pass'])]);
    if (random.chance(0.1)) added.push(['on_cancel', handler()]);
    if (random.chance(0.12)) added.push(['tag', random.pick(TAGS)]);
    if (depth > 0 && random.chance(0.03)) added.push(['forget', true]);
    if (depth > 0 && random.chance(0.03)) added.push(['flank', true]);
    if (depth > 0 && random.chance(0.01)) added.push(['lose', true]);
    if (random.chance(0.03)) added.push(['if', '${a} == 1']);
    if (random.chance(0.02)) added.push(['scope', true]);
    return added.length === 0 ? tree : { ...tree, attributes: new Map([...tree.attributes, ...added]) };
  }

  const bodies = SUBPROCESSES.filter(() => random.chance(0.3)).map((name) => {
    const body = makeTree('define', [['name', name]], children(3, 1, 2));
    bound.push(name);
    return body;
  });
  const root = withCommon(makeTree('define', [['name', 'made_up']], [...bodies, ...children(0, 1, 4)]), 0);
  return root;
}
