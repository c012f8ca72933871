import { appendFileSync } from 'node:fs';

/* Which operations were seen to answer with which status, by all tests of a run (scripts/answers.ts). */

/** Where it is written down; empty: nowhere. */
let file = '';
const seen = new Set<string>();

export function writeSeen(to: string): void {
  if (file !== to) seen.clear();
  file = to;
}

/** @param what `<operation> <status>` */
export function saw(what: string): void {
  if (file === '' || seen.has(what)) return;
  seen.add(what);
  appendFileSync(file, `${what}\n`);
}
