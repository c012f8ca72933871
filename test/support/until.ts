/** Between two looks at something that says nothing by itself. */
const LOOK_EVERY_MS = 25;

/**
 * Looks again and again until there is something to see, for what gives no sign by itself.
 *
 * @param look answers null (or false, or undefined) while there is nothing yet; a look that throws counts as nothing yet
 * @param what for the complaint when `withinMs` have passed: "… did not happen"
 */
export async function until<Seen>(
  what: string,
  look: () => Seen | null | undefined | false | Promise<Seen | null | undefined | false>,
  withinMs = 60_000,
): Promise<Seen> {
  const deadline = performance.now() + withinMs;
  for (let trouble: unknown = null; ; ) {
    try {
      const seen = await look();
      if (seen !== null && seen !== undefined && seen !== false) return seen;
      trouble = null;
    } catch (error) {
      trouble = error;
    }
    if (performance.now() > deadline)
      throw new Error(`${what}: did not happen within ${withinMs / 1000} s`, { cause: trouble });
    await pause(LOOK_EVERY_MS);
  }
}

/** For giving others a turn; nothing may depend on how long it takes. */
export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
