import type { Message } from './message.ts';

/* What is claimed and not over yet, found by its key in one look; and how many characters wait with it. */

export type Held = Message & {
  /** Characters of its body, about. */
  readonly weight: number;
  readonly since: number;
  leaseEndsAt: number;
  started: boolean;
};

/** Claimed messages that may wait for their host; more are left to whoever claims them. */
export const WAITING_MESSAGES_MAX = 5_000;
/** The same in characters of fields; those that share a base share its characters. */
export const WAITING_CHARACTERS_MAX = 50_000_000;

export type Waiting = {
  /** The one of this key, waiting or under way. */
  get(line: string, name: string): Held | undefined;
  ofLine(line: string): Iterable<Held>;
  all(): Iterable<Held>;
  /** From now on this is the one of its key, and its characters wait. */
  add(item: Held): void;
  /** Its characters wait no more: its try begins, or it is let go. */
  begun(item: Held): void;
  /** It is over, unless another one has taken its key meanwhile. */
  forget(item: Held): void;
  readonly characters: number;
};

export function makeWaiting(): Waiting {
  const lines = new Map<string, Map<string, Held>>();
  const shared = new Map<string, number>();
  let characters = 0;
  return {
    get: (line, name) => lines.get(line)?.get(name),
    ofLine: (line) => lines.get(line)?.values() ?? [],
    *all() {
      for (const line of lines.values()) yield* line.values();
    },
    add: (item) => {
      const line = lines.get(item.line);
      if (line === undefined) lines.set(item.line, new Map([[item.name, item]]));
      else line.set(item.name, item);
      characters += item.characters;
      if (item.shared === null) return;
      const sharing = shared.get(item.shared.key) ?? 0;
      if (sharing === 0) characters += item.shared.characters;
      shared.set(item.shared.key, sharing + 1);
    },
    begun: (item) => {
      characters -= item.characters;
      if (item.shared === null) return;
      const sharing = (shared.get(item.shared.key) ?? 1) - 1;
      if (sharing > 0) shared.set(item.shared.key, sharing);
      else {
        shared.delete(item.shared.key);
        characters -= item.shared.characters;
      }
    },
    forget: (item) => {
      const line = lines.get(item.line);
      if (line?.get(item.name) !== item) return;
      line.delete(item.name);
      if (line.size === 0) lines.delete(item.line);
    },
    get characters() {
      return characters;
    },
  };
}
