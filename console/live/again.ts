/** A stream that was lost is opened again after this, the second time after longer, and so on, in milliseconds. */
const AGAIN_MS = [1_000, 2_000, 5_000, 10_000, 30_000] as const;

/**
 * When a stream that was lost is opened again, in milliseconds: by chance up to a quarter later, so that not all pages come at once.
 *
 * @param failures since it was open last. @param told when the server wants its clients back; null: it did not say. That is about the stream that was
 * lost: who does not get in then waits longer and longer. @param fraction 0 ≤ f < 1, by chance
 */
export function againMs(failures: number, told: number | null, fraction: number): number {
  const usual = AGAIN_MS[Math.min(failures, AGAIN_MS.length - 1)] ?? 0;
  return (failures === 0 ? (told ?? usual) : usual) * (1 + fraction / 4);
}
