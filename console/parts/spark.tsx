import { isObject, type Json, type JsonObject } from '../../src/model/json.ts';
import { textOf } from '../picture/standing.ts';
import { Time } from './said.tsx';
import { countText, spanText } from './texts.ts';

/* Small charts of the last minutes, each with its numbers as a table. */

/** Minutes a spark looks back. */
export const MINUTES = 60;

export type Series = {
  readonly word: string;
  /** Of one minute; null: nothing was measured. */
  readonly of: (minute: JsonObject) => number | null;
  /** What stands before the word: the sum of all minutes, or the largest of them. */
  readonly sum: 'sum' | 'largest';
  readonly say?: (value: number) => string;
  readonly look?: 'live' | 'done' | 'failed' | 'waits';
};

/** A bar a minute, the sum in words, and the numbers behind a fold. `now`: by the clock of the server, RFC 3339. */
export function Spark({
  series: { word, of, sum, say = countText, look = 'live' },
  minutes,
  now,
  over = MINUTES,
}: {
  readonly series: Series;
  readonly minutes: readonly JsonObject[];
  readonly now: string;
  /** Minutes that are looked back. */
  readonly over?: number;
}) {
  const size = Math.ceil(over / MINUTES);
  const end = Math.floor(Date.parse(now) / 60_000 / size);
  // Beyond an hour a bar stands for several minutes.
  const bars = new Map<number, { readonly at: string; value: number }>();
  for (const one of minutes) {
    const at = textOf(one['at']);
    const bar = Math.floor(Date.parse(at) / 60_000 / size);
    const value = of(one) ?? 0;
    const known = bars.get(bar);
    if (known === undefined) bars.set(bar, { at, value });
    else known.value = sum === 'largest' ? Math.max(known.value, value) : known.value + value;
  }
  const values = [...bars.values()];
  const most = Math.max(...values.map(({ value }) => value), 0);
  const told = sum === 'largest' ? most : values.reduce((total, { value }) => total + value, 0);
  return (
    <figure class="panel stack tight">
      <figcaption>
        <b class="middling">{say(told)}</b> <span class="dim">{word}</span>
      </figcaption>
      <svg class="spark" viewBox={`0 0 ${MINUTES} 20`} preserveAspectRatio="none" aria-hidden="true">
        {values.map(({ at, value }) => {
          const height = most === 0 ? 0 : Math.max(value === 0 ? 0 : 1, (20 * value) / most);
          const x = MINUTES - 1 - (end - Math.floor(Date.parse(at) / 60_000 / size));
          return <rect key={at} x={x + 0.1} y={20 - height} width={0.8} height={height} fill={`var(--${look})`} />;
        })}
      </svg>
      <p class="row apart small dim">
        <span>{over === MINUTES ? 'an hour' : spanText(over * 60_000)} ago</span>
        <span>now</span>
      </p>
      <details class="small">
        <summary>As numbers</summary>
        {values.length === 0 ? (
          <p class="dim">Nothing happened in this time.</p>
        ) : (
          <table>
            <tbody>
              {values.map(({ at, value }) => (
                <tr key={at}>
                  <th scope="row">
                    <Time at={at} how="time" />
                  </th>
                  <td class="number">{say(value)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </details>
    </figure>
  );
}

/** A bar an hour until now, in a line of a table; what it shows is said, too. */
export function HourSpark({ hours }: { readonly hours: readonly number[] }) {
  if (hours.length === 0) return <span class="dim">–</span>;
  const most = Math.max(...hours, 1);
  const sum = hours.reduce((total, one) => total + one, 0);
  return (
    <span class="row tight">
      <svg
        class="spark-line"
        viewBox={`0 0 ${hours.length} ${SPARK_HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${countText(sum)} in the last ${hours.length} hours, ${countText(hours.at(-1) ?? 0)} in the last`}
      >
        {hours.map((one, i) => {
          const height = one === 0 ? 0 : Math.max(1, (SPARK_HEIGHT * one) / most);
          return (
            <rect key={i} x={i + 0.1} y={SPARK_HEIGHT - height} width={0.8} height={height} fill="var(--failed)" />
          );
        })}
      </svg>
      <span class="small dim" aria-hidden="true">
        {countText(sum)}
      </span>
    </span>
  );
}

/** The hours of a spark as numbers. */
export const HourTable = ({ hours }: { readonly hours: readonly number[] }) => {
  const found = hours.map((count, i) => ({ count, ago: hours.length - i })).filter(({ count }) => count > 0);
  if (hours.length === 0) return null;
  return (
    <details class="small">
      <summary>The last {hours.length} hours as numbers</summary>
      {found.length === 0 ? (
        <p class="dim">None of them happened in this time.</p>
      ) : (
        <table>
          <tbody>
            {found.map(({ count, ago }) => (
              <tr key={ago}>
                <th scope="row">{ago === 1 ? 'in the last hour' : `${ago - 1} to ${ago} hours ago`}</th>
                <td class="number">{countText(count)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </details>
  );
};

const SPARK_HEIGHT = 20;

export const numberIn = (value: Json | undefined, ...path: readonly string[]): number | null => {
  const found = path.reduce<Json | undefined>(
    (one, name) => (isObject(one ?? null) ? (one as JsonObject)[name] : undefined),
    value,
  );
  return typeof found === 'number' ? found : null;
};
