/** Those who wait until something has come to rest. */
export type Rest = {
  /** Resolves the next time that `tell` finds it at rest: not by itself, if it is so already. */
  next(): Promise<void>;
  /** To be called whenever it may have come to rest. */
  tell(): void;
  /** Whether anybody waits. */
  isAwaited(): boolean;
};

export function makeRest(isAtRest: () => boolean): Rest {
  let callers: (() => void)[] = [];
  return {
    next: () => new Promise((resolve) => callers.push(resolve)),
    tell: () => {
      if (callers.length === 0 || !isAtRest()) return;
      const told = callers;
      callers = [];
      for (const resolve of told) resolve();
    },
    isAwaited: () => callers.length > 0,
  };
}
