import { API_KEY, openApiKeys } from './api-key.ts';
import { ATTEMPT, openAttempts } from './attempt.ts';
import { AUDIT, openAudit } from './audit.ts';
import { BATCH, openBatches } from './batch.ts';
import { BATCH_ITEM } from './batch-item.ts';
import { BUSINESS_KEY, openBusinessKeys } from './business-key.ts';
import { CORRELATION } from './correlation.ts';
import { DEFINITION, openDefinitionTexts } from './definition.ts';
import { DEFINITION_NAME, DEFINITION_SOURCE, DEFINITION_VERSION, openStoredDefinitions } from './definition-name.ts';
import { DELIVERY, openDeliveries } from './delivery.ts';
import { EVENT, openEvents } from './event.ts';
import { FIGURE, openFigures } from './figure.ts';
import { IDEMPOTENCY_KEY, openAnswers } from './idempotency-key.ts';
import { MOVED, openMoved } from './moved.ts';
import { NODE, openNodes } from './node.ts';
import { openParticipants, PARTICIPANT } from './participant.ts';
import { openSchedules, SCHEDULE } from './schedule.ts';
import { openSecrets, SECRET } from './secret.ts';
import { openSettings, SETTING } from './setting.ts';
import { openSources, SOURCE } from './source.ts';
import { openSubscriptions, SUBSCRIPTION } from './subscription.ts';
import type { AnyTable, OpenTable } from './table.ts';

/* The tables that belong to no workflow: a line in each of the two lists. */

const tables = [
  API_KEY,
  ATTEMPT,
  AUDIT,
  BATCH,
  BATCH_ITEM,
  BUSINESS_KEY,
  CORRELATION,
  DEFINITION,
  DEFINITION_NAME,
  DEFINITION_SOURCE,
  DEFINITION_VERSION,
  DELIVERY,
  EVENT,
  FIGURE,
  IDEMPOTENCY_KEY,
  MOVED,
  NODE,
  PARTICIPANT,
  SCHEDULE,
  SECRET,
  SETTING,
  SUBSCRIPTION,
  SOURCE,
] as const;

/** How the rest of the server uses them: parts of the store. */
export const openTables = (open: OpenTable) => ({
  attempts: openAttempts(open),
  definitions: openDefinitionTexts(open),
  receivedEvents: openEvents(open),
  stored: openStoredDefinitions(open),
  schedules: openSchedules(open),
  figureRows: openFigures(open),
  answers: openAnswers(open),
  moved: openMoved(open),
  nodes: openNodes(open),
  settings: openSettings(open),
  apiKeys: openApiKeys(open),
  secrets: openSecrets(open),
  audit: openAudit(open),
  sources: openSources(open),
  batches: openBatches(open),
  businessKeys: openBusinessKeys(open),
  participants: openParticipants(open),
  subscriptions: openSubscriptions(open),
  deliveries: openDeliveries(open),
});

export type Tables = ReturnType<typeof openTables>;
/** The same for those who go through all of them. */
export const FREE_TABLES: readonly AnyTable[] = tables as readonly unknown[] as readonly AnyTable[];
