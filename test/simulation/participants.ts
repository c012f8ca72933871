import { parseWorkitemId } from '../../src/model/ids.ts';
import type { Fields } from '../../src/model/json.ts';
import { callerOf } from '../support/origin.ts';
import type { Clients } from './clients.ts';
import type { Delivery } from './cluster.ts';
import type { Random, Scheduler } from './scheduler.ts';
import type { Watch } from './watch.ts';

/*
 * The participants of a simulated world. Each workitem meets one of these: a participant that is prompt, or slow, that proceeds before
 * it says 200, that proceeds twice at once, that says 200 and then forgets about it for long, that does not answer at all, that is
 * broken for the first tries, that gives up, that asks to be tried again.
 */

const MANNERS = [
  'prompt',
  'prompt',
  'slow',
  'early',
  'twice',
  'liar',
  'mute',
  'broken',
  'dead',
  'gives up',
  'again',
] as const;
type Manner = (typeof MANNERS)[number];

type Item = {
  readonly delivery: Delivery;
  readonly manner: Manner;
  received: number;
  asked: boolean;
  /** Told to stop, or known to be over. */
  over: boolean;
};

export type Participants = {
  arrived(delivery: Delivery, respond: (status: number) => void): void;
  /** From now on everybody does what they should, and what was left lying is done. */
  behave(): void;
};

export function makeParticipants(parts: {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly clients: () => Clients;
  readonly watch: Watch;
  /** Which manners there are in this world, beside the prompt. */
  readonly manners: readonly Manner[];
}): Participants {
  const { scheduler, random, watch } = parts;
  const items = new Map<string, Item>();
  let behaving = false;

  function answerFields(): Fields {
    return {
      a: random.between(0, 2),
      verdict: behaving || random.chance(0.5) ? 'accept' : 'reject',
      in_stock: random.chance(0.5),
      creditworthy: random.chance(0.5),
    };
  }

  function proceed(item: Item): void {
    const id = parseWorkitemId(item.delivery.workitem);
    if (id === null) return void watch.problems.push(`A message came with the workitem id ${item.delivery.workitem}`);
    item.asked = true;
    const stimulus = {
      workflow: id.workflow,
      origin: callerOf(),
      event: { kind: 'proceed', workitem: id.expression, fields: answerFields() },
    } as const;
    parts.clients().insist(stimulus, true, (told) => {
      item.over = true;
      if (told !== 'ok' && told !== 'workitem_not_found')
        watch.problems.push(`${item.delivery.participant} was answered ${told} for a proceed`);
    });
  }

  const later = (item: Item, low: number, high: number): void => {
    scheduler.after(random.between(low, high), '', () => {
      if (!item.over) proceed(item);
    });
  };

  function giveUp(item: Item, kind: 'fail' | 'refuse'): void {
    const id = parseWorkitemId(item.delivery.workitem);
    if (id === null) return;
    item.asked = true;
    if (kind === 'refuse') watch.askedAgain(item.delivery.workitem);
    const event = { kind, workitem: id.expression, class: 'TooHard', message: 'I cannot' } as const;
    parts.clients().call({ workflow: id.workflow, origin: callerOf(), event }, kind === 'fail', () => {});
  }

  function active(item: Item, respond: (status: number) => void): void {
    const again = item.received > 1;
    switch (behaving ? 'prompt' : item.manner) {
      case 'prompt':
        respond(200);
        if (!item.asked) later(item, 0, 300);
        return;
      case 'slow':
        scheduler.after(random.between(0, 12_000), '', () => respond(202));
        if (!item.asked) later(item, 1_000, 25_000);
        return;
      case 'early':
        if (!item.asked) proceed(item);
        scheduler.after(random.between(0, 14_000), '', () => respond(200));
        return;
      case 'twice':
        respond(200);
        if (item.asked) return;
        proceed(item);
        later({ ...item }, 0, 50);
        return;
      case 'liar':
        respond(200);
        if (!item.asked && random.chance(0.5)) later(item, 20_000, 60_000);
        return;
      case 'mute':
        if (again && random.chance(0.5)) respond(200);
        if (again && !item.asked) later(item, 0, 5_000);
        return;
      case 'broken':
        respond(item.received < 3 ? random.pick([500, 503, 404, 302, 410]) : 200);
        if (item.received >= 3 && !item.asked) later(item, 0, 2_000);
        return;
      case 'dead':
        if (random.chance(0.3)) respond(500);
        return;
      case 'gives up':
        respond(200);
        if (!item.asked) giveUp(item, 'fail');
        return;
      case 'again':
        respond(200);
        if (!item.asked) giveUp(item, 'refuse');
        else if (item.received > 2) later(item, 0, 1_000);
        return;
    }
  }

  return {
    arrived: (delivery, respond) => {
      const item: Item = items.get(delivery.workitem) ?? {
        delivery,
        manner: random.pick(parts.manners),
        received: 0,
        asked: false,
        over: false,
      };
      items.set(delivery.workitem, item);
      if (delivery.send !== 'active') {
        item.over = true;
        if (behaving || random.chance(0.7)) respond(204);
        else if (random.chance(0.5)) respond(500);
        return;
      }
      item.received += 1;
      active(item, respond);
    },
    behave: () => {
      behaving = true;
      for (const item of items.values()) if (!item.over) later(item, 0, 5_000);
    },
  };
}

/** A world has prompt participants and some kinds of others. */
export const makeManners = (random: Random): readonly Manner[] => [
  'prompt',
  ...MANNERS.filter((manner) => manner !== 'prompt' && random.chance(0.4)),
];
