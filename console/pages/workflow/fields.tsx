import { useMemo, useState } from 'preact/hooks';
import type { Json, JsonObject } from '../../../src/model/json.ts';
import { JsonView } from '../../parts/json.tsx';
import { Text, Time } from '../../parts/said.tsx';
import { countText } from '../../parts/texts.ts';
import type { Place } from '../../picture/figure.ts';
import { MERGES_MAX, mergesOf } from '../../picture/merges.ts';
import { isOver, textOf } from '../../picture/standing.ts';
import { changesBetween, fieldsTold, type Setting, type Told } from '../../picture/told.ts';
import type { Data } from './data.ts';
import { Merges } from './merges.tsx';
import type { State } from './page.tsx';

/** Characters of a value that stand in a line. */
const VALUE_SHOWN = 120;

/** Fields now, or at a moment: each with who set it, and what it was before. */
export function FieldsView({
  figure,
  shown,
  data,
  at,
  state,
  set,
}: {
  readonly figure: Place | null;
  readonly shown: JsonObject;
  readonly data: Data;
  readonly at: number | null;
  readonly state: State;
  readonly set: (change: Partial<State>, how?: 'push' | 'replace') => void;
}) {
  const [text, setText] = useState('');
  const last = data.entries.value;
  const n = at ?? last;
  const told = useMemo(() => fieldsTold(data.chronicle.entries, n), [last, n]);
  const merges = useMemo(
    () => (figure === null || told === null ? [] : mergesOf(figure, data.chronicle, n)),
    [figure, told, last, n],
  );
  const than = THAN.test(state.than) ? state.than : '';
  const fields = (shown['fields'] ?? {}) as JsonObject;
  const isFound = (name: string): boolean => name.toLowerCase().includes(text.toLowerCase());
  const lines = (told ?? []).filter((one) => isFound(one.name));
  return (
    <section class="stack" aria-label="Fields">
      <form class="row" role="search" onSubmit={(event) => event.preventDefault()}>
        <label class="row">
          <span class="small">Find a field</span>
          <input value={text} onInput={(event) => setText(event.currentTarget.value)} />
        </label>
        {told !== null && <Than than={than} n={n} set={set} />}
      </form>
      {told === null ? (
        <p class="note small">
          This history does not keep what was given, so only the fields of now are here. A server with{' '}
          <code>HISTORY_FIELDS=given</code> keeps them for what is launched from then on, with who set each.
        </p>
      ) : (
        <>
          {than === '' ? (
            <>
              <h2>What was given{at === null ? '' : <>, up to entry #{countText(at)}</>}</h2>
              {lines.length === 0 && <p class="note dim">No field {text === '' ? 'was given' : 'is called so'}.</p>}
              <ul class="panel told-fields">
                {lines.map((one) => (
                  <FieldLine key={one.name} told={one} set={set} />
                ))}
              </ul>
            </>
          ) : (
            <Changes data={data} n={n} than={than} isFound={isFound} set={set} />
          )}
          {merges.length > 0 && (
            <section class="stack" aria-label="Where branches met">
              <h2>Where branches met</h2>
              <p class="small dim">
                Who gave which value in which branch, and what came of it. What the definition sets itself is not kept.
              </p>
              <Merges merges={merges} over={isOver(textOf(shown['status']))} isFound={isFound} set={set} />
              {merges.length === MERGES_MAX && <p class="note warn small">Only the last {MERGES_MAX} are shown.</p>}
            </section>
          )}
        </>
      )}
      {at === null && (
        <>
          <h2>{isOver(textOf(shown['status'])) ? 'As it ended' : 'Now, where its first branch stands'}</h2>
          <JsonView
            value={Object.fromEntries(Object.entries(fields).filter(([name]) => isFound(name))) as Json}
            label="Fields now"
            fields={[]}
          />
        </>
      )}
    </section>
  );
}

/** What fields can be compared with, as the address says it. */
const THAN = /^(?:before|launch|\d{1,9})$/;

/** What the fields are shown beside. */
function Than({
  than,
  n,
  set,
}: {
  readonly than: string;
  readonly n: number;
  readonly set: (change: Partial<State>, how?: 'push' | 'replace') => void;
}) {
  const isNumber = /^\d+$/.test(than);
  return (
    <>
      <label class="row">
        <span class="small">Compare with</span>
        <select
          class="narrow"
          value={isNumber ? 'entry' : than}
          onChange={({ currentTarget: { value } }) =>
            set({ than: value === 'entry' ? String(Math.max(1, n - 1)) : value }, 'replace')
          }
        >
          <option value="">nothing</option>
          <option value="before">the entry before</option>
          <option value="launch">the launch</option>
          <option value="entry">an entry…</option>
        </select>
      </label>
      {isNumber && (
        <label class="row">
          <span class="unseen">Number of the entry</span>
          <input
            class="narrow"
            inputMode="numeric"
            value={than}
            onChange={({ currentTarget: { value } }) =>
              set({ than: /^\d{1,9}$/.test(value.trim()) ? value.trim() : '' }, 'replace')
            }
          />
        </label>
      )}
    </>
  );
}

/** What is another one than at the moment it is compared with. */
function Changes({
  data,
  n,
  than,
  isFound,
  set,
}: {
  readonly data: Data;
  readonly n: number;
  readonly than: string;
  readonly isFound: (name: string) => boolean;
  readonly set: (change: Partial<State>) => void;
}) {
  const other = than === 'before' ? n - 1 : than === 'launch' ? 1 : Number.parseInt(than, 10);
  const [a, b] = other <= n ? [other, n] : [n, other];
  const changes = useMemo(() => changesBetween(data.chronicle.entries, a, b) ?? [], [data.entries.value, a, b]);
  const found = changes.filter(({ name }) => isFound(name));
  return (
    <>
      <h2>
        Changed from entry #{countText(a)} to #{countText(b)}
      </h2>
      {found.length === 0 && <p class="note dim">No field was given another value between the two.</p>}
      {found.length > 0 && (
        <ul class="panel told-fields">
          {found.map(({ name, before, now }) => (
            <li key={name}>
              {before !== undefined && <GoneLine name={name} value={before} />}
              <p class="told-line added">
                <span aria-hidden="true">+</span>
                <Value name={name} value={now.value} />
                <Who of={now} set={set} />
              </p>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

const GoneLine = ({
  name,
  value,
  of,
  set,
}: {
  readonly name: string;
  readonly value: Json;
  readonly of?: Setting;
  readonly set?: (change: Partial<State>) => void;
}) => (
  <p class="told-line gone">
    <span aria-hidden="true">−</span>
    <span>
      <span class="unseen">before: </span>
      <Value name={name} value={value} />
    </span>
    {of !== undefined && set !== undefined ? <Who of={of} set={set} /> : <span />}
  </p>
);

/** A field, its value, who gave it; and behind it its whole life. */
function FieldLine({
  told: { name, life },
  set,
}: {
  readonly told: Told;
  readonly set: (change: Partial<State>) => void;
}) {
  const last = life.at(-1) as Setting;
  const before = life.at(-2);
  const isNew = last.n > 1;
  return (
    <li>
      {before !== undefined && <GoneLine name={name} value={before.value} of={before} set={set} />}
      <p class={`told-line ${isNew ? 'added' : ''}`}>
        <span aria-hidden="true">{isNew ? '+' : ' '}</span>
        <Value name={name} value={last.value} />
        <Who of={last} set={set} />
      </p>
      {life.length > 2 && (
        <details class="small">
          <summary>{countText(life.length)} values in all</summary>
          {life.map((one) => (
            <p key={one.n} class="told-line">
              <span />
              <Value name={name} value={one.value} />
              <Who of={one} set={set} />
            </p>
          ))}
        </details>
      )}
    </li>
  );
}

function Value({ name, value }: { readonly name: string; readonly value: Json }) {
  const text = JSON.stringify(value);
  return (
    <span class="mono">
      <Text text={name} />: <Text text={text.length > VALUE_SHOWN ? `${text.slice(0, VALUE_SHOWN)}…` : text} />
    </span>
  );
}

const Who = ({ of, set }: { readonly of: Setting; readonly set: (change: Partial<State>) => void }) => (
  <span class="dim small">
    <button type="button" class="more-link number" onClick={() => set({ at: of.n })}>
      #{countText(of.n)}
    </button>{' '}
    <Text text={of.who} /> <Time at={of.at} how="time" />
  </span>
);
