/* How times, ids and strangers' texts are said. */

const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
  ['s', 1],
] as const;

/** A length of time in two units at most: `2 d 14 h`, `12 s`, `0 s`. `units`: how many, where fewer are enough. */
export function spanText(milliseconds: number, units = 2): string {
  let rest = Math.max(0, Math.floor(milliseconds / 1_000));
  const said: string[] = [];
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size);
    if (said.length > 0 && count === 0) break;
    if (count > 0) {
      said.push(`${count} ${unit}`);
      rest -= count * size;
    }
    if (said.length === units) break;
  }
  return said.length === 0 ? '0 s' : said.join(' ');
}

/** `12 s ago`, `in 4 m`. */
export function ageText(at: number, now: number, units = 2): string {
  return at > now + 999 ? `in ${spanText(at - now, units)}` : `${spanText(now - at, units)} ago`;
}

/** The age as it stands in a page: in lists in one unit, beside the time itself in two. `before`: the time, where it stands before the age. */
export const agedText = (at: number, to: number, before: string): string =>
  before === '' ? ageText(at, to, 1) : `${before}, ${ageText(at, to)}`;

/** A span that is counted by the second, up from a moment or down to one. */
export const countedText = (counted: { readonly since: number } | { readonly until: number }, to: number): string =>
  spanText('since' in counted ? to - counted.since : counted.until - to);

export type Hours = '24' | '12';
const formats = new Map<string, Intl.DateTimeFormat>();
function formatOf(
  zone: 'local' | 'UTC',
  options: Intl.DateTimeFormatOptions,
  key: string,
  hours: Hours = '24',
): Intl.DateTimeFormat {
  const name = `${zone} ${key} ${hours}`;
  const known = formats.get(name);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat('en-GB', {
    ...options,
    ...(zone === 'UTC' ? { timeZone: 'UTC' } : {}),
    ...(hours === '12' ? { hourCycle: 'h12' } : {}),
  });
  formats.set(name, made);
  return made;
}

/** `07` */
const two = (value: number): string => String(value).padStart(2, '0');
/**
 * The clock alone, as `Intl` says it. That is loaded when it is first asked, which takes longer than a page has for its first picture, and most times
 * that are shown are of today.
 */
function clockText(at: number, zone: 'local' | 'UTC', hours: Hours): string {
  if (hours === '12')
    return formatOf(zone, { hour: '2-digit', minute: '2-digit', second: '2-digit' }, 'clock', hours).format(at);
  const time = new Date(at);
  return zone === 'UTC'
    ? `${two(time.getUTCHours())}:${two(time.getUTCMinutes())}:${two(time.getUTCSeconds())}`
    : `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
}
const isSameDay = (a: Date, b: Date, zone: 'local' | 'UTC'): boolean =>
  zone === 'UTC'
    ? Math.floor(a.getTime() / DAY_MS) === Math.floor(b.getTime() / DAY_MS)
    : a.toDateString() === b.toDateString();
const DAY_MS = 86_400_000;

/** The clock alone for today, the weekday within a week, else the date. */
export function timeText(at: number, now: number, zone: 'local' | 'UTC', hours: Hours = '24'): string {
  const clock = clockText(at, zone, hours);
  if (isSameDay(new Date(at), new Date(now), zone)) return clock;
  if (Math.abs(now - at) < 6 * DAY_MS) return `${formatOf(zone, { weekday: 'short' }, 'weekday').format(at)} ${clock}`;
  return `${formatOf(zone, { year: 'numeric', month: 'short', day: '2-digit' }, 'date').format(at)} ${clock}`;
}

/** As `timeText` without seconds, for where there is little room. */
export const momentText = (at: number, now: number, zone: 'local' | 'UTC', hours: Hours = '24'): string =>
  timeText(at, now, zone, hours).replace(/(\d\d:\d\d):\d\d( [ap]m)?$/, '$1$2');

export function wholeTimeText(at: number, zone: 'local' | 'UTC', hours: Hours = '24'): string {
  return formatOf(
    zone,
    {
      weekday: 'short',
      year: 'numeric',
      month: 'short',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      timeZoneName: 'short',
    },
    'whole',
    hours,
  ).format(at);
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
/** `05 Oct kogadeso-gekunute` of a workflow id; anything else as it is. */
export function shortId(id: string): string {
  const found = /^\d{4}(\d\d)(\d\d)-\d{4}-(\S+)$/.exec(id);
  return found === null ? id : `${found[2]} ${MONTHS[Number(found[1]) - 1] ?? ''} ${found[3]}`;
}

/** `0_1!7c1e…` of an expression's id. */
export const shortExpression = (id: string): string => id.replace(/!([0-9a-f]{4})[0-9a-f]{28}/, '!$1…');

const CONTROLS = /(?![\t\n\r])[\p{Cc}\p{Cf}]/gu;
/** Most texts: nothing in them has to be looked for. */
const PLAIN = /^[ -~]*$/;
/** A stranger's text with what cannot be seen made visible: `‹202E›`. */
export const visible = (text: string): string =>
  PLAIN.test(text)
    ? text
    : text.replace(CONTROLS, (one) => {
        const code = one.codePointAt(0) ?? 0;
        return code < 0x20
          ? String.fromCharCode(0x2400 + code)
          : `‹${code.toString(16).toUpperCase().padStart(4, '0')}›`;
      });

export const bytesText = (bytes: number): string =>
  bytes < 1_000
    ? `${bytes} B`
    : bytes < 1_000_000
      ? `${(bytes / 1_000).toFixed(1)} kB`
      : `${(bytes / 1_000_000).toFixed(1)} MB`;

export { countText } from '../picture/count.ts';
