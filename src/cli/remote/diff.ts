/** Lines of context around a change. */
const CONTEXT = 3;
/** Pairs of lines that are compared; beyond that what differs is shown as taken out and put in whole. */
const PAIRS_MAX = 4_000_000;

type Line = { readonly sign: ' ' | '-' | '+'; readonly text: string };

/** What changed from one text to another as lines of a unified diff, without its head; none where they are equal. */
export function diffLines(before: readonly string[], after: readonly string[]): readonly string[] {
  const lines = compare(before, after);
  const isNear = lines.map((_, index) =>
    lines.slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1).some(({ sign }) => sign !== ' '),
  );
  const shown: string[] = [];
  let [oldLine, newLine] = [1, 1];
  for (const [index, { sign, text }] of lines.entries()) {
    if (isNear[index] === true) {
      if (isNear[index - 1] !== true) shown.push(`@@ -${oldLine} +${newLine} @@`);
      shown.push(sign + text);
    }
    if (sign !== '+') oldLine += 1;
    if (sign !== '-') newLine += 1;
  }
  return shown;
}

/** The longest common subsequence of lines, between the beginnings and ends that are the same anyway. */
function compare(before: readonly string[], after: readonly string[]): readonly Line[] {
  let head = 0;
  while (head < before.length && head < after.length && before[head] === after[head]) head += 1;
  let tail = 0;
  while (
    tail < before.length - head &&
    tail < after.length - head &&
    before[before.length - 1 - tail] === after[after.length - 1 - tail]
  )
    tail += 1;
  const same = (text: string): Line => ({ sign: ' ', text });
  return [
    ...before.slice(0, head).map(same),
    ...middle(before.slice(head, before.length - tail), after.slice(head, after.length - tail)),
    ...before.slice(before.length - tail).map(same),
  ];
}

function middle(before: readonly string[], after: readonly string[]): readonly Line[] {
  const width = after.length + 1;
  const out: readonly Line[] = before.map((text) => ({ sign: '-', text }));
  if (before.length * after.length > PAIRS_MAX) return [...out, ...after.map((text): Line => ({ sign: '+', text }))];
  // common[i * width + j]: lines that before.slice(i) and after.slice(j) share.
  const common = new Uint32Array((before.length + 1) * width);
  for (let i = before.length - 1; i >= 0; i--)
    for (let j = after.length - 1; j >= 0; j--)
      common[i * width + j] =
        before[i] === after[j]
          ? (common[(i + 1) * width + j + 1] ?? 0) + 1
          : Math.max(common[(i + 1) * width + j] ?? 0, common[i * width + j + 1] ?? 0);
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    const [old, fresh] = [before[i], after[j]];
    if (old !== undefined && old === fresh) {
      lines.push({ sign: ' ', text: old });
      i += 1;
      j += 1;
    } else if (
      old !== undefined &&
      (fresh === undefined || (common[(i + 1) * width + j] ?? 0) >= (common[i * width + j + 1] ?? 0))
    ) {
      lines.push({ sign: '-', text: old });
      i += 1;
    } else {
      lines.push({ sign: '+', text: fresh ?? '' });
      j += 1;
    }
  }
  return lines;
}
