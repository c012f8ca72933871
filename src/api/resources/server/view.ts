import type { JsonObject } from '../../../model/json.ts';
import type { NodeRow } from '../../../store/store.ts';
import { timeView } from '../../time.ts';

export const nodeView = (row: NodeRow): JsonObject => ({
  id: row.id,
  name: row.name,
  role: row.role,
  url: row.url,
  version: row.version,
  started_at: timeView(row.startedAt),
  seen_at: timeView(row.seenAt),
  alive: row.alive,
  claims: row.figures?.claims ?? null,
  tries: row.figures?.tries ?? null,
  connections: row.figures?.connections ?? null,
  loop_delay_ms: row.figures?.loopDelayMs ?? null,
});
