import type { Json } from '../../src/model/json.ts';
import { isObject } from '../../src/model/json.ts';
import type { Case, ExpectedError, ExpectedMessage, ExpectedNotice, Outcome } from './cases.ts';
import { sortedJson } from './normal.ts';

/* Holds a run against what the case expects. Everything handed in is in normal form (normal.ts). */

export type SeenMessage = {
  readonly workflow: number;
  readonly participant: string;
  readonly expid: string;
  readonly fields: Json;
};
export type SeenNotice = SeenMessage & { readonly status: string };
export type Result = {
  readonly dispatches: readonly SeenMessage[];
  readonly notices: readonly SeenNotice[];
  readonly outcome: Outcome;
  readonly status: string;
  readonly fields: Json;
  readonly errors: readonly ExpectedError[];
  readonly remaining: readonly string[];
  /** What went wrong in the replay itself: a step that threw, a bound that was reached. Any of these fails the case. */
  readonly troubles: readonly string[];
};

/** Every difference as one readable line; none: the case passes. */
export function differences(one: Case, result: Result): readonly string[] {
  const { expect } = one;
  const troubles = one.script_notes === undefined ? result.troubles : result.troubles.slice(one.script_notes);
  const lines = [...troubles];
  const silent = silentParticipants(one);
  const dispatches = expect.dispatches.filter((message) => !silent.has(message.participant));
  if (one.order === 'total') lines.push(...listDifferences(dispatches, result.dispatches));
  else
    lines.push(
      ...setDifferences('dispatch', dispatches, result.dispatches, sameMessage, () => true, showMessage, showMessage),
    );
  lines.push(
    ...setDifferences(
      'notice',
      expect.cancels,
      result.notices,
      sameNotice,
      (notice) => notice.optional !== true && !silent.has(notice.participant),
      showMessage,
      showMessage,
    ),
  );
  lines.push(...endDifferences(one, result));
  lines.push(...setDifferences('error', expect.errors, result.errors, sameError, () => true, sortedError, sortedError));
  return lines;
}

/** Participants without a callback: nobody sees what is sent to them. */
const silentParticipants = (one: Case): ReadonlySet<string> =>
  new Set(
    Object.entries(one.participants)
      .filter(([, behaviours]) => behaviours.some((behaviour) => behaviour.missing_callback === true))
      .map(([name]) => name),
  );

function endDifferences(one: Case, result: Result): readonly string[] {
  const { expect } = one;
  const forgotten = expect.outcome === 'terminated' && expect.remaining.length > 0;
  const lines: string[] = [];
  const outcomeFits = result.outcome === expect.outcome || (forgotten && result.outcome === 'running');
  if (!outcomeFits) lines.push(`outcome: expected ${expect.outcome}, got ${result.outcome}`);
  if (expect.status !== undefined && result.status !== expect.status)
    lines.push(`status: expected ${expect.status}, got ${result.status}`);
  if (outcomeFits && result.outcome === 'terminated' && !same(expect.final_fields, result.fields))
    lines.push(
      `final fields: expected ${sortedJson(expect.final_fields)}\n                   got ${sortedJson(result.fields)}`,
    );
  if (outcomeFits && (result.outcome === 'error' || result.outcome === 'running')) {
    const [expected, got] = [[...expect.remaining].sort(), [...result.remaining].sort()];
    if (expected.join() !== got.join()) lines.push(`remaining: expected ${expected.join(' ')}, got ${got.join(' ')}`);
  }
  return lines;
}

/** Deep equality; numbers by value, keys in any order, error objects by the rule for errors. */
export function same(expected: Json | undefined, got: Json | undefined): boolean {
  if (Array.isArray(expected))
    return (
      Array.isArray(got) &&
      expected.length === got.length &&
      expected.every((item, i) => same(item as Json, got[i] as Json))
    );
  if (!isObject(expected)) return expected === got;
  if (!isObject(got)) return false;
  if (isError(expected)) return isError(got) && sameError(expected, got);
  const keys = Object.keys(expected);
  if (keys.length !== Object.keys(got).length) return false;
  return keys.every((key) => Object.hasOwn(got, key) && same(expected[key], got[key]));
}

/** An error object in normal form; the deviations of a filter stand in some, for information. */
function isError(value: object): value is ExpectedError {
  return (
    ['expid', 'class', 'message'].every((key) => Object.hasOwn(value, key)) &&
    Object.keys(value).length === (Object.hasOwn(value, 'deviations') ? 4 : 3)
  );
}

const sameError = (expected: ExpectedError, got: ExpectedError): boolean =>
  expected.expid === got.expid &&
  (expected.class === '*' || (expected.class === got.class && String(got.message).includes(String(expected.message))));

const sameMessage = (expected: ExpectedMessage, got: SeenMessage): boolean =>
  expected.participant === got.participant &&
  expected.expid === got.expid &&
  (expected.workflow ?? 1) === got.workflow &&
  same(expected.fields, got.fields);

const sameNotice = (expected: ExpectedNotice, got: SeenNotice): boolean =>
  expected.optional === true
    ? expected.participant === got.participant && expected.expid === got.expid
    : expected.status === got.status && sameMessage(expected, got);

type Showable = Omit<ExpectedMessage, 'fields'> & { readonly fields?: Json; readonly status?: string };
const showMessage = (message: Showable): string =>
  [
    ...((message.workflow ?? 1) === 1 ? [] : [`workflow ${message.workflow}`]),
    message.participant,
    message.expid,
    ...(message.status === undefined ? [] : [message.status]),
    sortedJson(message.fields),
  ].join(' ');
const sortedError = (error: ExpectedError): string => `${error.expid} ${error.class} ${JSON.stringify(error.message)}`;

function listDifferences(expected: readonly ExpectedMessage[], got: readonly SeenMessage[]): readonly string[] {
  const lines: string[] = [];
  for (let i = 0; i < Math.max(expected.length, got.length); i++) {
    const [want, have] = [expected[i], got[i]];
    if (want !== undefined && have !== undefined && sameMessage(want, have)) continue;
    lines.push(`dispatch ${i + 1}: expected ${want === undefined ? 'nothing' : showMessage(want)}`);
    lines.push(
      `${' '.repeat(`dispatch ${i + 1}: `.length)}     got ${have === undefined ? 'nothing' : showMessage(have)}`,
    );
  }
  return lines;
}

/**
 * Two multisets under a relation that is not an equivalence (`*`, optional notices): a largest matching by augmenting paths, those
 * that must be there first, so that an optional one never takes the place of one that is owed.
 */
function setDifferences<Want, Have>(
  what: string,
  expected: readonly Want[],
  got: readonly Have[],
  fits: (want: Want, have: Have) => boolean,
  isOwed: (want: Want) => boolean,
  showWant: (want: Want) => string,
  showHave: (have: Have) => string,
): readonly string[] {
  const wants = [...expected.filter(isOwed), ...expected.filter((want) => !isOwed(want))];
  const takenBy = new Map<number, number>(); // have -> want
  const augment = (want: number, tried: Set<number>): boolean => {
    for (let have = 0; have < got.length; have++) {
      if (tried.has(have) || !fits(wants[want] as Want, got[have] as Have)) continue;
      tried.add(have);
      const holder = takenBy.get(have);
      if (holder !== undefined && !augment(holder, tried)) continue;
      takenBy.set(have, want);
      return true;
    }
    return false;
  };
  const missing = wants.filter((want, i) => !augment(i, new Set()) && isOwed(want));
  const surplus = got.filter((_, i) => !takenBy.has(i));
  return [
    ...missing.map((want) => `${what} missing: ${showWant(want)}`),
    ...surplus.map((have) => `${what} too many: ${showHave(have)}`),
  ];
}
