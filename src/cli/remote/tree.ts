/** A tree as the server shows it: name, attributes, children. */
export type Branch = readonly [string, Readonly<Record<string, unknown>>, readonly unknown[]];

/** Lines of one tree; a larger one is cut, for nobody reads more on a terminal. */
const LINES_MAX = 2_000;

/**
 * A tree as indented lines, each live expression with its state and each workitem with its id.
 *
 * @param live states by expid (`0_1_0`)
 * @param holders ids of workitems by expid
 */
export function treeLines(
  tree: Branch,
  live: ReadonlyMap<string, string>,
  holders: ReadonlyMap<string, string>,
): readonly string[] {
  const lines: string[] = [];
  const open: { readonly branch: Branch; readonly expid: string; readonly depth: number }[] = [
    { branch: tree, expid: '0', depth: 0 },
  ];
  for (let next = open.pop(); next !== undefined && lines.length < LINES_MAX; next = open.pop()) {
    const { branch, expid, depth } = next;
    const [name, attributes, children] = branch;
    const state = live.get(expid);
    const workitem = holders.get(expid);
    const marks = [state === undefined ? '' : `  <- ${state}`, workitem === undefined ? '' : `  ${workitem}`];
    lines.push(`${'  '.repeat(depth + 1)}${[name, ...attributesOf(attributes)].join(' ')}${marks.join('')}`);
    for (let index = children.length - 1; index >= 0; index--) {
      const child = children[index];
      if (isBranch(child)) open.push({ branch: child, expid: `${expid}_${index}`, depth: depth + 1 });
    }
  }
  if (open.length > 0) lines.push(`  … (more than ${LINES_MAX} lines; --json has all)`);
  return lines;
}

/** An attribute without a value is a word of its own, such as the name in `participant alpha`. */
const attributesOf = (attributes: Branch[1]): readonly string[] =>
  Object.entries(attributes).map(([name, value]) => (value === null ? name : `${name}: ${JSON.stringify(value)}`));

const isBranch = (value: unknown): value is Branch =>
  Array.isArray(value) && typeof value[0] === 'string' && typeof value[1] === 'object' && Array.isArray(value[2]);
