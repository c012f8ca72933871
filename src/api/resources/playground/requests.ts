import type { JsonObject } from '../../../model/json.ts';
import type { Tenant } from '../../../model/tenant.ts';

/** Requests that are kept, and the characters they may take together; the oldest go first. */
export const REQUESTS_KEPT_MAX = 500;
export const REQUESTS_CHARACTERS_MAX = 20_000_000;
/** Participants with a manner of their own. */
export const MANNERS_MAX = 1_000;

export type PlaygroundRequest = {
  /** 1, 2, … since the server started. */
  readonly n: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly participant: string;
  readonly headers: { readonly [name: string]: string };
  /** Whether one of the secrets of its tenant has signed it; `none`: nobody has. */
  readonly signature: 'good' | 'wrong' | 'none';
  readonly body: JsonObject;
  /** What was said to it; null: it is being answered. */
  readonly answer: { readonly status: number; readonly text: string } | null;
};

/** What a participant of the playground does with what it is sent. */
export const MANNERS = ['by_hand', 'at_once', 'after', 'fail_first', 'give_up', 'never', 'slowly'] as const;
export type Manner = {
  readonly manner: (typeof MANNERS)[number];
  /** `after`: until it proceeds; `slowly`: until it says that it has the message. */
  readonly seconds: number;
  /** `fail_first`: tries of each message that are answered 503. */
  readonly times: number;
  /** `give_up`: the class of the error, and its message. */
  readonly class: string;
  readonly message: string;
  /** What it proceeds with. */
  readonly fields: JsonObject;
};
export const BY_HAND: Manner = {
  manner: 'by_hand',
  seconds: 0,
  times: 0,
  class: 'RuntimeError',
  message: 'given up in the playground',
  fields: {},
};

export type Playground = {
  /** Returns its number. */
  keep(tenant: Tenant, request: Omit<PlaygroundRequest, 'n' | 'answer'>): number;
  answered(n: number, answer: NonNullable<PlaygroundRequest['answer']>): void;
  /** Null: there is none, or not any more, or it is another tenant's. */
  one(tenant: Tenant, n: number): PlaygroundRequest | null;
  /** The number of the last one; 0 before the first. */
  readonly last: () => number;
  /** Tells of each request of the tenant that comes, and again once it was answered. Returns how to be told no more. */
  watch(tenant: Tenant, see: (request: PlaygroundRequest) => void): () => void;
  /** Those of the tenant, oldest first. */
  since(tenant: Tenant, n: number): readonly PlaygroundRequest[];
  mannerOf(tenant: Tenant, participant: string): Manner;
  /** False: there are too many already. */
  setManner(tenant: Tenant, participant: string, manner: Manner): boolean;
  manners(tenant: Tenant): readonly { readonly participant: string; readonly manner: Manner }[];
};

/** What participants of the playground were sent, and how they behave; in memory alone. */
export function makePlayground(): Playground {
  type Kept = { readonly tenant: Tenant; request: PlaygroundRequest; readonly size: number };
  const kept: Kept[] = [];
  const watchers = new Set<{ readonly tenant: Tenant; readonly see: (request: PlaygroundRequest) => void }>();
  const tell = ({ tenant, request }: Kept): void => {
    for (const one of watchers) if (one.tenant === tenant) one.see(request);
  };
  const manners = new Map<string, { readonly tenant: Tenant; readonly participant: string; readonly manner: Manner }>();
  const keyOf = (tenant: Tenant, participant: string): string => `${tenant} ${participant}`;
  let last = 0;
  let characters = 0;
  return {
    keep(tenant, request) {
      const n = ++last;
      const one: Kept = { tenant, request: { ...request, n, answer: null }, size: JSON.stringify(request).length };
      kept.push(one);
      characters += one.size;
      while (kept.length > REQUESTS_KEPT_MAX || (characters > REQUESTS_CHARACTERS_MAX && kept.length > 1))
        characters -= kept.shift()?.size ?? 0;
      tell(one);
      return n;
    },
    answered(n, answer) {
      const one = kept.find(({ request }) => request.n === n);
      if (one === undefined) return;
      one.request = { ...one.request, answer };
      tell(one);
    },
    one: (tenant, n) => kept.find((one) => one.tenant === tenant && one.request.n === n)?.request ?? null,
    last: () => last,
    watch(tenant, see) {
      const watcher = { tenant, see };
      watchers.add(watcher);
      return () => void watchers.delete(watcher);
    },
    since: (tenant, n) =>
      kept.filter((one) => one.tenant === tenant && one.request.n > n).map(({ request }) => request),
    mannerOf: (tenant, participant) => manners.get(keyOf(tenant, participant))?.manner ?? BY_HAND,
    setManner(tenant, participant, manner) {
      const key = keyOf(tenant, participant);
      if (manner.manner === 'by_hand') manners.delete(key);
      else if (manners.size >= MANNERS_MAX && !manners.has(key)) return false;
      else manners.set(key, { tenant, participant, manner });
      return true;
    },
    manners: (tenant) => [...manners.values()].filter((one) => one.tenant === tenant),
  };
}
