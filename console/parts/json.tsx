import { useState } from 'preact/hooks';
import { isObject, type Json } from '../../src/model/json.ts';
import { bytesText, countText, visible } from './texts.ts';

/* JSON that opens by level and is cut by size, so that no value, however large, is painted at once. */

/** Levels that are open at first, members of one level and characters of one text that are shown at once. */
const LEVELS_OPEN = 2;
const MEMBERS_SHOWN = 100;
const TEXT_SHOWN = 2_000;

export const JsonView = ({ value, label }: { readonly value: Json; readonly label: string }) => (
  <section class="json" aria-label={label}>
    <Value value={value} level={0} />
  </section>
);

function Value({ value, level }: { readonly value: Json; readonly level: number }) {
  if (typeof value === 'string') return <LongText text={value} />;
  if (!Array.isArray(value) && !isObject(value)) return <span class="other">{JSON.stringify(value)}</span>;
  const members: readonly (readonly [string | null, Json])[] = Array.isArray(value)
    ? (value as readonly Json[]).map((one) => [null, one] as const)
    : Object.entries(value);
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  if (members.length === 0)
    return (
      <span>
        {open}
        {close}
      </span>
    );
  return <Members members={members} open={open} close={close} level={level} />;
}

function Members({
  members,
  open,
  close,
  level,
}: {
  readonly members: readonly (readonly [string | null, Json])[];
  readonly open: string;
  readonly close: string;
  readonly level: number;
}) {
  const [shown, show] = useState(MEMBERS_SHOWN);
  const [isOpen, setOpen] = useState(level < LEVELS_OPEN);
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
          {members.slice(0, shown).map(([key, one], i) => (
            <div class="member" key={key ?? i}>
              {key !== null && (
                <>
                  <bdi class="key">{visible(key)}</bdi>:{' '}
                </>
              )}
              <Value value={one} level={level + 1} />
            </div>
          ))}
          {members.length > shown && (
            <button type="button" class="more member" onClick={() => show(shown + 10 * MEMBERS_SHOWN)}>
              {countText(members.length - shown)} more
            </button>
          )}
          <div>{close}</div>
        </>
      )}
    </details>
  );
}

function LongText({ text }: { readonly text: string }) {
  const [whole, setWhole] = useState(false);
  const cut = !whole && text.length > TEXT_SHOWN;
  return (
    <>
      <bdi class="text">"{visible(cut ? text.slice(0, TEXT_SHOWN) : text)}"</bdi>
      {cut && (
        <button type="button" class="more" onClick={() => setWhole(true)}>
          show all ({bytesText(text.length)})
        </button>
      )}
    </>
  );
}
