import { computed } from '@preact/signals';
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { JsonObject } from '../../src/model/json.ts';
import { link } from '../address/router.ts';
import { hours, zone } from '../app/settings.ts';
import { now } from '../live/now.ts';
import { textOf } from '../picture/standing.ts';
import { Glyph } from './glyph.tsx';
import { ageText, shortId, timeText, visible, wholeTimeText } from './texts.ts';

/* Times, ids and strangers' texts as they stand in a page. */

/** A stranger's text: only ever text, with what cannot be seen made visible. */
export const Text = ({ text }: { readonly text: string }) => <bdi>{visible(text)}</bdi>;

/**
 * `how`: an age (`12 s ago`) where that matters, else the time. A page may show hundreds of them: each second changes the texts that are other ones
 * then and nothing else, and the long form is made when it is pointed at.
 */
export function Time({ at, how = 'age' }: { readonly at: string | null; readonly how?: 'age' | 'time' | 'both' }) {
  const ms = at === null ? Number.NaN : Date.parse(at);
  const text = useMemo(
    () =>
      computed(() => {
        if (Number.isNaN(ms)) return '–';
        const age = ageText(ms, now.value);
        if (how === 'age') return age;
        const time = timeText(ms, now.value, zone.value, hours.value);
        return how === 'time' ? time : `${time}, ${age}`;
      }),
    [ms, how],
  );
  if (Number.isNaN(ms)) return <span class="dim">–</span>;
  return (
    <time
      dateTime={at ?? ''}
      onPointerEnter={({ currentTarget }) => {
        const age = ageText(ms, now.peek());
        currentTarget.title = `${wholeTimeText(ms, 'local', hours.peek())}\n${wholeTimeText(ms, 'UTC', hours.peek())}\n${age}`;
      }}
    >
      {text}
    </time>
  );
}

/** The id of a workflow, short, whole when it is pointed at, as a link. */
export const WorkflowLink = ({ id, name }: { readonly id: string; readonly name?: string | null }) => (
  <a class="workflow-link" href={link(`/workflows/${id}`)} title={id}>
    {name ? (
      <>
        <Text text={name} />{' '}
      </>
    ) : null}
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
