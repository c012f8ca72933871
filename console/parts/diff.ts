/* What differs between two texts, line by line, and between two sets of fields. */

import type { Json, JsonObject } from '../../src/model/json.ts';

export type Line = { readonly kind: ' ' | '+' | '-'; readonly text: string };

/** Beyond so many lines on one side the rest is told as gone and added as a whole. */
const LINES_MAX = 2_000;

/** The longest lines they have in common stay; all others are gone or added. */
export function diffOf(before: string, after: string): readonly Line[] {
  const a = before.split('\n');
  const b = after.split('\n');
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const same = (lines: readonly string[]): readonly Line[] => lines.map((text) => ({ kind: ' ', text }));
  return [
    ...same(a.slice(0, head)),
    ...middle(a.slice(head, a.length - tail), b.slice(head, b.length - tail)),
    ...same(a.slice(a.length - tail)),
  ];
}

function middle(a: readonly string[], b: readonly string[]): readonly Line[] {
  if (a.length > LINES_MAX || b.length > LINES_MAX)
    return [...a.map((text): Line => ({ kind: '-', text })), ...b.map((text): Line => ({ kind: '+', text }))];
  // How many lines are in common from i and j on.
  const width = b.length + 1;
  const common = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      common[i * width + j] =
        a[i] === b[j]
          ? (common[(i + 1) * width + j + 1] ?? 0) + 1
          : Math.max(common[(i + 1) * width + j] ?? 0, common[i * width + j + 1] ?? 0);
  const lines: Line[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length)
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ kind: ' ', text: a[i] ?? '' });
      i++;
      j++;
    } else if (
      j >= b.length ||
      (i < a.length && (common[(i + 1) * width + j] ?? 0) >= (common[i * width + j + 1] ?? 0))
    )
      lines.push({ kind: '-', text: a[i++] ?? '' });
    else lines.push({ kind: '+', text: b[j++] ?? '' });
  return lines;
}

export type FieldChange = {
  readonly name: string;
  readonly before: Json | undefined;
  readonly after: Json | undefined;
};

/** Top-level fields that differ. */
export function fieldChanges(before: JsonObject, after: JsonObject): readonly FieldChange[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names]
    .filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
    .map((name) => ({ name, before: before[name], after: after[name] }));
}

export type Merged = {
  readonly name: string;
  readonly before: Json | undefined;
  readonly theirs: Json | undefined;
  readonly mine: Json | undefined;
  /** Both have changed it, and not to the same. */
  readonly conflict: boolean;
};

/** Every top-level field that somebody has changed since `before`. */
export function mergeOf(before: JsonObject, theirs: JsonObject, mine: JsonObject): readonly Merged[] {
  const text = (value: Json | undefined): string => JSON.stringify(value) ?? '';
  return [...new Set([...Object.keys(before), ...Object.keys(theirs), ...Object.keys(mine)])].flatMap((name) => {
    const [a, b, c] = [text(before[name]), text(theirs[name]), text(mine[name])];
    return a === b && a === c
      ? []
      : [
          {
            name,
            before: before[name],
            theirs: theirs[name],
            mine: mine[name],
            conflict: a !== b && a !== c && b !== c,
          },
        ];
  });
}
