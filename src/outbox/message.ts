import type { AnswerExcerpt } from '../engine/engine.ts';

export type { AnswerExcerpt } from '../engine/engine.ts';

/*
 * A message owed: what the outbox knows of it, whoever owes it. Whoever does is an *owner* (owners/), a file each: it says what is due,
 * how a message becomes a request, and how the end of a try is written.
 */

/** A message as an HTTP request. */
export type CallbackRequest = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
  /** Left out: POST. */
  readonly method?: string;
  /** The body of a 2xx is wanted, up to so many bytes; left out: nobody looks at it. */
  readonly answerBytesMax?: number;
  /** What this server shows of itself, and whom it believes, where the receiver wants certificates. */
  readonly tls?: { readonly cert?: string; readonly key?: string; readonly ca?: string };
};

/** Why no request was made of a message. `postponed`: it is due again after so long, and no try is counted. */
export type Unsent = {
  readonly unsent:
    | { readonly kind: 'postponed'; readonly ms: number }
    | { readonly kind: 'unreachable'; readonly reason: string; readonly fails?: Failing };
};

/** The workitem fails at once, with this error, whatever tries are left. */
export type Failing = { readonly class: string; readonly message: string };

/** How a POST ended. */
export type PostResult =
  /** `answer`: the body, where it was wanted; null: it was longer than that, or did not end in time. */
  | { readonly kind: 'delivered'; readonly status: number; readonly answer?: Buffer | null }
  /** `answer`: left out where there was no body. */
  | {
      readonly kind: 'refused';
      readonly status: number;
      readonly retryAfterSeconds: number | null;
      readonly answer?: AnswerExcerpt;
    }
  /** `silent`: the time was over, and a place had been taken for all of it. `blocked`: the URL may not be called, so nothing has left. */
  | {
      readonly kind: 'unreachable';
      readonly reason: string;
      readonly silent?: true;
      readonly blocked?: true;
      readonly fails?: Failing;
    };

/** What a try shares with others: no more than `most` of this key at once. */
export type Share = { readonly key: string; readonly most: number };

/** A message that is claimed for this node. */
export type Message = {
  /** What the log says it is about: ids by their names. */
  readonly about: { readonly [name: string]: string };
  readonly tenant: string;
  /** Host and port it goes to: what shares the tries to one host (`hostOf`). */
  readonly host: string;
  /** What takes turns with others that want the same host; with `name` it tells this message from all others. */
  readonly line: string;
  readonly name: string;
  /** Which life of the name: one that was replayed has another, and its message is another message. */
  readonly life: number;
  /** When the lease ends on this process's monotonic clock. */
  readonly leaseEndsAt: number;
  /** Characters that wait with it. */
  readonly characters: number;
  /** A text that others of its line share, counted once for all that wait. */
  readonly shared: { readonly key: string; readonly characters: number } | null;
  /** Whom it shares a number of tries at once with, beside its host; left out, or null: nobody. */
  readonly share?: () => Share | null;
  /** Whether it is known here how its last try ended, which was not written in time: that is written now, and the message is not sent. Left
   * out: it is not. */
  isKnown?(): boolean;
  /** Made when its turn has come, for it may be large. Throws when it cannot be made. */
  request(): CallbackRequest | Unsent;
  /** Prolongs the lease by compare-and-set; false when the message is not ours, or not owed, any more. */
  renew(leaseSeconds: number): Promise<boolean>;
  /** Tells how the try ended; `dropped`: no request has left, the claim is given back. */
  ended(end: TryEnd): void;
};

export type TryEnd = {
  readonly startedAt: number;
  readonly endedAt: number;
  readonly result: PostResult | { readonly kind: 'dropped' } | { readonly kind: 'postponed'; readonly ms: number };
};

/** What of a claim is left to the database: hosts take turns there, too. */
export type ClaimRequest = {
  readonly now: number;
  readonly limit: number;
  readonly leaseSeconds: number;
  /** Hosts that have enough waiting here. */
  readonly skip: readonly string[];
  /** The claim ends with the message that reaches so many bytes. */
  readonly bytesMax: number;
};

/** A kind of messages. */
export type Owner = {
  /**
   * Claims what is due, a few of each host.
   *
   * @param leaseEndsAt for `Message.leaseEndsAt`
   */
  claim(request: ClaimRequest, leaseEndsAt: number): Promise<readonly Message[]>;
};

const ENDS_HOST = '/?#';

/** The host and port a URL leads to, in small letters. The claim groups by the same text (store/messages.ts). */
export function hostOf(url: string | null): string {
  const text = url ?? '';
  // Faster than parsing the whole URL for every message; whatever is odd shares a place with itself.
  const slashes = text.indexOf('//');
  if (slashes < 0) return '';
  const start = slashes + 2;
  let end = start;
  while (end < text.length && !ENDS_HOST.includes(text.charAt(end))) end += 1;
  return text.slice(start, end).toLowerCase();
}
