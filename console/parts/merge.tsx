import { useState } from 'preact/hooks';
import type { Json, JsonObject } from '../../src/model/json.ts';
import { Button } from './action.tsx';
import { type Merged, mergeOf } from './diff.ts';
import { Text } from './said.tsx';

/** Somebody else has changed it meanwhile: field by field, what was, theirs, and mine. */
export function Merge({
  before,
  theirs,
  mine,
  take,
}: {
  readonly before: JsonObject;
  readonly theirs: JsonObject;
  readonly mine: JsonObject;
  readonly take: (merged: JsonObject) => void;
}) {
  const rows = mergeOf(before, theirs, mine);
  const [chosen, choose] = useState<{ readonly [name: string]: 'theirs' | 'mine' }>({});
  const sideOf = (one: Merged): 'theirs' | 'mine' | null =>
    chosen[one.name] ??
    (one.conflict ? null : JSON.stringify(one.mine) === JSON.stringify(one.before) ? 'theirs' : 'mine');
  const open = rows.filter((one) => sideOf(one) === null).length;
  const shown = (value: Json | undefined): string => (value === undefined ? '' : JSON.stringify(value).slice(0, 500));
  return (
    <section class="problem" aria-label="Changed by somebody else">
      <p role="status">
        Somebody else has changed this workitem meanwhile. Nothing of yours is lost: choose for each field.
      </p>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              {['Field', 'Before', 'Theirs', 'Mine'].map((title) => (
                <th key={title} scope="col">
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((one) => (
              <tr key={one.name}>
                <th scope="row">
                  <Text text={one.name} />
                </th>
                <td class="mono small">
                  <Text text={shown(one.before)} />
                </td>
                {(['theirs', 'mine'] as const).map((side) => (
                  <td key={side}>
                    <label class="row mono small">
                      <input
                        type="radio"
                        name={`merge-${one.name}`}
                        checked={sideOf(one) === side}
                        aria-label={`${one.name}: ${side}`}
                        onChange={() => choose({ ...chosen, [one.name]: side })}
                      />
                      <Text text={shown(one[side])} />
                    </label>
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p>
        <Button
          look="primary"
          why={open === 0 ? null : `${open} to choose yet`}
          onPress={() =>
            take({
              ...theirs,
              ...Object.fromEntries(
                rows.flatMap((one) => {
                  const value = one[sideOf(one) ?? 'theirs'];
                  return value === undefined ? [] : [[one.name, value]];
                }),
              ),
            })
          }
        >
          Go on with these
        </Button>
      </p>
    </section>
  );
}
