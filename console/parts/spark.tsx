import type { JsonObject } from '../../src/model/json.ts';
import { Time } from './said.tsx';
import { lineThrough, MINUTES, pointsOf, type Series, toldOf } from './spark-model.ts';
import { countText, spanText } from './texts.ts';

/* Small charts of the last minutes, each with its numbers as a table. */

const HEIGHT = 20;

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
  const points = pointsOf({ of, sum }, minutes, now, over);
  const most = toldOf(points, 'largest');
  return (
    <figure class="panel stack tight">
      <figcaption>
        <b class="middling">{say(toldOf(points, sum))}</b> <span class="dim">{word}</span>
      </figcaption>
      <svg class="spark" viewBox={`0 0 ${MINUTES} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        {points.map(({ at, place, value }) => {
          const height = most === 0 ? 0 : Math.max(value === 0 ? 0 : 1, (HEIGHT * value) / most);
          return (
            <rect key={at} x={place + 0.1} y={HEIGHT - height} width={0.8} height={height} fill={`var(--${look})`} />
          );
        })}
      </svg>
      <p class="row apart small dim">
        <span>{over === MINUTES ? 'an hour' : spanText(over * 60_000)} ago</span>
        <span>now</span>
      </p>
      <details class="small">
        <summary>As numbers</summary>
        {points.length === 0 ? (
          <p class="dim">Nothing happened in this time.</p>
        ) : (
          <table>
            <tbody>
              {points.map(({ at, value }) => (
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
    <span class="spark-cell">
      <svg
        class="spark-line"
        viewBox={`0 0 ${hours.length} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${countText(sum)} in the last ${hours.length} hours, ${countText(hours.at(-1) ?? 0)} in the last`}
      >
        {hours.map((one, i) => {
          const height = one === 0 ? 0 : Math.max(1, (HEIGHT * one) / most);
          return <rect key={i} x={i + 0.1} y={HEIGHT - height} width={0.8} height={height} fill="var(--failed)" />;
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

/** The same as a small line below a figure, with what it comes to in words. Its numbers stand in the chart of the same series. */
export function SparkLine({
  series: { word, of, sum, say = countText, look = 'live' },
  minutes,
  now,
  over = MINUTES,
}: Parameters<typeof Spark>[0]) {
  const points = pointsOf({ of, sum }, minutes, now, over);
  return (
    <span class="figure-line">
      <svg viewBox={`0 -1 ${MINUTES - 1} ${HEIGHT + 2}`} preserveAspectRatio="none" aria-hidden="true">
        <polyline points={lineThrough(points, HEIGHT)} stroke={`var(--${look})`} />
      </svg>
      <span class="small dim">
        {say(toldOf(points, sum))} {word}
      </span>
    </span>
  );
}
