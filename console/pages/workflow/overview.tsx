import { useLayoutEffect, useRef } from 'preact/hooks';
import { BOXES_MAX, type Drawing } from '../../picture/layout.ts';

/* What moves the picture without a wheel and without dragging it: the whole of it, small, and four buttons. */

const MAP_WIDTH = 100;
const MAP_HEIGHT_MAX = 150;
const FILLS: { readonly [look: string]: string } = {
  done: 'var(--done)',
  waits: 'var(--waits)',
  failed: 'var(--failed)',
  live: 'var(--live)',
  cancelling: 'var(--waits)',
};
/** How far a button or a key moves the picture, as a share of what is seen of it. */
const STEP = 0.4;

type Canvas = { readonly current: HTMLElement | null };
type Seen = { readonly x: number; readonly y: number; readonly width: number; readonly height: number };

/** The part of the picture that is seen, in its own measure. */
function seenOf(canvas: HTMLElement, drawn: Pick<Drawing, 'width' | 'height'>, zoom: number): Seen {
  const sheet = canvas.querySelector<HTMLElement>('.sheet');
  const part = (from: number, room: number, size: number): readonly [number, number] => {
    const [start, end] = [Math.max(0, from / zoom), Math.min(size, (from + room) / zoom)];
    return [start, Math.max(0, end - start)];
  };
  const [x, width] = part(canvas.scrollLeft - (sheet?.offsetLeft ?? 0), canvas.clientWidth, drawn.width);
  const [y, height] = part(canvas.scrollTop - (sheet?.offsetTop ?? 0), canvas.clientHeight, drawn.height);
  return { x, y, width, height };
}

const step = (canvas: HTMLElement | null, x: number, y: number): void =>
  canvas?.scrollBy(x * STEP * canvas.clientWidth, y * STEP * canvas.clientHeight);

const ARROWS: { readonly [key: string]: readonly [number, number] } = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** The whole picture, small, with a frame around what is seen of it: that is moved by drag, by a click and by the arrow keys. */
export function Overview({
  drawn,
  looks,
  isEnd,
  canvas,
  zoom: percent,
}: {
  readonly drawn: Drawing;
  /** Of each box how it looks. */
  readonly looks: readonly (string | undefined)[];
  readonly isEnd: (box: Drawing['boxes'][number]) => boolean;
  readonly canvas: Canvas;
  readonly zoom: number;
}) {
  const zoom = percent / 100;
  const scale = Math.min(MAP_WIDTH / drawn.width, MAP_HEIGHT_MAX / drawn.height);
  const frame = useRef<SVGRectElement>(null);
  // The frame follows at each move: it is set by hand, for nothing else changes then.
  useLayoutEffect(() => {
    const { current } = canvas;
    if (current === null) return;
    const follow = (): void => {
      const { x, y, width, height } = seenOf(current, drawn, zoom);
      const isWhole = width >= drawn.width - 1 && height >= drawn.height - 1;
      frame.current?.setAttribute('visibility', isWhole ? 'hidden' : 'visible');
      for (const [name, value] of Object.entries({ x, y, width, height }))
        frame.current?.setAttribute(name, String(Math.round(value)));
    };
    follow();
    const sizes = new ResizeObserver(follow);
    sizes.observe(current);
    current.addEventListener('scroll', follow, { passive: true });
    return () => {
      sizes.disconnect();
      current.removeEventListener('scroll', follow);
    };
  }, [canvas, drawn, zoom]);
  // All boxes of one look are one shape: each of its own would be as many nodes as the picture itself has boxes.
  const byLook = new Map<string, string>();
  for (const [i, box] of drawn.boxes.slice(0, BOXES_MAX).entries()) {
    const key = `${looks[i] ?? ''} ${isEnd(box) ? 'full' : 'around'}`;
    byLook.set(key, `${byLook.get(key) ?? ''}M${box.x} ${box.y}h${box.width}v${box.height}h${-box.width}z`);
  }
  /** What is below the pointer comes into the middle. */
  const show = (event: PointerEvent): void => {
    const { current } = canvas;
    const at = (event.currentTarget as Element).querySelector('svg')?.getBoundingClientRect();
    const sheet = current?.querySelector<HTMLElement>('.sheet');
    if (current === null || at === undefined || sheet === undefined || sheet === null) return;
    current.scrollTo({
      left: ((event.clientX - at.left) / scale) * zoom + sheet.offsetLeft - current.clientWidth / 2,
      top: ((event.clientY - at.top) / scale) * zoom + sheet.offsetTop - current.clientHeight / 2,
    });
  };
  return (
    <button
      type="button"
      class="map"
      aria-label="Overview of the picture: the arrow keys move what is seen"
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        show(event);
      }}
      onPointerMove={(event) => {
        if (event.currentTarget.hasPointerCapture(event.pointerId)) show(event);
      }}
      onKeyDown={(event) => {
        const way = ARROWS[event.key];
        if (way === undefined) return;
        event.preventDefault();
        event.stopPropagation();
        step(canvas.current, ...way);
      }}
    >
      <svg
        width={drawn.width * scale}
        height={drawn.height * scale}
        viewBox={`0 0 ${drawn.width} ${drawn.height}`}
        aria-hidden="true"
      >
        {[...byLook].map(([key, path]) => {
          const [look = '', isFilled] = key.split(' ');
          const colour = FILLS[look] ?? 'none';
          return (
            <path
              key={key}
              d={path}
              fill={isFilled === 'full' ? colour : 'none'}
              stroke={FILLS[look] ?? 'var(--line)'}
              stroke-width={isFilled === 'full' && colour !== 'none' ? 0 : 7}
              stroke-dasharray={look === 'todo' ? '14 12' : undefined}
            />
          );
        })}
        <rect ref={frame} class="frame" rx={4 / scale} stroke-width={2 / scale} visibility="hidden" />
      </svg>
    </button>
  );
}

const WAYS = [
  ['ArrowLeft', '←', 'left'],
  ['ArrowUp', '↑', 'up'],
  ['ArrowDown', '↓', 'down'],
  ['ArrowRight', '→', 'right'],
] as const;

/** Nothing that is to be seen needs a drag. */
export function Pan({ canvas }: { readonly canvas: Canvas }) {
  return (
    <div class="pan" role="group" aria-label="Move the picture">
      {WAYS.map(([key, sign, way]) => (
        <button
          key={key}
          type="button"
          class="button tiny"
          aria-label={`Look further ${way}`}
          onClick={() => step(canvas.current, ...(ARROWS[key] as readonly [number, number]))}
        >
          {sign}
        </button>
      ))}
    </div>
  );
}
