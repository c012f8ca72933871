import type { Engine } from '../engine/engine.ts';
import type { Schedule } from '../engine/retry-rules.ts';
import type { Search } from '../engine/search.ts';
import type { Trees } from '../engine/trees.ts';
import type { EventsOfAll } from '../events/of-all.ts';
import type { EventsOfWorkflows } from '../events/of-workflow.ts';
import type { Identity } from '../identity/identity.ts';
import type { WorkflowId } from '../model/ids.ts';
import type { Json } from '../model/json.ts';
import type { Status, WorkitemRow } from '../model/rows.ts';
import type { Callbacks, Launch as LaunchOrder } from '../model/stimulus.ts';
import type { Tenant } from '../model/tenant.ts';
import type { Tree } from '../model/tree.ts';
import type { Definitions as StoredDefinitions } from '../registry/definitions.ts';
import type { Memory } from '../registry/memory.ts';
import type { OwnParticipants } from '../registry/own-participants.ts';
import type { Participants } from '../registry/participants.ts';
import type { Routes } from '../registry/routes.ts';
import type { Subscriptions } from '../registry/subscriptions.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Ids } from '../runtime/ids.ts';
import type { Log } from '../runtime/log.ts';
import type { Meter } from '../runtime/meter.ts';
import type { Tracing } from '../runtime/tracing.ts';
import type { Receiver } from '../signals/receiver.ts';
import type { Asked, Busy, KeptDefinition, NodeRow, SeenDefinition, Store } from '../store/store.ts';

import type { Auditing } from './audit.ts';
import type { Hooks } from './hooks.ts';
import type { LargeNotes } from './large.ts';
import type { PagePolicy } from './middleware/pages.ts';
import type { Rates } from './middleware/rate.ts';

export type DefinitionComplaint = {
  readonly message: string;
  readonly line: number;
  readonly column: number;
  /** Of BPMN: the id of the element. */
  readonly element?: string;
  /** Of BPMN: what it is that is not run here. */
  readonly unsupported?: string;
};
/** Of BPMN: the ids of the process to run and of the start event to begin with. */
export type DefinitionChoice = { readonly process?: string | null; readonly start?: string | null };
/** What is legal and probably not meant. `pointer`: into the tree; `line`, `column`: where there was a text. */
export type DefinitionWarning = {
  readonly code: string;
  readonly message: string;
  readonly pointer: string;
  readonly line?: number;
  readonly column?: number;
  /** Of BPMN: the id of the element. */
  readonly element?: string;
  /** Of `callback_missing`: whose URL is missing. */
  readonly participant?: string;
};
export type DefinitionRead =
  /** `warnings`: of BPMN, what is told of its elements where it is stored or looked at. */
  | { readonly ok: true; readonly tree: Tree; readonly warnings?: readonly DefinitionWarning[] }
  | { readonly ok: false; readonly errors: readonly DefinitionComplaint[] };

export type ConvertOptions = {
  /** Null: told by the text. */
  readonly from: 'ruby' | 'radial' | 'xml' | 'json' | null;
  readonly to: 'radial' | 'xml' | 'json';
  /** Of Ruby, which may have several definitions in one text: the one to convert; null where there is one. */
  readonly name: string | null;
};
export type ConvertResult =
  | {
      readonly ok: true;
      readonly text: string;
      readonly tree: Tree;
      readonly from: string;
      readonly name: string | null;
      readonly names: readonly { readonly name: string | null; readonly line: number; readonly column: number }[];
      readonly warnings: readonly DefinitionComplaint[];
    }
  | { readonly ok: false; readonly errors: readonly DefinitionComplaint[] };
/** Figures of one tenant, or of all (null), and of its last so many minutes. */
export type StatsAsked = { readonly tenant: Tenant | null; readonly minutes: number };
/** A count that could not be had in time is null. Times in milliseconds are of business time where they are points in time. */
export type Stats = {
  readonly workflows: ReadonlyMap<Status, number> | null;
  readonly workitems: {
    readonly open: number;
    readonly failed: number;
    readonly overdue: number;
    readonly failing: number;
  } | null;
  readonly messages: { readonly due: number; readonly oldestDueSeconds: number } | null;
  readonly timers: { readonly due: number; readonly oldestDueSeconds: number } | null;
  readonly errors: number | null;
  /** Definitions by name that were launched most in these minutes. */
  readonly busiest: readonly Busy[] | null;
  /** Those in which something happened. */
  readonly minutes: readonly {
    readonly at: number;
    readonly launched: number;
    readonly ended: number;
    readonly steps: number;
    readonly tries: { readonly delivered: number; readonly refused: number; readonly unreachable: number };
    readonly stepP50Ms: number | null;
    readonly stepP95Ms: number | null;
    readonly timerLagMs: number | null;
    readonly claimLagMs: number | null;
    readonly databaseMs: number | null;
  }[];
  /** As this node sees them; null where one tenant asks. */
  readonly hosts:
    | readonly {
        readonly host: string;
        readonly inFlight: number;
        readonly tries: number;
        readonly failingSince: number | null;
        readonly perMinute: number | null;
        readonly p50Ms: number | null;
        readonly p95Ms: number | null;
        /** `closed`, `open`: it is left alone, or `half_open`: one try decides. */
        readonly breaker: string;
        readonly openUntil: number | null;
      }[]
    | null;
};

/** How many workflows of stored definitions there are, and were launched in the last day; `isWhole` false: at least so many. */
export type KeptFound = { readonly isWhole: boolean; readonly definitions: readonly KeptDefinition[] };

/** What the API is built from. Rooms it may not import come in as functions (docs/architecture.md, the arrows). */
export type Parts = {
  readonly store: Store;
  /** Finds workflows by what is inside of them. */
  readonly search: Search;
  readonly engine: Pick<Engine, 'advance'>;
  /** Where events from outside come in. */
  readonly receiver: Receiver;
  /** Whether `POST /` takes events, too. */
  readonly eventsAtRoot: boolean;
  /** Those who watch (events/of-workflow.ts). */
  readonly events: {
    readonly ofWorkflows: EventsOfWorkflows;
    /** Null: the store has no order of all. */
    readonly ofAll: EventsOfAll | null;
  };
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** Names this process among others. */
  readonly nodeId: string;
  /** A worker answers for itself only: health, nodes, the test clock. */
  readonly role: 'all' | 'api' | 'worker';
  /** Stored definitions by their hash, as the engine keeps them. */
  readonly trees: Pick<Trees, 'tree'>;
  readonly definitions: {
    /** Reads a text, or a tree that came as data. */
    readonly read: (definition: string | Json, choice?: DefinitionChoice) => DefinitionRead;
    /** What the engine needs to launch a tree that was read. */
    readonly prepare: (tree: Tree) => Pick<LaunchOrder, 'tree' | 'hash' | 'text' | 'name' | 'revision'>;
    /** Warnings about a definition that was read; `callbacks`: the URLs by participant, null when one takes all. */
    readonly warnings: (
      read: Extract<DefinitionRead, { readonly ok: true }>,
      callbacks: { readonly [participant: string]: unknown } | null,
    ) => readonly DefinitionWarning[];
    /** Whether callbacks have a URL for a participant: by its name, by a pattern its name fits, or one for all. */
    readonly hasAddress: (callbacks: Callbacks, participant: string) => boolean;
    /** The format of a text that can be read. */
    readonly formatOf: (text: string) => 'xml' | 'json' | 'radial' | 'bpmn';
    /** A definition in another format, Ruby among those it may come in. */
    readonly convert: (text: string, options: ConvertOptions) => Promise<ConvertResult>;
    /** The known word that was probably meant, or null. */
    readonly nearest: (word: string, known: readonly string[]) => string | null;
    /** The participants a tree names, as far as can be told without running it. */
    readonly participants: (tree: Tree) => readonly string[];
  };
  /** Schedules were written: somebody looks at them now; left out: somebody will. */
  readonly scheduled?: () => void;
  /** Where routes are served: `prefix` before each of their paths (ROUTES_PREFIX, no slash at its end), and what they keep of a request. */
  readonly routes: {
    readonly prefix: string;
    readonly headers: readonly string[];
    readonly hasAwfPaths: boolean;
  };
  /** The path of the base URL, without a slash at its end: behind a proxy our addresses begin with it. */
  readonly basePath: () => string;
  /** BASE_URL, without a slash at its end. */
  readonly baseUrl: () => string;
  /** Something is owed to those who are told of lifecycles: this node, or another one, sends it now. */
  readonly owed: () => void;
  /** Why a callback may not go to a URL, in words that fit behind "the URL", or null (outbox/targets.ts). */
  readonly targetComplaint: (url: string) => string | null;
  /** The request that a message of a workitem is sent as, without signatures and without the token in its proceed_url. */
  readonly requestOf: (
    tenant: Tenant,
    workflow: WorkflowId,
    row: WorkitemRow,
    base: string | null,
  ) => { readonly url: string; readonly headers: Readonly<Record<string, string>>; readonly body: string };
  /** The server processes that share the database, this one among them. */
  readonly nodes: () => Promise<readonly NodeRow[]>;
  /** Keys, secrets, and whether callers are asked who they are. */
  readonly identity: Identity;
  /** Which pages are our own, and how a browser reaches this server. */
  readonly pages: PagePolicy;
  readonly rates: Rates;
  /** What is counted, and who asks for it; left out: nothing is counted, and there is nothing to ask for. */
  readonly figures?: {
    readonly meter: Meter;
    readonly scrape: (
      format: 'prometheus' | 'openmetrics',
    ) => Promise<{ readonly type: string; readonly text: string }>;
    readonly stats: (asked: StatsAsked) => Promise<Stats>;
    /** As it is now; null: it could not be counted in time. */
    readonly participants: (tenant: Tenant, names: readonly string[]) => Promise<ReadonlyMap<string, Asked> | null>;
    readonly usedIn: (
      tenant: Tenant,
      participant: string,
    ) => Promise<readonly { readonly name: string | null; readonly workitems: number }[] | null>;
    /** Of stored definitions; null: it could not be counted in time. */
    readonly kept: (tenant: Tenant) => Promise<KeptFound | null>;
    /** Definitions that were launched in the last week. */
    readonly seen: (tenant: Tenant) => Promise<readonly SeenDefinition[] | null>;
  };
  /** What lies in the memory of every node, and how a write of it is spread. */
  readonly registry: {
    readonly definitions: StoredDefinitions;
    readonly routes: Routes;
    readonly participants: Participants;
    readonly own: OwnParticipants;
    readonly subscriptions: Subscriptions;
    readonly memory: Pick<Memory, 'spread' | 'refresh'>;
  };
  readonly audit: Auditing;
  /** Left out, or null: nobody records traces. */
  readonly tracing?: Tracing | null;
  /** Tells what is near to the size it may have. */
  readonly large: LargeNotes;
  /** Whether a tenant may have a workflow more; left out: any number. @throws Fault */
  readonly launches?: { readonly admit: (tenant: Tenant) => Promise<void> };
  /** Of the application this server is part of. */
  readonly hooks?: Hooks;
  /** Goes on with batches on this node; left out: others do. */
  readonly batches?: { readonly wake: () => void };
  /** Only with TEST_CLOCK=1. */
  readonly testClock: { readonly advance: (seconds: number) => Promise<void> } | null;
  /** A value as YAML. */
  readonly asYaml: (value: Json) => string;
  /** Whether stored definitions are tools of the Model Context Protocol (MCP). */
  readonly mcp?: boolean;
  /** Whether there is a page that shows the interface (DOCS). */
  readonly docs: boolean;
  /** Whether participants can be played by hand here (PLAYGROUND). */
  readonly playground?: boolean;
  /** Answers that go on by themselves, such as streams of events: this many at once. */
  readonly streamsMax: number;
  /** What `GET /v1/info` says beside what is in the other parts. */
  readonly about: {
    readonly version: string;
    /** What it was built from; null: nobody knows. */
    readonly commit: string | null;
    /** Whether callers are asked who they are. Asked each time, for the first key closes the door. */
    readonly auth: () => 'open' | 'required';
    readonly retainDays: { readonly ended: number; readonly audit: number; readonly batches: number };
    /** The bounds of a step, by their names. */
    readonly limits: Readonly<Record<string, number>>;
    /** Seconds between tries, where a launch says nothing else; left out: nobody says. */
    readonly schedule?: Schedule;
    /** What this cell is called; null or left out: there are none. */
    readonly cell?: string | null;
    /** What an operator should look at, a sentence each. */
    readonly warnings: (tenant: Tenant) => Promise<readonly string[]>;
  };
  /** Seconds after which a workitem that still waits is overdue: of participants, and of all others. */
  readonly overdue: { readonly seconds: number; readonly of: { readonly [participant: string]: number } };
  /** True once the server was told to stop. */
  readonly isStopping: () => boolean;
};
