import { useEffect, useState } from 'preact/hooks';
import type { JsonObject } from '../../src/model/json.ts';
import { link } from '../address/router.ts';
import { hours, zone } from '../app/settings.ts';
import { now, today } from '../live/now.ts';
import { textOf } from '../picture/standing.ts';
import './ages.ts';
import { Glyph } from './glyph.tsx';
import { agedText, ageText, shortId, timeText, visible, wholeTimeText } from './texts.ts';

/* Times, ids and strangers' texts as they stand in a page. */

/** A stranger's text: only ever text, with what cannot be seen made visible. */
export const Text = ({ text }: { readonly text: string }) => <bdi>{visible(text)}</bdi>;

/**
 * `how`: an age (`12 s ago`) where that matters, else the time. A page may show hundreds of them, so it has no state: the clock changes the ages
 * (ages.ts), and the long form is made when it is pointed at.
 */
export function Time({ at, how = 'age' }: { readonly at: string | null; readonly how?: 'age' | 'time' | 'both' }) {
  const ms = at === null ? Number.NaN : Date.parse(at);
  if (Number.isNaN(ms)) return <span class="dim">–</span>;
  const time = how === 'age' ? '' : timeText(ms, today.value, zone.value, hours.value);
  return (
    <time dateTime={at ?? ''} data-age={how === 'time' ? undefined : time} onPointerEnter={tellWhole}>
      {how === 'time' ? time : agedText(ms, now.peek(), time)}
    </time>
  );
}
function tellWhole({ currentTarget: time }: { readonly currentTarget: HTMLTimeElement }): void {
  const ms = Date.parse(time.dateTime);
  time.title = `${wholeTimeText(ms, 'local', hours.peek())}\n${wholeTimeText(ms, 'UTC', hours.peek())}\n${ageText(ms, now.peek())}`;
}

/** The id of a workflow, short, whole when it is pointed at, as a link. Without a state of its own, as Time. */
export const WorkflowLink = ({ id, name }: { readonly id: string; readonly name?: string | null }) => (
  <a class="workflow-link" href={link(`/workflows/${id}`)} title={id}>
    {name ? <>{Text({ text: name })} </> : null}
    <span class="mono">{shortId(visible(id))}</span>
  </a>
);

/** The place in its workflow that an error or a timer is about, by its `expression_id`. */
export const PlaceLink = ({ of }: { readonly of: JsonObject }) => (
  <a class="mono" href={link(`/workflows/${textOf(of['workflow_id'])}?sel=${textOf(of['expression_id'])}`)}>
    {textOf(of['expression_id']).split('!')[0]}
  </a>
);

/** Copies a text. `bare`: a small sign beside what it copies, whose name is only read out and shown when it is pointed at. */
export function Copy({
  text,
  what,
  bare = false,
}: {
  /** A function where it is long: it is asked when it is wanted. */
  readonly text: string | (() => string);
  readonly what: string;
  readonly bare?: boolean;
}) {
  const [said, say] = useState('');
  useEffect(() => {
    if (said === '') return;
    const timer = setTimeout(() => say(''), SAID_MS);
    return () => clearTimeout(timer);
  }, [said]);
  return (
    <button
      type="button"
      class={bare ? 'copy' : 'button tiny'}
      aria-label={bare ? (said === '' ? what : said) : undefined}
      title={bare ? what : undefined}
      onClick={() => {
        // Not there on plain http beyond this machine.
        if (navigator.clipboard === undefined) say('cannot be copied here');
        else
          navigator.clipboard.writeText(typeof text === 'string' ? text : text()).then(
            () => say('copied'),
            () => say('was refused'),
          );
      }}
    >
      {bare ? <Glyph name={said === 'copied' ? 'done' : 'copy'} size={14} /> : said === '' ? what : said}
    </button>
  );
}
/** How long a button says what came of it, in milliseconds. */
const SAID_MS = 2_000;
