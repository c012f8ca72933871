import { ahead, now } from '../live/now.ts';
import { agedText, countedText } from './texts.ts';

/*
 * Texts that grow older while they stand in the page. There may be hundreds of them, so they are neither rendered anew nor wake each other: the clock
 * looks at what stands there and changes the letters that are other ones.
 */

/** How old something is, is told anew so often, in milliseconds; what is counted by the second ticks with the clock. */
export const AGES_EVERY_MS = 10_000;

/** Of `<time>`: what follows its time, if anything, and then its age. */
const AGED = 'time[data-age]';
/** Counted by the second: since `data-since`, until `data-until` (milliseconds since 1970). */
const COUNTED = '.counted';

function tell(element: HTMLElement, text: string): void {
  const { firstChild } = element;
  if (firstChild instanceof Text && firstChild.data !== text) firstChild.data = text;
}

let toldAt = now.peek();
let toldAhead = ahead.peek();
now.subscribe((to) => {
  for (const one of document.querySelectorAll<HTMLElement>(COUNTED)) {
    const { since, until } = one.dataset;
    tell(one, countedText(since === undefined ? { until: Number(until) } : { since: Number(since) }, to));
  }
  // A clock that was moved makes everything older at once.
  if (to - toldAt < AGES_EVERY_MS && toldAhead === ahead.peek()) return;
  toldAt = to;
  toldAhead = ahead.peek();
  for (const one of document.querySelectorAll<HTMLTimeElement>(AGED))
    tell(one, agedText(Date.parse(one.dateTime), to, one.dataset['age'] ?? ''));
});
