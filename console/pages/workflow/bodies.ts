import { useMemo, useRef } from 'preact/hooks';
import { bodiesAlive, calledOf, withBodies } from '../../picture/bodies.ts';
import type { Place } from '../../picture/figure.ts';
import { FOLD_ALL } from '../../picture/layout.ts';
import type { Standing } from '../../picture/standing.ts';

const NOTHING: ReadonlyMap<string, Place> = new Map();

/** The figure with the bodies of those calls that are open: by a person, or at first because something is alive in them. */
export function useBodies(
  plain: Place | null,
  { open, fold }: { readonly open: readonly string[]; readonly fold: readonly string[] },
  standing: Standing | null,
): Place | null {
  const called = useMemo(() => (plain === null ? NOTHING : calledOf(plain)), [plain]);
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
