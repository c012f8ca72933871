import { useMemo, useState } from 'preact/hooks';
import type { Json, JsonObject } from '../../../src/model/json.ts';
import { Button } from '../../parts/action.tsx';
import { JsonView } from '../../parts/json.tsx';
import { Text, Time } from '../../parts/said.tsx';
import { countText } from '../../parts/texts.ts';
import { isOver, textOf } from '../../picture/standing.ts';
import { fieldsTold, type Setting, type Told } from '../../picture/told.ts';
import type { Data } from './data.ts';
import type { State } from './page.tsx';

/** Characters of a value that stand in a line. */
const VALUE_SHOWN = 120;

/** Fields now, or at a moment: each with who set it, and what it was before. */
export function FieldsView({
  shown,
  data,
  at,
  set,
}: {
  readonly shown: JsonObject;
  readonly data: Data;
  readonly at: number | null;
  readonly set: (change: Partial<State>, how?: 'push' | 'replace') => void;
}) {
  const [text, setText] = useState('');
  const [changed, onlyChanged] = useState(false);
  const last = data.entries.value;
  const n = at ?? last;
  const told = useMemo(() => fieldsTold(data.chronicle.entries, n), [last, n]);
  const fields = (shown['fields'] ?? {}) as JsonObject;
  const isFound = (name: string): boolean => name.toLowerCase().includes(text.toLowerCase());
  const lines = (told ?? []).filter((one) => isFound(one.name) && (!changed || one.life.some(({ n }) => n > 1)));
  return (
    <section class="stack" aria-label="Fields">
      <form class="row" role="search" onSubmit={(event) => event.preventDefault()}>
        <label class="row">
          <span class="small">Find a field</span>
          <input value={text} onInput={(event) => setText(event.currentTarget.value)} />
        </label>
        {told !== null && (
          <Button look="tiny" pressed={changed} onPress={() => onlyChanged(!changed)}>
            Changed since the launch
          </Button>
        )}
      </form>
      {told === null ? (
        <p class="note small">
          This history does not keep what was given, so only the fields of now are here. A server with{' '}
          <code>HISTORY_FIELDS=given</code> keeps them for what is launched from then on, with who set each.
        </p>
      ) : (
        <>
          <h2>What was given{at === null ? '' : <>, up to entry #{countText(at)}</>}</h2>
          {lines.length === 0 && <p class="note dim">No field {text === '' ? 'was given' : 'is called so'}.</p>}
          <ul class="panel told-fields">
            {lines.map((one) => (
              <FieldLine key={one.name} told={one} set={set} />
            ))}
          </ul>
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
      {before !== undefined && (
        <p class="told-line gone">
          <span aria-hidden="true">−</span>
          <span class="unseen">before: </span>
          <Value name={name} value={before.value} />
          <Who of={before} set={set} />
        </p>
      )}
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
