/* The formats of JSON Schema that are looked at. Each takes linear time. */

const TIME = /^([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(?:\.\d{1,18})?(z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/i;
const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
/** Longer texts are none of these. */
const LENGTH_MAX = 8_192;

function isDate(text: string): boolean {
  const [, year = '', month = '', day = ''] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text) ?? [];
  const days = DAYS[Number(month) - 1];
  if (days === undefined || Number(day) < 1 || Number(day) > days) return false;
  const y = Number(year);
  return month !== '02' || day !== '29' || (y % 4 === 0 && (y % 100 !== 0 || y % 400 === 0));
}

/** A leap second is the last of a day in UTC. */
function isTime(text: string): boolean {
  const [, hour, minute, second, zone = ''] = TIME.exec(text) ?? [];
  if (hour === undefined) return false;
  if (second !== '60') return true;
  const [, sign, hours = '0', minutes = '0'] = /^([+-])(\d\d):(\d\d)$/.exec(zone) ?? [];
  const ahead = (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
  return (Number(hour) * 60 + Number(minute) - ahead + 2 * 1_440) % 1_440 === 1_439;
}

const isDateTime = (text: string): boolean =>
  /^.{10}[t ]/i.test(text) && isDate(text.slice(0, 10)) && isTime(text.slice(11));

const isDuration = (text: string): boolean =>
  /^P(?:\d{1,20}W|(?=\d|T\d)(?:\d{1,20}Y(?:\d{1,20}M(?:\d{1,20}D)?)?|\d{1,20}M(?:\d{1,20}D)?|\d{1,20}D)?(?:T(?:\d{1,20}H(?:\d{1,20}M(?:\d{1,20}S)?)?|\d{1,20}M(?:\d{1,20}S)?|\d{1,20}S))?)$/.test(
    text,
  );

function isEmail(text: string): boolean {
  const split = text.lastIndexOf('@');
  const [name, host] = [text.slice(0, split), text.slice(split + 1)];
  if (split < 1 || name.length > 64 || host.length > 253) return false;
  const isDotted = /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*$/.test(name);
  if (!isDotted && !/^"(?:[^"\\\r\n]|\\[^\r\n])*"$/.test(name)) return false;
  const literal = /^\[(?:IPv6:)?([^\]]*)\]$/i.exec(host)?.[1];
  if (literal !== undefined) return host.startsWith('[I') || host.startsWith('[i') ? isIpv6(literal) : isIpv4(literal);
  return host.split('.').every((label) => /^[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?$/i.test(label));
}

function isUri(text: string): boolean {
  if (!/^[a-z][a-z\d+.-]*:[\w\-.~:/?#[\]@!$&'()*+,;=%]*$/i.test(text)) return false;
  if (/%(?![\da-f]{2})/i.test(text) || (text.match(/#/g) ?? []).length > 1) return false;
  const [, authority] = /^[^:]*:\/\/([^/?#]*)/.exec(text) ?? [];
  if (authority === undefined) return !/[[\]]/.test(text.slice(text.indexOf(':') + 1));
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  const [, address] = /^\[([^\]]*)\](?::\d*)?$/.exec(host) ?? [];
  if (address !== undefined) return isIpv6(address) || /^v[\da-f]+\.[\w\-.~!$&'()*+,;=:]+$/i.test(address);
  return /^[^[\]:]*(?::\d*)?$/.test(host) && !/[[\]]/.test(authority.slice(0, authority.lastIndexOf('@') + 1));
}

const isUuid = (text: string): boolean => /^[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/i.test(text);

const isIpv4 = (text: string): boolean =>
  /^(?:\d{1,3}\.){3}\d{1,3}$/.test(text) &&
  text.split('.').every((part) => Number(part) <= 255 && (part === '0' || !part.startsWith('0')));

function isIpv6(text: string): boolean {
  const halves = text.split('::');
  if (halves.length > 2 || text.length > 45) return false;
  const partsOf = (half: string): readonly string[] => (half === '' ? [] : half.split(':'));
  const parts = halves.flatMap(partsOf);
  const last = parts.at(-1) ?? '';
  const isMixed = last.includes('.');
  // An IPv4 address stands at the very end, and takes the place of two parts.
  if (isMixed && (!isIpv4(last) || text.endsWith('::'))) return false;
  const words = isMixed ? parts.slice(0, -1) : parts;
  if (!words.every((word) => /^[\da-f]{1,4}$/i.test(word))) return false;
  const count = words.length + (isMixed ? 2 : 0);
  return halves.length === 2 ? count < 8 : count === 8;
}

const FORMATS: ReadonlyMap<string, (text: string) => boolean> = new Map([
  ['date', isDate],
  ['time', isTime],
  ['date-time', isDateTime],
  ['duration', isDuration],
  ['email', isEmail],
  ['uri', isUri],
  ['uuid', isUuid],
  ['ipv4', isIpv4],
  ['ipv6', isIpv6],
]);

/** Whether a text is of this format; null: the format says nothing here. */
export function formatOf(format: string): ((text: string) => boolean) | null {
  const isGood = FORMATS.get(format);
  return isGood === undefined ? null : (text) => text.length <= LENGTH_MAX && isGood(text);
}
