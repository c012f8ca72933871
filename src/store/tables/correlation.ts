import { table } from './table.ts';

/** Where events and those who wait for them meet. Nobody reads it but those who meet (meeting.ts). */
export type CorrelationRow = {
  readonly tenant: string;
  readonly type: string;
  /** '': of those who wait without a key. */
  readonly key: string;
  /** Counts those who were armed here. */
  readonly seq: number;
  /** JSON list of the pointers at which keys are looked for in events of the type; in the row '' alone. */
  readonly pointers: string;
  readonly touchedAt: number;
};

export const CORRELATION = table<CorrelationRow>()({
  name: 'correlation',
  key: ['tenant', 'type', 'key'],
  columns: { tenant: 'text', type: 'text', key: 'text', seq: 'bigint', pointers: 'text', touchedAt: 'bigint' },
  // Only those that nobody needs (meeting.ts).
  sweep: null,
});
