import { useMemo, useRef } from 'preact/hooks';
import type { Json } from '../../../src/model/json.ts';
import { bodiesAlive, type Called, calledOf, foreignTrees, withBodies } from '../../picture/bodies.ts';
import type { Place } from '../../picture/figure.ts';
import { FOLD_ALL } from '../../picture/layout.ts';
import type { Standing } from '../../picture/standing.ts';

const NOTHING: Called = new Map();

/** The figure with the bodies of those calls that are open: by a person, or at first because something is alive in them. */
export function useBodies(
  plain: Place | null,
  { open, fold }: { readonly open: readonly string[]; readonly fold: readonly string[] },
  standing: Standing | null,
): Place | null {
  // Trees of calls stay known when they are over: what was drawn is not taken away.
  const foreign = useRef<{ readonly plain: Place | null; readonly trees: ReadonlyMap<string, Json> }>({
    plain: null,
    trees: new Map(),
  });
  if (foreign.current.plain !== plain) foreign.current = { plain, trees: new Map() };
  const found = standing === null ? [] : [...foreignTrees(standing.expressions)];
  if (found.some(([call]) => !foreign.current.trees.has(call)))
    foreign.current = { plain, trees: new Map([...found, ...foreign.current.trees]) };
  const { trees } = foreign.current;
  const called = useMemo(() => (plain === null ? NOTHING : calledOf(plain, trees)), [plain, trees]);
  const first = useRef<{ readonly plain: Place; readonly alive: ReadonlySet<string> } | null>(null);
  if (plain !== null && standing !== null && first.current?.plain !== plain)
    first.current = { plain, alive: bodiesAlive(called, standing.expressions) };
  const alive = first.current?.alive;
  return useMemo(
    () =>
      plain === null
        ? null
        : withBodies(
            plain,
            called,
            (call) =>
              !fold.includes(call) &&
              (open.includes(call) || (!fold.includes(FOLD_ALL) && (alive?.has(call) ?? false))),
          ),
    [plain, called, alive, open.join(), fold.join()],
  );
}
