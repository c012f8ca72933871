import { useMemo, useState } from 'preact/hooks';
import { Button } from '../../parts/action.tsx';
import { Glyph } from '../../parts/glyph.tsx';
import { countText, visible } from '../../parts/texts.ts';
import type { Chronicle } from '../../picture/chronicle.ts';
import { everyPlace, type Place } from '../../picture/figure.ts';
import type { Standing } from '../../picture/standing.ts';
import { type Mark, type PlaceState, type Seen, statesOf } from '../../picture/states.ts';
import { LOOKS } from './box.tsx';
import { LANES_MAX } from './diagram.tsx';
import type { State } from './page.tsx';

/** Branches that are listed, and places of a lane that are compared. */
const LISTED_MAX = 50;
const PLACES_MAX = 60;

/** The branches of a crowd: found by number, element or state, chosen one by one, and up to four compared place by place. */
export function Branches({
  place,
  seen,
  figure,
  standing,
  past,
  state,
  set,
}: {
  readonly place: Place;
  readonly seen: Seen;
  readonly figure: Place;
  readonly standing: Standing;
  readonly past: Chronicle | null;
  readonly state: State;
  readonly set: (change: Partial<State>, how?: 'push' | 'replace') => void;
}) {
  const [text, setText] = useState('');
  const [wanted, want] = useState<PlaceState | ''>('');
  const { marks } = seen;
  const found = marks
    .map((mark, i) => ({ mark, i }))
    .filter(({ mark, i }) => (wanted === '' || mark.state === wanted) && isMeant(mark, i, text.trim()));
  const states = [...new Set(marks.map((one) => one.state))];
  const toggle = (id: string): void =>
    set(
      { lanes: state.lanes.includes(id) ? state.lanes.filter((one) => one !== id) : [...state.lanes, id] },
      'replace',
    );
  return (
    <section class="stack tight" aria-label="Branches">
      <div class="row">
        <label class="row">
          <span class="unseen">Number or text of a branch</span>
          <input
            class="narrow"
            placeholder="number or text"
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </label>
        <select
          class="narrow"
          aria-label="State of branches"
          value={wanted}
          onChange={(event) => want(event.currentTarget.value as PlaceState | '')}
        >
          <option value="">any state</option>
          {states.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
      </div>
      <p class="small dim" aria-live="polite">
        {countText(found.length)} of {countText(marks.length)} branches
        {found.length > LISTED_MAX ? `, the first ${LISTED_MAX}` : ''}
      </p>
      <ul class="small branch-list">
        {found.slice(0, LISTED_MAX).map(({ mark, i }) => (
          <li key={mark.id} class="row">
            <input
              type="checkbox"
              aria-label={`Compare branch ${i + 1}`}
              checked={state.lanes.includes(mark.id)}
              disabled={!state.lanes.includes(mark.id) && state.lanes.length >= LANES_MAX}
              onChange={() => toggle(mark.id)}
            />
            <button type="button" class="more-link" onClick={() => set({ sel: mark.id })}>
              #{countText(i + 1)} <bdi>{visible(mark.element ?? '')}</bdi>
            </button>
            <span class={`sign ${LOOKS[mark.state]}`}>
              <Glyph name={mark.state} size={12} />
            </span>{' '}
            {mark.state}
          </li>
        ))}
      </ul>
      {/* Branches that are places of their own have none in common; they stand side by side in the picture. */}
      {state.lanes.length > 1 && place.kind === 'crowd' && (
        <Lanes place={place} marks={marks} figure={figure} standing={standing} past={past} lanes={state.lanes} />
      )}
      {state.lanes.length > 0 && (
        <p>
          <Button look="tiny" onPress={() => set({ lanes: [] }, 'replace')}>
            Compare none
          </Button>
        </p>
      )}
    </section>
  );
}

/** A number means the branch of that number; anything else is looked for in the elements. */
const isMeant = ({ element }: Mark, i: number, text: string): boolean =>
  text === '' ||
  (/^#?\d+$/.test(text) ? i + 1 === Number(text.replace('#', '')) : false) ||
  (element ?? '').toLowerCase().includes(text.toLowerCase());

/** The places of a lane, and how each stands in each of the branches. */
function Lanes({
  place,
  marks,
  figure,
  standing,
  past,
  lanes,
}: {
  readonly place: Place;
  readonly marks: readonly Mark[];
  readonly figure: Place;
  readonly standing: Standing;
  readonly past: Chronicle | null;
  readonly lanes: readonly string[];
}) {
  const known = lanes.filter((id) => marks.some((one) => one.id === id)).slice(0, LANES_MAX);
  const looks = useMemo(
    () => known.map((id) => statesOf(figure, standing, past, id)),
    [known.join(), figure, standing, past?.last],
  );
  const lane = place.children.at(-1);
  if (lane === undefined) return null;
  return (
    <div class="scroll">
      <table class="small">
        <thead>
          <tr>
            <th scope="col">Place</th>
            {known.map((id) => {
              const i = marks.findIndex((one) => one.id === id);
              return (
                <th scope="col" key={id}>
                  #{countText(i + 1)} <bdi>{visible(marks[i]?.element ?? '')}</bdi>
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>
          {[...everyPlace(lane)].slice(0, PLACES_MAX).map((one) => (
            <tr key={one.expid}>
              <th scope="row">
                <bdi>{visible(one.title)}</bdi>
              </th>
              {looks.map((seen, i) => {
                const found = seen.get(one.expid)?.state ?? 'to come';
                return (
                  <td key={known[i]}>
                    <span class={`sign ${LOOKS[found]}`}>
                      <Glyph name={found} size={12} />
                    </span>{' '}
                    {found}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
