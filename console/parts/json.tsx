import { useEffect, useMemo, useState } from 'preact/hooks';
import type { Json } from '../../src/model/json.ts';
import { Button } from './action.tsx';
import { download } from './download.ts';
import { findIn, heldIn, isLargerThan, membersOf, notationOf, partAt, pointerOf, type Way } from './json-model.ts';
import { Copy } from './said.tsx';
import { bytesText, countText, visible } from './texts.ts';

/* JSON that opens by level and is cut by size, so that no value, however large, is painted at once. Below it stands the part that was chosen, to be copied. */

/** Levels that are open at first, members of one level and characters of one text that are shown at once. */
const LEVELS_OPEN = 2;
const MEMBERS_SHOWN = 100;
const TEXT_SHOWN = 2_000;
/** Above so many characters a value is only to be downloaded. */
const SHOWN_MAX = 5_000_000;
/** Hits of one search. */
const FOUND_MAX = 500;

type Shown = {
  readonly choose: (way: Way) => void;
  readonly chosen: string | null;
  /** The hit that is looked at: what is on the way to it is open. */
  readonly to: Way | null;
};

/** `fields`: the keys before which its parts are fields, so that a definition can name them: none of a set of fields, `fields` of a workflow. */
export function JsonView({
  value,
  label,
  fields,
}: {
  readonly value: Json;
  readonly label: string;
  readonly fields?: readonly string[];
}) {
  const [text, setText] = useState('');
  const [hit, setHit] = useState(0);
  const [chosen, choose] = useState<Way | null>(null);
  const [wraps, wrap] = useState(true);
  const isLarge = useMemo(() => isLargerThan(value, SHOWN_MAX), [value]);
  const found = useMemo(() => (isLarge ? [] : findIn(value, text.trim(), FOUND_MAX)), [value, text, isLarge]);
  useEffect(() => setHit(0), [text]);
  const to = found[hit] ?? null;
  const step = (by: number): void => {
    const next = (hit + by + found.length) % Math.max(1, found.length);
    setHit(next);
    const way = found[next];
    if (way !== undefined) choose(way);
  };
  const file = `${label.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}.json`;
  if (isLarge)
    return (
      <section class="json-view" aria-label={label}>
        <p class="note">
          This value has {bytesText(JSON.stringify(value).length)}: too much for a page.{' '}
          <Download value={value} file={file} />
        </p>
      </section>
    );
  const part = chosen === null ? undefined : partAt(value, chosen);
  return (
    <section class="json-view" aria-label={label}>
      <div class="json-tools row">
        <label class="row">
          <span class="unseen">Find in {label}</span>
          <input
            type="search"
            placeholder="Find"
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key !== 'Enter') return;
              event.preventDefault();
              step(event.shiftKey ? -1 : 1);
            }}
          />
        </label>
        {text.trim() !== '' && (
          <span class="small dim" role="status">
            {found.length === 0
              ? 'not there'
              : `${countText(hit + 1)} of ${countText(found.length)}${found.length === FOUND_MAX ? '+' : ''}`}
          </span>
        )}
        {found.length > 1 && (
          <>
            <Button look="tiny" label="The hit before" onPress={() => step(-1)}>
              ‹
            </Button>
            <Button look="tiny" label="The next hit" onPress={() => step(1)}>
              ›
            </Button>
          </>
        )}
        <Button look="tiny" pressed={wraps} onPress={() => wrap(!wraps)}>
          Wrap
        </Button>
        <Copy what="Copy" text={() => JSON.stringify(value, null, 2)} />
        <Download value={value} file={file} />
      </div>
      <div class={`json ${wraps ? '' : 'unwrapped'}`}>
        <Value value={value} way={[]} shown={{ choose, chosen: chosen === null ? null : pointerOf(chosen), to }} />
      </div>
      {chosen !== null && part !== undefined && <Chosen way={chosen} part={part} fields={fields} />}
    </section>
  );
}

/** The part that was chosen: how it is called, and what can be copied of it. */
function Chosen({
  way,
  part,
  fields,
}: {
  readonly way: Way;
  readonly part: Json;
  readonly fields: readonly string[] | undefined;
}) {
  const isField = fields !== undefined && way.length > fields.length && fields.every((key, i) => way[i] === key);
  const notation = isField ? notationOf(way.slice(fields.length)) : null;
  return (
    <p class="json-chosen row small" aria-live="polite">
      <bdi class="mono">{visible(pointerOf(way) || 'the whole')}</bdi>
      <Copy what="Copy value" text={() => (typeof part === 'string' ? part : JSON.stringify(part, null, 2))} />
      {notation !== null && <Copy what={`Copy path as ${notation}`} text={notation} />}
      <Copy what="Copy pointer" text={pointerOf(way)} />
    </p>
  );
}

function Download({ value, file }: { readonly value: Json; readonly file: string }) {
  return (
    <Button look="tiny" onPress={() => download(file, JSON.stringify(value, null, 2), 'application/json')}>
      Download
    </Button>
  );
}

const isOnWay = (way: Way, to: Way | null): boolean =>
  to !== null && way.length <= to.length && way.every((key, i) => key === to[i]);

function Value({ value, way, shown }: { readonly value: Json; readonly way: Way; readonly shown: Shown }) {
  if (typeof value === 'string') return <LongText text={value} way={way} shown={shown} />;
  const members = membersOf(value);
  if (members === null) return <span class="other">{JSON.stringify(value)}</span>;
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  if (members.length === 0)
    return (
      <span>
        {open}
        {close}
      </span>
    );
  return <Members members={members} open={open} close={close} way={way} shown={shown} />;
}

function Members({
  members,
  open,
  close,
  way,
  shown,
}: {
  readonly members: readonly (readonly [string | number, Json])[];
  readonly open: string;
  readonly close: string;
  readonly way: Way;
  readonly shown: Shown;
}) {
  const [many, show] = useState(MEMBERS_SHOWN);
  const [isOpened, setOpen] = useState(way.length < LEVELS_OPEN);
  const leads = isOnWay(way, shown.to) && (shown.to?.length ?? 0) > way.length;
  useEffect(() => {
    if (leads) setOpen(true);
  }, [leads, shown.to]);
  const isOpen = isOpened || leads;
  const next = leads ? members.findIndex(([key]) => key === shown.to?.[way.length]) : -1;
  const count = Math.max(many, next + 1);
  return (
    <details open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        {open}
        {!isOpen && (
          <span class="dim">
            {' '}
            {countText(members.length)} {close === ']' ? 'elements' : 'members'} {close}
          </span>
        )}
      </summary>
      {isOpen && (
        <>
          {members.slice(0, count).map(([key, one]) => (
            <Member key={key} name={key} value={one} way={[...way, key]} shown={shown} />
          ))}
          {members.length > count && (
            <button type="button" class="more member" onClick={() => show(count + 10 * MEMBERS_SHOWN)}>
              {countText(members.length - count)} more
            </button>
          )}
          <div>{close}</div>
        </>
      )}
    </details>
  );
}

function Member({
  name,
  value,
  way,
  shown,
}: {
  readonly name: string | number;
  readonly value: Json;
  readonly way: Way;
  readonly shown: Shown;
}) {
  const isHit = shown.to !== null && shown.to.length === way.length && isOnWay(way, shown.to);
  return (
    <div class={`member ${isHit ? 'hit' : ''}`}>
      <button
        type="button"
        class={`key ${typeof name === 'number' ? 'index' : ''}`}
        aria-pressed={shown.chosen === pointerOf(way)}
        onClick={() => shown.choose(way)}
      >
        <bdi>{typeof name === 'number' ? name : visible(name)}</bdi>
      </button>
      : <Value value={value} way={way} shown={shown} />
    </div>
  );
}

function LongText({ text, way, shown }: { readonly text: string; readonly way: Way; readonly shown: Shown }) {
  const [whole, setWhole] = useState(false);
  const [isRead, read] = useState(false);
  const held = useMemo(() => heldIn(text), [text]);
  const cut = !whole && text.length > TEXT_SHOWN;
  return (
    <>
      {isRead && held !== undefined ? (
        <Value value={held} way={way} shown={{ ...shown, to: null, choose: () => shown.choose(way) }} />
      ) : (
        <bdi class="text">"{visible(cut ? text.slice(0, TEXT_SHOWN) : text)}"</bdi>
      )}
      {cut && !isRead && (
        <button type="button" class="more" onClick={() => setWhole(true)}>
          show all ({bytesText(text.length)})
        </button>
      )}
      {held !== undefined && (
        <button type="button" class="more" aria-pressed={isRead} onClick={() => read(!isRead)}>
          {isRead ? 'as text' : 'read as JSON'}
        </button>
      )}
    </>
  );
}
