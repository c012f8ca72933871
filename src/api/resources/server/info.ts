import { mayDo } from '../../../identity/principal.ts';
import { answers } from '../../answers.ts';
import { type Call, jsonReply, type Operation, type Reply } from '../../operation.ts';
import type { Parts } from '../../parts.ts';
import { timeView } from '../../time.ts';
import { Info } from './schemas.ts';

/**
 * What this server is.
 *
 * @param features ids of all its operations, asked for when they are known: a page that is newer than the server sees what is missing
 */
export const infoOperation = (parts: Parts, features: () => readonly string[]): Operation => ({
  id: 'getInfo',
  method: 'get',
  path: '/v1/info',
  summary: 'Version, limits, retention and features of this server; to strangers its version and how to sign in',
  access: 'open',
  answers: answers(200, 'What it is', Info),
  handle: (call) => info(parts, features(), call),
});

async function info(parts: Parts, features: readonly string[], call: Call): Promise<Reply> {
  const { about } = parts;
  const open = { version: about.version, auth: about.auth() };
  const { ended, audit, batches } = about.retainDays;
  if (!mayDo(call.principal, 'read')) return jsonReply(200, open);
  return jsonReply(200, {
    ...open,
    commit: about.commit,
    store: parts.store.profile,
    role: parts.role,
    ...(about.cell === null || about.cell === undefined ? {} : { cell: about.cell }),
    now: timeView(parts.clock.now()),
    test_clock: parts.testClock !== null,
    limits: Object.fromEntries(Object.entries(about.limits).map(([name, limit]) => [snakeCase(name), limit])),
    retention: { ended_days: ended, audit_days: audit, batches_days: batches },
    features: [...features].sort(),
    warnings: [...(await about.warnings(call.principal.tenant))],
  });
}

const snakeCase = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
