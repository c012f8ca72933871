import { computed, signal } from '@preact/signals';

/* The time, for ages and countdowns: one clock for all of them, which stands still while nobody looks. */

/** Now by the clock of the server, in milliseconds; a second at a time. */
export const now = signal(Date.now());

/** No zone begins its day at another minute than one of these. */
const QUARTER_MS = 900_000;
/** The same by the quarter of an hour: enough to know which day it is, and no reason to paint anything each second. */
export const today = computed(() => now.value - (now.value % QUARTER_MS));

/** How far that clock is ahead of this machine's, in milliseconds: a test clock may be days ahead. */
export const ahead = signal(0);
/** Less is the way of an answer, not of a clock. */
const AHEAD_LEAST_MS = 5_000;
/** Takes what the server says its time is. */
export function serverSays(time: number): void {
  const by = time - Date.now();
  const next = Math.abs(by) < AHEAD_LEAST_MS ? 0 : by;
  if (Math.abs(next - ahead.value) < AHEAD_LEAST_MS) return;
  ahead.value = next;
  tick();
}

let timer: ReturnType<typeof setInterval> | null = null;
function tick(): void {
  now.value = Date.now() + ahead.value;
}
function begin(): void {
  timer ??= setInterval(tick, 1_000);
  tick();
}
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') begin();
  else if (timer !== null) {
    clearInterval(timer);
    timer = null;
  }
});
begin();
