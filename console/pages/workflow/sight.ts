import { useLayoutEffect, useState } from 'preact/hooks';

/* Which part of a picture is in sight: boxes that are far from it have neither words nor signs in them, which is most of what a box costs. */

/** How far around what is in sight boxes are whole, in pixels of the screen; and after how much scrolling that is looked at again. */
const AROUND = 120;
const STEP = 100;

/** In pixels of the screen, from where the picture begins. */
export type Sight = { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
type Rectangle = { readonly x: number; readonly y: number; readonly width: number; readonly height: number };

/** Whether a box of the picture, drawn `scale` times as large, is in sight or near it. */
export const isNear = (box: Rectangle, sight: Sight | null, scale: number): boolean =>
  sight !== null &&
  box.x * scale < sight.x + sight.width + AROUND &&
  (box.x + box.width) * scale > sight.x - AROUND &&
  box.y * scale < sight.y + sight.height + AROUND &&
  (box.y + box.height) * scale > sight.y - AROUND;

const stepped = (pixels: number): number => Math.floor(pixels / STEP) * STEP;

/** What is in sight of what scrolls in an element; followed, but not by each pixel. Null before it is laid out, which is before it is painted. */
export function useSight(element: { readonly current: HTMLElement | null }): Sight | null {
  const [sight, set] = useState<Sight | null>(null);
  useLayoutEffect(() => {
    const { current } = element;
    if (current === null) return;
    const look = (): void => {
      const next = {
        ...{ x: stepped(current.scrollLeft), y: stepped(current.scrollTop) },
        ...{ width: stepped(current.clientWidth) + STEP, height: stepped(current.clientHeight) + STEP },
      };
      set((one) => (one !== null && isSame(one, next) ? one : next));
    };
    look();
    current.addEventListener('scroll', look, { passive: true });
    const sizes = new ResizeObserver(look);
    sizes.observe(current);
    return () => {
      current.removeEventListener('scroll', look);
      sizes.disconnect();
    };
  }, []);
  return sight;
}
const isSame = (a: Sight, b: Sight): boolean =>
  a.x === b.x && a.y === b.y && a.width === b.width && a.height === b.height;
