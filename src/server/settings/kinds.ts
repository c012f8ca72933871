import type { Json } from '../../model/json.ts';
import { type Rate, readRate } from '../../runtime/windows.ts';

/* The kinds of settings. A kind says how a text is read, what to say when it cannot be, and what its JSON Schema is. */

/** One setting: everything there is to know about it. */
export type Setting<Value = unknown> = {
  /** As a variable of the environment; in the file the same in lower case, as a flag `--data-dir`. */
  readonly name: string;
  /** One line for people, with `code` as in Markdown. */
  readonly meaning: string;
  /** What stands in the column *Default*: a value, or words where it depends on something. */
  readonly default: string;
  /** Its value is never shown, it may be read from a file named by `<name>_FILE`, and there is no flag for it. */
  readonly secret: boolean;
  readonly schema: Readonly<Record<string, unknown>>;
  /** In the file it is written as it is built, and everywhere else as JSON. */
  readonly structured?: true;
  /** It stands in the file alone: neither the environment nor a flag sets it. */
  readonly fileOnly?: true;
  /** What is used when nothing is given. */
  readonly fallback: Value;
  /** @returns the value, or what it must be ("a whole number from 0 to 65535") */
  readonly read: (text: string) => { readonly value: Value } | { readonly wanted: string };
};

type About = { readonly meaning: string; readonly shown?: string; readonly secret?: boolean };

const setting = <Value>(
  name: string,
  fallback: Value,
  about: About & { readonly otherwise: string },
  schema: Readonly<Record<string, unknown>>,
  read: Setting<Value>['read'],
): Setting<Value> => ({
  name,
  meaning: about.meaning,
  default: about.shown ?? about.otherwise,
  secret: about.secret ?? false,
  schema,
  fallback,
  read,
});

/** Any text that passes `isGood`. `fallback` null: nothing. */
export const text = <Fallback extends string | null>(
  name: string,
  fallback: Fallback,
  about: About & { readonly wanted?: string; readonly isGood?: (text: string) => boolean },
): Setting<string | Fallback> =>
  setting<string | Fallback>(
    name,
    fallback,
    { ...about, otherwise: fallback ?? 'none' },
    { type: 'string' },
    (value) => ((about.isGood?.(value) ?? true) ? { value } : { wanted: about.wanted ?? 'a text' }),
  );

type Bounds = { readonly from: number; readonly to: number };

const numeric = (name: string, fallback: number, about: About & Bounds, whole: boolean): Setting<number> => {
  const { from, to } = about;
  const schema = { type: whole ? 'integer' : 'number', minimum: from, maximum: to };
  return setting(name, fallback, { ...about, otherwise: String(fallback) }, schema, (value) => {
    const read = readNumber(value);
    return read !== null && read >= from && read <= to && (!whole || Number.isInteger(read))
      ? { value: read }
      : { wanted: `a ${whole ? 'whole ' : ''}number from ${from} to ${to}` };
  });
};
export const integer = (name: string, fallback: number, about: About & Bounds): Setting<number> =>
  numeric(name, fallback, about, true);
/** Decimal places are allowed. */
export const number = (name: string, fallback: number, about: About & Bounds): Setting<number> =>
  numeric(name, fallback, about, false);

export const choice = <const Value extends string>(
  name: string,
  fallback: NoInfer<Value>,
  values: readonly Value[],
  about: About,
): Setting<Value> =>
  setting<Value>(name, fallback, { ...about, otherwise: fallback }, { enum: values }, (given) => {
    const value = values.find((one) => one === given);
    return value === undefined ? { wanted: `one of ${values.join(', ')}` } : { value };
  });

/** `0` or `1`; in the file also `true` and `false`. `fallback` null: it depends, and `shown` says on what. */
export const flag = <Fallback extends boolean | null>(
  name: string,
  fallback: Fallback,
  about: About,
): Setting<boolean | Fallback> =>
  setting<boolean | Fallback>(
    name,
    fallback,
    { ...about, otherwise: fallback === true ? '1' : '0' },
    { enum: [0, 1, true, false] },
    (value) => (value === '0' || value === '1' ? { value: value === '1' } : { wanted: '0 or 1' }),
  );

/** `0`, `1`, or a list of what alone is meant; null where nothing is given. */
export const flagOrList = (
  name: string,
  about: About & { readonly wanted: string; readonly most: number; readonly isGood: (part: string) => boolean },
): Setting<boolean | readonly string[] | null> =>
  setting<boolean | readonly string[] | null>(
    name,
    null,
    { ...about, otherwise: 'none' },
    {
      anyOf: [
        { enum: [0, 1, true, false] },
        { type: 'string' },
        { type: 'array', items: { type: 'string' }, maxItems: about.most },
      ],
    },
    (value) => {
      if (value === '0' || value === '1') return { value: value === '1' };
      const parts = value.split(',').map((part) => part.trim());
      return parts.every(about.isGood) && parts.length <= about.most ? { value: parts } : { wanted: about.wanted };
    },
  );

/** A list, or texts separated by commas, each of which is read by itself; `read` answers null for one that is not good. */
export const list = <Value>(
  name: string,
  fallback: readonly Value[],
  about: About & {
    readonly wanted: string;
    readonly most: number;
    readonly read: (part: string) => Value | null;
  },
): Setting<readonly Value[]> =>
  setting<readonly Value[]>(
    name,
    fallback,
    { ...about, otherwise: 'none' },
    { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' }, maxItems: about.most }] },
    (value) => {
      const parts = value.split(',').map((part) => part.trim());
      const good = parts.map(about.read).filter((read) => read !== null);
      return good.length === parts.length && good.length <= about.most
        ? { value: good as readonly Value[] }
        : { wanted: about.wanted };
    },
  );

/** What is more than a value or a list of them; `read` answers what it must be for one that is not good. */
export const structure = <Value>(
  name: string,
  fallback: Value,
  about: About & {
    readonly schema: Readonly<Record<string, unknown>>;
    readonly read: (given: Json) => { readonly value: Value } | { readonly wanted: string };
  },
): Setting<Value> => ({
  ...setting<Value>(name, fallback, { ...about, otherwise: 'none' }, about.schema, (text) => {
    let given: Json;
    try {
      given = JSON.parse(text) as Json;
    } catch {
      return { wanted: 'JSON, or in the file what it means' };
    }
    return about.read(given);
  }),
  structured: true,
});

/** So many in so many seconds, `600/60`. */
export const rate = <Fallback extends Rate | null>(
  name: string,
  fallback: Fallback,
  about: About,
): Setting<Rate | Fallback> =>
  setting<Rate | Fallback>(
    name,
    fallback,
    { ...about, otherwise: fallback === null ? 'none' : `${fallback.count}/${fallback.seconds}` },
    { type: 'string' },
    (text) => {
      const value = readRate(text);
      return value === null ? { wanted: 'a number of requests and of seconds, such as 600/60' } : { value };
    },
  );

/** A schedule longer than this, or one that waits longer between two tries, is a slip of the pen. */
const DELAYS_MAX = 100;
const DELAY_SECONDS_MAX = 366 * 86_400;

/** Seconds between tries: a list, or numbers separated by commas. */
export const delays = (name: string, fallback: readonly number[], about: About): Setting<readonly number[]> =>
  setting<readonly number[]>(
    name,
    fallback,
    { ...about, otherwise: fallback.join(',') },
    {
      anyOf: [
        { type: 'string' },
        { type: 'number', minimum: 0, maximum: DELAY_SECONDS_MAX },
        { type: 'array', items: { type: 'number', minimum: 0, maximum: DELAY_SECONDS_MAX }, maxItems: DELAYS_MAX },
      ],
    },
    (value) => {
      const read = value.split(',').map((part) => readNumber(part.trim()));
      const good = read.filter((delay): delay is number => delay !== null && delay <= DELAY_SECONDS_MAX);
      return good.length === read.length && good.length <= DELAYS_MAX
        ? { value: good }
        : {
            wanted: `at most ${DELAYS_MAX} numbers of seconds from 0 to ${DELAY_SECONDS_MAX}, separated by commas`,
          };
    },
  );

/** Plain decimal numbers only: Number('0x10'), Number('') and Number('1e3') are too clever for a setting. */
const readNumber = (value: string): number | null => (/^\d{1,15}(\.\d{1,6})?$/.test(value) ? Number(value) : null);
