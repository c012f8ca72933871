import { signal } from '@preact/signals';

/* The time, for ages and countdowns: one clock for all of them, which stands still while nobody looks. */

/** Now by this machine, in milliseconds; a second at a time. */
export const now = signal(Date.now());

let timer: ReturnType<typeof setInterval> | null = null;
function tick(): void {
  now.value = Date.now();
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
