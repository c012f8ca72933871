import { countText } from './count.ts';
import type { Place } from './figure.ts';
import { type Failure, type HeldWorkitem, isOver, type LiveExpression, type Standing } from './standing.ts';
import { grouped, type Seen } from './states.ts';

/* Where a workflow stands, in words: errors first, then who is asked, then events and timers, then what comes next. */

/** A word of the sentence; with `expid` it selects that place, with `time` it is shown in the reader's own way. */
export type Word = {
  readonly text: string;
  readonly expid?: string;
  readonly time?: string;
  /** What an operator reads first. */
  readonly strong?: boolean;
};

/** Names of one list that are said one by one. */
const NAMED_MAX = 3;

export function sentenceOf(
  standing: Standing,
  root: Place | null,
  seen: ReadonlyMap<string, Seen>,
  places: (expid: string) => Place | null,
): readonly Word[] {
  const parts: Word[][] = [];
  const begin = (): void => void parts.push([]);
  const add = (word: Word): void => void parts.at(-1)?.push(word);
  const say = (text: string): void => add({ text });
  const strong = (text: string): void => add({ text, strong: true });
  const time = (text: string): void => add({ text, time: text });
  const link = (expid: string): void => add({ text: titleAt(places, expid), expid });
  const { status, failures, workitems, timers, expressions } = standing;

  if (isOver(status)) {
    begin();
    say(
      status === 'completed'
        ? 'It is completed: the last branch is done. Ended '
        : status === 'cancelled'
          ? 'It was cancelled, and its handlers are done. Ended '
          : 'It was killed; no handlers ran. Ended ',
    );
    time(standing.at);
    say('.');
    return joined(parts);
  }
  const groups = [...grouped(failures, (one) => `${one.expid} ${one.class}`)];
  for (const [key, group] of groups.slice(0, NAMED_MAX)) {
    const first = group[0] as Failure;
    begin();
    const branches = seen.get(first.expid)?.branches ?? 0;
    if (branches > 1) strong(`${countText(group.length)} of ${countText(branches)} branches of `);
    else if (group.length > 1) strong(`${countText(group.length)} times `);
    link(key.split(' ')[0] ?? '');
    strong(' failed');
    say(` with ${first.class}: ${clipped(first.message, groups.length > 1 ? MESSAGE_OF_SEVERAL_MAX : MESSAGE_MAX)}`);
    say(group.length > 1 ? '; they wait for somebody.' : '; it waits for somebody.');
  }
  const failedIds = new Set(failures.map((one) => one.expressionId));
  const asked = [
    ...grouped(
      workitems.filter((one) => !failedIds.has(one.expressionId)),
      (one) => one.expid,
    ),
  ];
  for (const [expid, group] of asked.slice(0, NAMED_MAX)) {
    const oldest = group[0] as HeldWorkitem;
    const isCrowd = (seen.get(expid)?.branches ?? 0) > 1;
    begin();
    if (group.length > 1)
      say(isCrowd ? `${countText(group.length)} branches of ` : `${countText(group.length)} times `);
    link(expid);
    say(
      group.length === 1
        ? ' is asked since '
        : isCrowd
          ? ' are asked, the first since '
          : ' is asked, the first since ',
    );
    time(oldest.openedAt ?? standing.at);
    const late = group.find((one) => one.owed !== null && one.tries > 0);
    if (late !== undefined) {
      say(`: ${late.tries === 1 ? 'a try has' : `${late.tries} tries have`} failed`);
      if (late.nextAt !== null) {
        say(', the next is due ');
        time(late.nextAt);
      }
    }
    say('.');
  }
  if (asked.length > NAMED_MAX) {
    begin();
    say(`${countText(asked.length - NAMED_MAX)} more wait for their participants.`);
  }
  for (const one of expressions.filter(isAwaiting).slice(0, NAMED_MAX)) {
    begin();
    link(one.expid);
    say(' awaits an event.');
  }
  for (const one of expressions.filter(({ state }) => state === 'paused').slice(0, NAMED_MAX)) {
    begin();
    link(one.expid);
    say(' is paused; the rest goes on.');
  }
  const timer = timers[0];
  if (timer !== undefined) {
    begin();
    say(timers.length > 1 ? `The first of ${countText(timers.length)} timers (` : 'A timer (');
    link(timer.expid);
    say(`: ${timer.action}) is due `);
    time(timer.dueAt);
    say('.');
  }
  if (parts.length === 0) {
    begin();
    say('It moves by itself; nobody is asked at this moment.');
  }
  const next = root === null ? [] : nextPlaces(root, seen);
  const last: Word[] = next
    .slice(0, NAMED_MAX)
    .flatMap((place, i): Word[] => [
      ...(i > 0 ? [{ text: ', ' }] : [{ text: 'Then: ' }]),
      { text: place.title, expid: place.expid },
    ]);
  if (last.length > 0) last.push({ text: next.length > NAMED_MAX ? '…' : '.' });
  const before: Word[] =
    status === 'paused'
      ? [{ text: 'It is paused: answers are kept, nothing new is tried.' }]
      : status === 'cancelling'
        ? [{ text: 'It is being cancelled; handlers still run.' }]
        : [];
  return joined([before, ...fitting(parts, lengthOf(before) + lengthOf(last)), last]);
}

const isAwaiting = (one: LiveExpression): boolean =>
  one.state === 'awaiting' || ['listen', 'receive', 'await'].includes(one.name);

/** Characters of all of it, and of one message. */
const SENTENCE_MAX = 300;
const MESSAGE_MAX = 120;
const MESSAGE_OF_SEVERAL_MAX = 72;
/** A message as far as there is room for, cut between words where it has some. */
function clipped(text: string, most: number): string {
  if (text.length <= most) return text;
  const cut = text.slice(0, most);
  const end = cut.lastIndexOf(' ');
  return `${(end > most / 2 ? cut.slice(0, end) : cut).replace(/[\s,;:.]+$/, '')}…`;
}
const titleAt = (places: (expid: string) => Place | null, expid: string): string => places(expid)?.title ?? expid;

const lengthOf = (words: readonly Word[]): number => words.reduce((sum, { text }) => sum + text.length, 0);

/** What there is room for: the first is always said, of the others those that fit, in their order. */
function fitting(parts: readonly (readonly Word[])[], taken: number): readonly (readonly Word[])[] {
  let length = taken;
  return parts.filter((words, i) => {
    const wanted = lengthOf(words) + 1;
    if (i > 0 && length + wanted > SENTENCE_MAX) return false;
    length += wanted;
    return true;
  });
}

const joined = (parts: readonly (readonly Word[])[]): readonly Word[] =>
  parts.filter((words) => words.length > 0).flatMap((words, i) => (i === 0 ? words : [{ text: ' ' }, ...words]));

/** What follows the live places in the rows they are in, the nearest row last. */
function nextPlaces(root: Place, seen: ReadonlyMap<string, Seen>): readonly Place[] {
  // In a diagram the flows tell what comes next, and their conditions which.
  if (root.head.startsWith('bpmn:')) return [];
  const row = root.children.filter((child) => child.kind !== 'definition');
  const last = row.findLastIndex((child) => (seen.get(child.expid)?.live.length ?? 0) > 0);
  return last === -1 ? [] : row.slice(last + 1).filter((child) => seen.get(child.expid)?.state === 'to come');
}

export const plainText = (words: readonly Word[]): string => words.map(({ text }) => text).join('');
