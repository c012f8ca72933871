import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { path } from '../address/router.ts';

/** The head of every page: the one `h1`, which gets the focus when somebody has come here from another page. */
export function PageHead({
  title,
  said,
  children,
}: {
  /** What the window is called, without ` · Rota`. */
  readonly title: string;
  readonly said?: ComponentChildren;
  readonly children?: ComponentChildren;
}) {
  const head = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Rota`;
  }, [title]);
  useEffect(() => {
    if (visited !== null && visited !== path.value) head.current?.focus();
    visited = path.value;
  }, []);
  return (
    <header class="row apart">
      <h1 ref={head} tabIndex={-1}>
        {said ?? title}
      </h1>
      <div class="row actions">{children}</div>
    </header>
  );
}
/** The page before this one; at the first load the focus stays where the browser put it. */
let visited: string | null = null;
