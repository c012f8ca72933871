import { type ComponentChildren, Fragment } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { apiRoot, link, path, query } from '../address/router.ts';
import { curlOf } from '../api/curl.ts';
import { reads } from '../live/resource.ts';
import { Menu } from '../parts/menu.tsx';
import { Copy, Text } from '../parts/said.tsx';
import { visible } from '../parts/texts.ts';
import { COUNTED } from './counts.ts';

/** The head of every page: the one `h1`, which gets the focus when somebody has come here from another page. */
export function PageHead({
  title,
  said,
  takes = true,
  children,
}: {
  /** What the window is called, without ` · Rota`. */
  readonly title: string;
  readonly said?: ComponentChildren;
  /** Whether it offers what the page was made from; false: the page does so itself. */
  readonly takes?: boolean;
  readonly children?: ComponentChildren;
}) {
  const head = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${visible(title)} · Rota`;
  }, [title]);
  useEffect(() => {
    const here = path.value;
    const isNew = visited !== null && visited !== here;
    // The head of a page that was still being loaded goes when the page is there, and the focus with it.
    const isLost = focused === here && document.activeElement === document.body;
    if (isNew || isLost) {
      head.current?.focus();
      focused = here;
    }
    visited = here;
  }, []);
  return (
    <header class="row apart">
      <h1 ref={head} tabIndex={-1}>
        {said ?? <Text text={title} />}
      </h1>
      <div class="row actions">
        {children}
        {takes && <TakeAway />}
      </div>
    </header>
  );
}

/** Calls of one page that are offered. */
const CALLS_MAX = 6;

/** A link to the page as it is, and the calls it was made from. */
function TakeAway() {
  const calls = [...new Set(reads.value)].filter((one) => one !== COUNTED).slice(0, CALLS_MAX);
  return (
    <Menu label="Take this page away">
      <Copy
        what="Copy link"
        text={`${window.location.origin}${link(path.value)}${query.value === '' ? '' : `?${query.value}`}`}
      />
      {calls.map((one) => {
        const url = new URL(one, apiRoot).href;
        const word = one.replace(/^v1\//, '').split('?')[0];
        return (
          <Fragment key={one}>
            <Copy what={`Copy ${word} as curl`} text={curlOf('GET', url)} />
            <a class="button" href={url} target="_blank" rel="noopener noreferrer">
              Open {word} as JSON
            </a>
          </Fragment>
        );
      })}
    </Menu>
  );
}
/** The page before this one; at the first load the focus stays where the browser put it. */
let visited: string | null = null;
/** The page whose head was given the focus last. */
let focused: string | null = null;
