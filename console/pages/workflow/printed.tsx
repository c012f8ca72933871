import type { JsonObject } from '../../../src/model/json.ts';
import { Text, Time } from '../../parts/said.tsx';
import { countText, spanText, visible } from '../../parts/texts.ts';
import { everyPlace, lineOf, type Place } from '../../picture/figure.ts';
import type { Seen } from '../../picture/states.ts';
import { storyOf } from '../../picture/story.ts';
import { fieldsTold } from '../../picture/told.ts';
import { pinsOf } from './box.tsx';
import type { Data } from './data.ts';

/** Lines of each part that are printed, and characters of a value. */
const PLACES_MAX = 500;
const FIELDS_MAX = 200;
const STEPS_MAX = 300;
const VALUE_SHOWN = 400;

/** A workflow on paper, below its sentence: its outline, its fields, and its story. */
export function Printed({
  figure,
  seen,
  shown,
  data,
  n,
}: {
  readonly figure: Place | null;
  readonly seen: ReadonlyMap<string, Seen>;
  readonly shown: JsonObject;
  readonly data: Data;
  /** The entry up to which it is told. */
  readonly n: number;
}) {
  const entries = data.chronicle.entries.slice(0, n);
  const places = figure === null ? [] : [...everyPlace(figure)];
  const steps = storyOf(entries);
  const told = fieldsTold(entries, n);
  const fields = (told ?? []).map(({ name, life }) => ({ name, value: life.at(-1)?.value, by: life.at(-1) ?? null }));
  const now = Object.entries((shown['fields'] ?? {}) as JsonObject).map(([name, value]) => ({ name, value, by: null }));
  const all = told === null ? now : fields;
  return (
    <div class="printed">
      {places.length > 0 && (
        <section>
          <h2>Outline</h2>
          <table>
            <thead>
              <tr>
                <th scope="col">Text</th>
                <th scope="col">State</th>
                <th scope="col">What is known</th>
                <th scope="col">Since</th>
                <th scope="col">Took</th>
              </tr>
            </thead>
            <tbody>
              {places.slice(0, PLACES_MAX).map((place) => (
                <PlaceLine key={place.expid} place={place} seen={seen.get(place.expid)} />
              ))}
            </tbody>
          </table>
          <Rest of="places" count={places.length} most={PLACES_MAX} />
        </section>
      )}
      <section>
        <h2>Fields</h2>
        {all.length === 0 ? (
          <p>It has none.</p>
        ) : (
          <table>
            <tbody>
              {all.slice(0, FIELDS_MAX).map(({ name, value, by }) => (
                <tr key={name}>
                  <th scope="row">
                    <Text text={name} />
                  </th>
                  <td class="mono">
                    <Text text={shortOf(value)} />
                  </td>
                  <td>{by !== null && <Text text={`#${countText(by.n)} ${by.who}`} />}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
        <Rest of="fields" count={all.length} most={FIELDS_MAX} />
      </section>
      <section>
        <h2>History</h2>
        <table>
          <tbody>
            {steps.slice(-STEPS_MAX).map(({ entries: [first], text }) => (
              <tr key={first?.n}>
                <td class="number">#{countText(first?.n ?? 0)}</td>
                <td class="when">
                  <Time at={first?.at ?? null} how="time" />
                </td>
                <td>
                  <Text text={text} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        <Rest of="steps" count={steps.length} most={STEPS_MAX} last />
      </section>
    </div>
  );
}

function PlaceLine({ place, seen }: { readonly place: Place; readonly seen: Seen | undefined }) {
  const depth = Math.min(12, place.expid.split('_').length - 1);
  const since = seen?.live[0]?.since ?? seen?.ended?.at ?? null;
  const ended = seen?.live.length === 0 ? (seen.ended?.end ?? null) : null;
  return (
    <tr>
      <td class="mono" style={{ paddingLeft: `${depth * 12}px` }}>
        <bdi>{visible(lineOf(place))}</bdi>
      </td>
      <td>{seen?.state ?? 'to come'}</td>
      <td>
        {seen !== undefined && (
          <Text
            text={pinsOf(seen)
              .map(({ words }) => words)
              .join(' · ')}
          />
        )}
      </td>
      <td class="when">{since !== null && <Time at={since} how="time" />}</td>
      <td class="when">
        {ended !== null && seen?.ended ? spanText(Date.parse(ended.at) - Date.parse(seen.ended.at)) : ''}
      </td>
    </tr>
  );
}

const Rest = ({
  of,
  count,
  most,
  last = false,
}: {
  readonly of: string;
  readonly count: number;
  readonly most: number;
  readonly last?: boolean;
}) =>
  count > most ? (
    <p>
      Only the {last ? 'last' : 'first'} {countText(most)} of {countText(count)} {of} are printed.
    </p>
  ) : null;

function shortOf(value: unknown): string {
  const text = JSON.stringify(value) ?? '';
  return text.length > VALUE_SHOWN ? `${text.slice(0, VALUE_SHOWN)}…` : text;
}
