import type { Place } from './figure.ts';
import { type HeldWorkitem, isOver, type Standing } from './standing.ts';
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
  const words: Word[] = [];
  const say = (text: string): void => void words.push({ text });
  const link = (expid: string): void => void words.push({ text: titleAt(places, expid), expid });
  const { status, failures, workitems, timers, expressions } = standing;

  if (isOver(status)) {
    say(
      status === 'completed'
        ? 'It is completed: the last branch is done. Ended '
        : status === 'cancelled'
          ? 'It was cancelled, and its handlers are done. Ended '
          : 'It was killed; no handlers ran. Ended ',
    );
    words.push({ text: standing.at, time: standing.at });
    say('.');
    return words;
  }
  for (const [i, [key, group]] of [...grouped(failures, (one) => `${one.expid} ${one.class}`)].entries()) {
    const first = group[0];
    if (first === undefined || i >= NAMED_MAX) break;
    if (i > 0) say(' ');
    const branches = seen.get(first.expid)?.branches ?? 0;
    if (branches > 1)
      words.push({ text: `${counted(group.length)} of ${counted(branches)} branches of `, strong: true });
    else if (group.length > 1) words.push({ text: `${counted(group.length)} times `, strong: true });
    link(key.split(' ')[0] ?? '');
    words.push({ text: ' failed', strong: true });
    say(` with ${first.class}: ${clipped(first.message)}`);
    say(group.length > 1 ? '; they wait for somebody.' : '; it waits for somebody.');
  }
  const failedIds = new Set(failures.map((one) => one.expressionId));
  const asked = workitems.filter((one) => !failedIds.has(one.expressionId));
  const groups = [...grouped(asked, (one) => one.expid)];
  for (const [i, [expid, group]] of groups.entries()) {
    if (i >= NAMED_MAX) {
      say(` ${groups.length - NAMED_MAX} more wait for their participants.`);
      break;
    }
    if (words.length > 0) say(' ');
    const oldest = group[0] as HeldWorkitem;
    const isCrowd = (seen.get(expid)?.branches ?? 0) > 1;
    if (group.length > 1) say(isCrowd ? `${counted(group.length)} branches of ` : `${counted(group.length)} times `);
    link(expid);
    say(
      group.length === 1
        ? ' is asked since '
        : isCrowd
          ? ' are asked, the first since '
          : ' is asked, the first since ',
    );
    words.push({ text: oldest.openedAt ?? standing.at, time: oldest.openedAt ?? standing.at });
    const late = group.find((one) => one.owed !== null && one.tries > 0);
    if (late !== undefined) {
      say(`: ${late.tries === 1 ? 'a try has' : `${late.tries} tries have`} failed`);
      if (late.nextAt !== null) {
        say(', the next is due ');
        words.push({ text: late.nextAt, time: late.nextAt });
      }
    }
    say('.');
  }
  const waits = expressions.filter(
    (one) => one.state === 'awaiting' || ['listen', 'receive', 'await'].includes(one.name),
  );
  for (const one of waits.slice(0, NAMED_MAX)) {
    if (words.length > 0) say(' ');
    link(one.expid);
    say(' awaits an event.');
  }
  const timer = timers[0];
  if (timer !== undefined) {
    if (words.length > 0) say(' ');
    say(timers.length > 1 ? `The first of ${timers.length} timers (` : 'A timer (');
    link(timer.expid);
    say(`: ${timer.action}) is due `);
    words.push({ text: timer.dueAt, time: timer.dueAt });
    say('.');
  }
  if (words.length === 0) say('It moves by itself; nobody is asked at this moment.');
  if (status === 'paused') words.unshift({ text: 'It is paused: answers are kept, nothing new is tried. ' });
  if (status === 'cancelling') words.unshift({ text: 'It is being cancelled; handlers still run. ' });
  const next = root === null ? [] : nextPlaces(root, seen);
  if (next.length > 0) {
    say(' Then: ');
    for (const [i, place] of next.slice(0, NAMED_MAX).entries()) {
      if (i > 0) say(', ');
      words.push({ text: place.title, expid: place.expid });
    }
    say(next.length > NAMED_MAX ? '…' : '.');
  }
  return words;
}

const counted = (count: number): string => count.toLocaleString('en-US');
const MESSAGE_MAX = 100;
const clipped = (text: string): string => (text.length > MESSAGE_MAX ? `${text.slice(0, MESSAGE_MAX)}…` : text);
const titleAt = (places: (expid: string) => Place | null, expid: string): string => places(expid)?.title ?? expid;

/** What follows the live places in the rows they are in, the nearest row last. */
function nextPlaces(root: Place, seen: ReadonlyMap<string, Seen>): readonly Place[] {
  // In a diagram the flows tell what comes next, and their conditions which.
  if (root.head.startsWith('bpmn:')) return [];
  const row = root.children.filter((child) => child.kind !== 'definition');
  const last = row.findLastIndex((child) => (seen.get(child.expid)?.live.length ?? 0) > 0);
  return last === -1 ? [] : row.slice(last + 1).filter((child) => seen.get(child.expid)?.state === 'to come');
}

export const plainText = (words: readonly Word[]): string => words.map(({ text }) => text).join('');
