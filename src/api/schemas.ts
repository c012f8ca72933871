import { AuditList } from './resources/audit/schemas.ts';
import { Batch, BatchCreate, BatchItems, BatchList, BatchMatches } from './resources/batches/schemas.ts';
import {
  Backfill,
  Convert,
  Converted,
  Definition,
  DefinitionList,
  DefinitionPost,
  DefinitionPut,
  DefinitionStored,
  DefinitionVersionList,
  Run,
  ScheduleList,
  ScheduleShown,
  Validate,
  Validation,
} from './resources/definitions/schemas.ts';
import { Message, MessageList } from './resources/deliveries/schemas.ts';
import { Erase, ErasedValue, ErasedWorkflowTold } from './resources/erasing/schemas.ts';
import { ErrorList } from './resources/errors/schemas.ts';
import { ExpressionList, ExpressionShown, Reapply } from './resources/expressions/schemas.ts';
import { Stats } from './resources/figures/schemas.ts';
import { Key, KeyCreate, KeyList, KeyMade, KeyRotate, Me } from './resources/keys/schemas.ts';
import { Form, Participant, ParticipantList, ParticipantPut } from './resources/participants/schemas.ts';
import { Secret, SecretCreate, SecretList, SecretRotate, SecretShown } from './resources/secrets/schemas.ts';
import { ClockAdvance, Info, Nodes, Ping } from './resources/server/schemas.ts';
import { SessionCreate, Ticket } from './resources/sessions/schemas.ts';
import {
  EventAnswer,
  EventList,
  StoredEvent,
  TenantMessage,
  TenantSignal,
  Waits,
} from './resources/signals/schemas.ts';
import {
  EventDeliveries,
  Redeliver,
  Redelivered,
  Subscription,
  SubscriptionCreate,
  SubscriptionList,
  SubscriptionPatch,
} from './resources/subscriptions/schemas.ts';
import { TimerList } from './resources/timers/schemas.ts';
import { Retried, Retry } from './resources/workflows/retry-schemas.ts';
import {
  Cancel,
  History,
  Imported,
  Launch,
  Launched,
  Workflow,
  WorkflowCount,
  WorkflowList,
} from './resources/workflows/schemas.ts';
import {
  Callback,
  Claim,
  Deliveries,
  Fail,
  Heartbeat,
  HeartbeatTold,
  Proceed,
  Release,
  Workitem,
  WorkitemList,
  WorkitemPatch,
} from './resources/workitems/schemas.ts';
import type { Schema } from './schema.ts';
import { Fields, Problem, Tree } from './schema-parts.ts';

/*
 * What crosses our border, each in the file of its resource and a JSON Schema (2020-12) as it stands. Requests are held
 * against them; `schemas/*.json` and /openapi.json are made from them (scripts/schemas.ts).
 */

/** The schemas that are published as `schemas/<name>.json`. */
export const published = {
  launch: Launch,
  launched: Launched,
  cancel: Cancel,
  proceed: Proceed,
  fail: Fail,
  'workitem-patch': WorkitemPatch,
  reapply: Reapply,
  'workflow-retry': Retry,
  'workflow-retried': Retried,
  validate: Validate,
  validation: Validation,
  convert: Convert,
  converted: Converted,
  'definition-put': DefinitionPut,
  'definition-post': DefinitionPost,
  'definition-stored': DefinitionStored,
  definition: Definition,
  definitions: DefinitionList,
  'definition-versions': DefinitionVersionList,
  run: Run,
  schedule: ScheduleShown,
  schedules: ScheduleList,
  backfill: Backfill,
  'clock-advance': ClockAdvance,
  callback: Callback,
  fields: Fields,
  tree: Tree,
  workflow: Workflow,
  workflows: WorkflowList,
  imported: Imported,
  'workflow-count': WorkflowCount,
  workitem: Workitem,
  workitems: WorkitemList,
  errors: ErrorList,
  erase: Erase,
  'erased-value': ErasedValue,
  'erased-workflow': ErasedWorkflowTold,
  history: History,
  deliveries: Deliveries,
  message: Message,
  messages: MessageList,
  timers: TimerList,
  expression: ExpressionShown,
  expressions: ExpressionList,
  nodes: Nodes,
  ping: Ping,
  info: Info,
  stats: Stats,
  key: Key,
  'key-made': KeyMade,
  keys: KeyList,
  'key-create': KeyCreate,
  'key-rotate': KeyRotate,
  me: Me,
  'session-create': SessionCreate,
  ticket: Ticket,
  secret: Secret,
  'secret-shown': SecretShown,
  secrets: SecretList,
  'secret-create': SecretCreate,
  'secret-rotate': SecretRotate,
  participant: Participant,
  participants: ParticipantList,
  'participant-put': ParticipantPut,
  form: Form,
  subscription: Subscription,
  subscriptions: SubscriptionList,
  'subscription-create': SubscriptionCreate,
  'subscription-patch': SubscriptionPatch,
  'event-deliveries': EventDeliveries,
  'event-redeliver': Redeliver,
  'event-redelivered': Redelivered,
  claim: Claim,
  release: Release,
  heartbeat: Heartbeat,
  'heartbeat-told': HeartbeatTold,
  audit: AuditList,
  'event-answer': EventAnswer,
  events: EventList,
  event: StoredEvent,
  waits: Waits,
  'tenant-message': TenantMessage,
  'tenant-signal': TenantSignal,
  batch: Batch,
  batches: BatchList,
  'batch-create': BatchCreate,
  'batch-items': BatchItems,
  'batch-matches': BatchMatches,
  problem: Problem,
} satisfies Readonly<Record<string, Schema>>;
