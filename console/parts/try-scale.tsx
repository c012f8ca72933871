import type { JsonObject } from '../../src/model/json.ts';
import { now } from '../live/now.ts';
import { textOf, textOrNull } from '../picture/standing.ts';
import { timeScale } from '../picture/time-scale.ts';
import { Time } from './said.tsx';
import { countText, spanText } from './texts.ts';

/** Try numbers are written where the marks stand so far apart, in percent of the line. */
const APART = 4;

/**
 * Tries on a line of time, from when the workitem was opened until now or the next try: what was answered, what was not, and what is to come. Long
 * stretches without any are cut. The same stands in the table of tries.
 */
export function TryScale({
  openedAt,
  tries,
  nextAt,
}: {
  readonly openedAt: string | null;
  /** In any order. */
  readonly tries: readonly JsonObject[];
  readonly nextAt: string | null;
}) {
  const marks = tries
    .map((one) => ({
      at: Date.parse(textOf(one['at'])),
      number: Number(one['try'] ?? 0),
      isGood: typeof one['status'] === 'number' && one['status'] < 300,
    }))
    .filter(({ at }) => !Number.isNaN(at))
    .sort((a, b) => a.at - b.at);
  const next = nextAt === null ? Number.NaN : Date.parse(nextAt);
  const first = Math.min(Date.parse(openedAt ?? ''), ...marks.map(({ at }) => at));
  if (marks.length === 0 || Number.isNaN(first)) return null;
  const clock = now.value;
  const end = Math.max(clock, ...marks.map(({ at }) => at), ...(Number.isNaN(next) ? [] : [next]));
  const times = [...marks.map(({ at }) => at), clock, ...(Number.isNaN(next) ? [] : [next])];
  const scale = timeScale(first, end, times);
  const at = (time: number) => ({ left: `${scale.x(time).toFixed(2)}%` });
  const bad = marks.filter(({ isGood }) => !isGood).length;
  let numbered = Number.NEGATIVE_INFINITY;
  return (
    <figure class="try-scale">
      <div
        class="line"
        role="img"
        aria-label={`${countText(marks.length)} tries over ${spanText((marks.at(-1)?.at ?? first) - first)}, ${countText(bad)} of them failed${Number.isNaN(next) ? '' : `; the next in ${spanText(Math.max(0, next - clock))}`}`}
      >
        {scale.cuts.map(({ from, to }) => (
          <span
            key={from}
            class="cut"
            style={{ left: `${scale.x(from)}%`, width: `${scale.x(to) - scale.x(from)}%` }}
          />
        ))}
        <span class="now" style={at(clock)} />
        {marks.map((one) => {
          const x = scale.x(one.at);
          const isNumbered = x - numbered >= APART;
          if (isNumbered) numbered = x;
          return (
            <span key={`${one.number} ${one.at}`} class={`mark ${one.isGood ? 'good' : 'bad'}`} style={at(one.at)}>
              {isNumbered && <span class="number">{one.number}</span>}
            </span>
          );
        })}
        {!Number.isNaN(next) && next >= clock && <span class="mark next" style={at(next)} />}
      </div>
      <figcaption class="row apart small dim">
        <span>
          opened <Time at={openedAt} how="time" />
        </span>
        <span>
          {scale.cuts.length > 0 && 'hatched: cut short · '}
          {Number.isNaN(next) ? (
            'until now'
          ) : (
            <>
              next <Time at={textOrNull(nextAt)} how="time" />
            </>
          )}
        </span>
      </figcaption>
    </figure>
  );
}
