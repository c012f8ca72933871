/** Longest name of a zone that is believed, in characters. */
const NAME_MAX = 60;

/** The name that was kept with the minutes its clock was behind UTC then; null: none, or the clock goes otherwise now. */
export function keptZone(kept: string | null, behindUtc: number): string | null {
  const [, minutes, name = ''] = /^(-?\d{1,4}) ([\w/+-]+)$/.exec(kept ?? '') ?? [];
  return minutes !== undefined && Number(minutes) === behindUtc && name.length <= NAME_MAX ? name : null;
}

/** `UTC+2`, `UTC−3:30`: a clock that is so many minutes behind UTC. */
export function offsetText(behindUtc: number): string {
  const ahead = Math.abs(behindUtc);
  const minutes = ahead % 60;
  return `UTC${behindUtc > 0 ? '−' : '+'}${Math.floor(ahead / 60)}${minutes === 0 ? '' : `:${String(minutes).padStart(2, '0')}`}`;
}
