import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { isObject, type Json } from '../../../src/model/json.ts';
import { call, part } from '../../api/calls.ts';
import { bodiesAlive, type Called, calledOf, foreignRoots, foreignTrees, withBodies } from '../../picture/bodies.ts';
import type { Place } from '../../picture/figure.ts';
import { FOLD_ALL } from '../../picture/layout.ts';
import type { LiveExpression, Standing } from '../../picture/standing.ts';

type Trees = ReadonlyMap<string, Json>;
const NOTHING: Called = new Map();
const NO_TREES: Trees = new Map();
/** Trees of stored definitions that are read for the bodies of one picture. */
const STORED_MAX = 20;

/**
 * The figure with the bodies of those calls that are open: by a person, or at first because something is alive in them.
 *
 * @param id the workflow of which trees are asked for that are told of no expression alone; left out: none are
 */
export function useBodies(
  plain: Place | null,
  { open, fold }: { readonly open: readonly string[]; readonly fold: readonly string[] },
  standing: Standing | null,
  id?: string,
): Place | null {
  const trees = useTrees(plain, standing, id);
  const called = useMemo(() => (plain === null ? NOTHING : calledOf(plain, trees)), [plain, trees]);
  // What was alive when the picture was made; its trees may come later.
  const first = useRef<{ readonly plain: Place; readonly alive: readonly LiveExpression[] } | null>(null);
  if (plain !== null && standing !== null && first.current?.plain !== plain)
    first.current = { plain, alive: standing.expressions };
  const alive = useMemo(() => bodiesAlive(called, first.current?.alive ?? []), [called, first.current]);
  return useMemo(
    () =>
      plain === null
        ? null
        : withBodies(
            plain,
            called,
            (call) => !fold.includes(call) && (open.includes(call) || (!fold.includes(FOLD_ALL) && alive.has(call))),
          ),
    [plain, called, alive, open.join(), fold.join()],
  );
}

/** The trees of calls that do not stand in the tree of the workflow. They stay known when the calls are over: what was drawn is not taken away. */
function useTrees(plain: Place | null, standing: Standing | null, id: string | undefined): Trees {
  // Null: there is none to be had.
  const [stored, setStored] = useState<ReadonlyMap<string, Json>>(NO_TREES);
  const kept = useRef<{ readonly plain: Place | null; readonly trees: Trees }>({ plain: null, trees: NO_TREES });
  if (kept.current.plain !== plain) kept.current = { plain, trees: NO_TREES };
  const told =
    standing === null
      ? []
      : [...foreignTrees(standing.expressions), ...[...stored].filter(([, tree]) => tree !== null)];
  if (told.some(([place]) => !kept.current.trees.has(place)))
    kept.current = { plain, trees: new Map([...told, ...kept.current.trees]) };
  const { trees } = kept.current;
  const wanted =
    standing === null || standing.n !== null || id === undefined
      ? []
      : foreignRoots(standing.expressions).filter(({ call: { expid } }) => !trees.has(expid) && !stored.has(expid));
  const next = trees.size < STORED_MAX ? wanted[0] : undefined;
  // One after the other: the next is wanted when this one is there.
  useEffect(() => {
    if (next === undefined || id === undefined) return;
    let isLeft = false;
    void call(`v1/workflows/${part(id)}/expressions/${part(next.root.id)}`).then((answer) => {
      // One that has ended meanwhile has no body to be drawn; the call says what is inside it either way.
      const tree = answer.ok && isObject(answer.value) ? (answer.value['tree'] ?? null) : null;
      if (!isLeft) setStored((before) => new Map([...before, [next.call.expid, tree]]));
    });
    return () => {
      isLeft = true;
    };
  }, [id, next?.root.id]);
  useEffect(() => setStored(NO_TREES), [id]);
  return trees;
}
