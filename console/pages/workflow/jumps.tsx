import { useEffect, useMemo, useState } from 'preact/hooks';
import { jumpsOf, jumpWires } from '../../picture/commands.ts';
import type { Place } from '../../picture/figure.ts';
import type { Drawing } from '../../picture/layout.ts';
import type { Seen } from '../../picture/states.ts';

/** Arrows of `rewind`, `jump` and their like: seen while one points at the command or it has the focus, and once it was obeyed. */
export function Jumps({
  figure,
  drawn,
  seenIn,
  chosen,
  canvas,
}: {
  readonly figure: Place;
  readonly drawn: Drawing;
  readonly seenIn: (expid: string, lane: number) => Seen | undefined;
  readonly chosen: string;
  readonly canvas: { readonly current: HTMLElement | null };
}) {
  const jumps = useMemo(() => jumpsOf(figure), [figure]);
  const wires = useMemo(() => jumpWires(drawn, jumps), [drawn, jumps]);
  const pointed = usePointed(canvas, wires.length > 0);
  if (wires.length === 0) return null;
  return (
    <svg class="wires" width={drawn.width} height={drawn.height} aria-hidden="true">
      {wires.map(({ from, path, lane }) => {
        const hasFired = seenIn(from, lane)?.hasFired ?? false;
        if (!hasFired && from !== pointed && from !== chosen) return null;
        return (
          <path
            key={path}
            class={`wire jump ${hasFired ? '' : 'todo'}`}
            data-jump={from}
            d={path}
            marker-end="url(#tip)"
          />
        );
      })}
    </svg>
  );
}

/** The place below the pointer, or with the focus; empty: none. */
function usePointed(canvas: { readonly current: HTMLElement | null }, isWanted: boolean): string {
  const [pointed, point] = useState('');
  useEffect(() => {
    const { current } = canvas;
    if (current === null || !isWanted) return;
    const look = ({ target }: Event): void =>
      point((target as Element).closest('.place')?.querySelector<HTMLElement>('[data-expid]')?.dataset['expid'] ?? '');
    const leave = (): void => point('');
    current.addEventListener('pointerover', look);
    current.addEventListener('focusin', look);
    current.addEventListener('pointerleave', leave);
    return () => {
      current.removeEventListener('pointerover', look);
      current.removeEventListener('focusin', look);
      current.removeEventListener('pointerleave', leave);
    };
  }, [canvas, isWanted]);
  return pointed;
}
