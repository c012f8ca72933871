/* Written by `npm run schemas` from the schemas in schemas/. Do not edit. */

/** Something that was done to the server */
export type AuditEntry = {
  /** Names the entry */
  readonly id: string;
  /** When it was asked for, RFC 3339 in UTC */
  readonly at: string;
  /** Whose it is; `*`: nobody’s */
  readonly tenant: string;
  readonly actor: string | null;
  readonly address: string | null;
  /** What: key.create, secret.reveal, login.refused, … */
  readonly action: string;
  readonly object: string | null;
  /** done, refused, the code of a problem, or asked: a node died before it could tell */
  readonly outcome: string;
  readonly reason: string | null;
  /** More, by action; never a secret */
  readonly details: { readonly [name: string]: unknown };
};

export type AuditList = {
  readonly audit: readonly AuditEntry[];
  readonly next_cursor: string | null;
};

/** A stretch of time */
export type Backfill = {
  /** From, RFC 3339 in UTC */
  readonly from: string;
  /** Until, RFC 3339 in UTC */
  readonly to: string;
};

/** The same thing done to many workflows */
export type Batch = {
  /** Names the batch */
  readonly id: string;
  /** What is done to each */
  readonly action: 'cancel' | 'kill' | 'pause' | 'resume' | 'replay' | 'redeliver' | 'proceed';
  readonly filter: { readonly [name: string]: unknown } | null;
  /** How many ids were given */
  readonly ids?: number;
  readonly params: {
    /** The fields of a workitem: names and any JSON values */
    readonly fields?: { readonly [name: string]: unknown };
    /** A process definition as data: [name, { attributes }, [children]], all the way down */
    readonly tree?: readonly [string, { readonly [name: string]: unknown }, readonly unknown[]];
    /** Of a replay with fields: they are merged over those of each, instead of taking their place */
    readonly merge?: boolean;
  };
  readonly reason: string | null;
  readonly actor: string | null;
  readonly rate: number | null;
  /** How far it is */
  readonly state: 'collecting' | 'running' | 'completed' | 'stopped' | 'failed';
  /** When it was asked for, RFC 3339 in UTC */
  readonly created_at: string;
  readonly started_at: string | null;
  readonly ended_at: string | null;
  readonly total: number | null;
  /** To which it was done */
  readonly done: number;
  /** To which it could not be done, though it should have been */
  readonly failed: number;
  /** To which there was nothing to do */
  readonly skipped: number;
  readonly left: number | null;
  readonly problem: string | null;
  /** The most frequent first (not in lists) */
  readonly problems?: readonly {
    /** Why an item failed or was skipped */
    readonly code: string;
    /** How many */
    readonly count: number;
  }[];
  /** Of those done, how many are in error now (not in lists) */
  readonly came_back?: number;
  /** The same by what they are in error with, the most frequent first (not in lists) */
  readonly came_back_as?: readonly {
    /** Of the newest error of the workflow */
    readonly class: string;
    /** How many */
    readonly count: number;
  }[];
};

/** The same thing to be done to many workflows */
export type BatchCreate = {
  /** What is done to each */
  readonly action: 'cancel' | 'kill' | 'pause' | 'resume' | 'replay' | 'redeliver' | 'proceed';
  /** Which workflows: the filters of GET /v1/workflows by name, or "all": true; for replay also error_class, for redeliver and proceed state (owed, failing, spent) */
  readonly filter?: { readonly [name: string]: string | number | boolean | readonly string[] };
  readonly ids?: readonly string[];
  /** Every workflow there is */
  readonly all?: true;
  /** Of a replay: fields and a tree, as for one error, and merge; of a proceed: fields */
  readonly params?: {
    /** The fields of a workitem: names and any JSON values */
    readonly fields?: { readonly [name: string]: unknown };
    /** A process definition as data: [name, { attributes }, [children]], all the way down */
    readonly tree?: readonly [string, { readonly [name: string]: unknown }, readonly unknown[]];
    /** Of a replay with fields: they are merged over those of each, instead of taking their place */
    readonly merge?: boolean;
  };
  /** Why, in your words; the history keeps it */
  readonly reason?: string;
  /** Items in a second, at most; as fast as it goes unless said */
  readonly rate?: number;
  /** Only tells how many there are */
  readonly dry_run?: boolean;
};

export type BatchItems = {
  readonly items: readonly {
    /** The workflow */
    readonly workflow_id: string;
    readonly object: string | null;
    /** What came of it */
    readonly outcome: 'done' | 'failed' | 'skipped' | 'left';
    readonly code: string | null;
    readonly message: string | null;
  }[];
  readonly next_cursor: string | null;
};

export type BatchList = {
  readonly batches: readonly Batch[];
  readonly next_cursor: string | null;
};

/** What a batch would be about; exactly one of matches and at_least */
export type BatchMatches = {
  /** How many there are */
  readonly matches?: number;
  /** There are more than this, or not all were looked at */
  readonly at_least?: number;
  /** Some of them */
  readonly sample: readonly {
    /** The workflow */
    readonly workflow_id: string;
    readonly object: string | null;
  }[];
};

export type BpmnElement = {
  /** The element */
  readonly id: string;
  /** Tokens that stand there */
  readonly live: number;
  /** Tokens that wait there for others */
  readonly waiting: number;
  /** Errors that wait for somebody */
  readonly failed: number;
  /** Tokens that have left it */
  readonly done: number;
};

export type BpmnWait = {
  readonly element: string | null;
  /** The name of the message */
  readonly message?: string;
  /** The name of the signal */
  readonly signal?: string;
  /** The beginning of the condition */
  readonly condition?: string;
  readonly key: string | null;
  readonly since: string | null;
};

/** What a participant is sent */
export type Callback = {
  /** The workflow */
  readonly workflow_id: string;
  /** The workitem: expid!subid!workflow_id */
  readonly workitem_id: string;
  /** The participant as named in the definition */
  readonly participant: string;
  /** active: do the work; anything else: stop working on it */
  readonly status: 'active' | 'timeout' | 'error' | 'cancel';
  /** The fields of a workitem: names and any JSON values */
  readonly fields: { readonly [name: string]: unknown };
  /** Where to POST the answer */
  readonly proceed_url: string;
  /** With cancel: why, where whoever cancelled it said so */
  readonly reason?: string;
};

/** Why, and whether what was done is undone */
export type Cancel = {
  /** Why, in your words; the history keeps it */
  readonly reason?: string;
  /** true: nothing happens, and the answer (200) says what would */
  readonly dry_run?: boolean;
  /** true: what participants with an undo have done is undone before it is over */
  readonly compensate?: boolean;
};

/** Takes a workitem for somebody: a courtesy among those who share a worklist */
export type Claim = {
  /** Who works on it */
  readonly assignee: string;
  /** A duration such as "90s" or "2h", or a number of seconds */
  readonly ttl?: string | number;
};

/** Moves business time; only with TEST_CLOCK=1 */
export type ClockAdvance = {
  /** Seconds; 0 only waits for quiet */
  readonly advance: number;
};

/** A definition to write in another format */
export type Convert = {
  /** The text; at most 1 MB */
  readonly definition: string;
  /** The format of the text; told by the text where it is left out */
  readonly from?: 'ruby' | 'radial' | 'xml' | 'json';
  /** The format to write */
  readonly to: 'radial' | 'xml' | 'json';
  /** Of Ruby with several definitions: the one that is meant */
  readonly name?: string;
};

export type Converted = {
  /** The text in the other format */
  readonly definition: string;
  /** The format of `definition` */
  readonly format: 'radial' | 'xml' | 'json';
  /** The format of the text that came */
  readonly from: 'ruby' | 'radial' | 'xml' | 'json';
  /** A process definition as data: [name, { attributes }, [children]], all the way down */
  readonly tree: readonly [string, { readonly [name: string]: unknown }, readonly unknown[]];
  readonly name: string | null;
  /** All definitions of the text */
  readonly names: readonly {
    readonly name: string | null;
    readonly line: number;
    readonly column: number;
  }[];
  /** Legal and probably not meant, or left out */
  readonly warnings: readonly {
    readonly message: string;
    readonly line: number;
    readonly column: number;
  }[];
};

export type Definition = {
  /** Its name */
  readonly name: string;
  readonly version: number;
  readonly active: boolean;
  /** Over its text and keys; the ETag */
  readonly sha256: string;
  /** xml, json, radial or bpmn */
  readonly format: string;
  /** The text, as it came */
  readonly definition: string;
  /** When this version was stored, RFC 3339 in UTC */
  readonly created_at: string;
  readonly created_by: string | null;
  /** Of BPMN: the start events that messages and signals set off */
  readonly starts?: readonly Start[];
  /** For people */
  readonly description?: string;
  /** About this version */
  readonly note?: string;
  /** An http or https URL, or svc:<service>/… for one below a registered service */
  readonly callback?: string;
  /** The callback of each participant, by its name, or by a /pattern/ of names */
  readonly callbacks?: { readonly [name: string]: string };
  /** Participants of this definition, by name or /pattern/, as the registry has them; they come behind its callbacks, before the registry */
  readonly participants?: { readonly [name: string]: ParticipantPut };
  /** What the fields of a launch must be: JSON Schema 2020-12 */
  readonly input_schema?: unknown;
  /** What a route takes from where: input → { in, name, type, … } */
  readonly inputs?: { readonly [name: string]: unknown };
  /** What the data of messages must be: name → JSON Schema */
  readonly messages?: { readonly [name: string]: unknown };
  /** Other rules about tries than the usual: seconds between them (or how they grow), a part by which each delay may grow at random, whether Retry-After is heeded and whether the status 410 ends them, after how many seconds none begins any more; or the name of rules */
  readonly retry?:
    | {
        readonly delays?: readonly number[];
        readonly max?: number;
        readonly initial?: number;
        readonly factor?: number;
        readonly cap?: number;
        readonly notice_delays?: readonly number[];
        readonly jitter?: number;
        readonly retry_after?: boolean;
        readonly gone_ends?: boolean;
        readonly max_seconds?: number;
        /** Rules of single participants, by name, each instead of all the others */
        readonly participants?: {
          readonly [name: string]:
            | {
                readonly delays?: readonly number[];
                readonly max?: number;
                readonly initial?: number;
                readonly factor?: number;
                readonly cap?: number;
                readonly notice_delays?: readonly number[];
                readonly jitter?: number;
                readonly retry_after?: boolean;
                readonly gone_ends?: boolean;
                readonly max_seconds?: number;
              }
            | 'standard-webhooks'
            | 'default';
        };
      }
    | 'standard-webhooks'
    | 'default';
  /** Who is told of what happens to this workflow: a URL, or { url, events?, fields?, headers? }, or a list of at most 10 */
  readonly notify?: unknown;
  /** When the workflow as a whole times out: a duration such as 2d, or seconds; not for BPMN */
  readonly timeout?: string | number;
  /** Days it is kept once it is over; left out: RETAIN_ENDED */
  readonly retain_days?: number;
  /** Entries its history may have before the oldest are folded away; left out: HISTORY_MAX */
  readonly history_max?: number;
  /** To find it by: it has them from its beginning to its end */
  readonly tags?: readonly string[];
  /** true: a callback that is answered with {"proceed": true, "fields"?} has proceeded */
  readonly replies?: boolean;
  /** true: an error nobody handles undoes what was done, and cancels the workflow */
  readonly compensate?: boolean;
  /** true: warnings are refusals */
  readonly strict?: boolean;
  /** What its workflows are known by */
  readonly business_key?:
    | string
    | {
        /** Made of the fields */
        readonly key: string;
        /** As business_key_conflict of a launch */
        readonly conflict?: 'reject' | 'return_existing' | 'allow_if_ended';
      };
  /** Events that start it */
  readonly triggers?: readonly Trigger[];
  /** When it starts by itself */
  readonly schedules?: readonly Schedule[];
  /** An address of its own: POST /orders/{customer} */
  readonly route?: string;
  /** true: its route asks nobody who they are */
  readonly public?: boolean;
  /** The field that is the answer of whoever waits: f:result */
  readonly answer?: string;
  /** The field with the status of that answer: f:code */
  readonly status_from?: string;
  /** The status for whoever waits, by the class of the error */
  readonly errors?: { readonly [name: string]: number };
  /** true: it is a tool of /mcp */
  readonly mcp?: boolean;
};

export type DefinitionList = {
  readonly definitions: readonly {
    readonly name: string;
    readonly version: number;
    readonly description: string | null;
    readonly format: string;
    /** null: there is none */
    readonly input_schema: unknown;
    readonly route: string | null;
    /** When its active version changed, RFC 3339 in UTC */
    readonly updated_at: string;
  }[];
  readonly next_cursor: string | null;
};

export type DefinitionOf = {
  /** Its name */
  readonly name: string;
  readonly version: number;
};

/** A definition to store, with its name */
export type DefinitionPost = {
  /** Its name */
  readonly name: string;
  /** The text, or the tree itself; at most 1 MB */
  readonly definition?: string | readonly [string, { readonly [name: string]: unknown }, readonly unknown[]];
  /** Another word for it */
  readonly workflow?: string | readonly [string, { readonly [name: string]: unknown }, readonly unknown[]];
  /** For people */
  readonly description?: string;
  /** About this version */
  readonly note?: string;
  /** An http or https URL, or svc:<service>/… for one below a registered service */
  readonly callback?: string;
  /** The callback of each participant, by its name, or by a /pattern/ of names */
  readonly callbacks?: { readonly [name: string]: string };
  /** Participants of this definition, by name or /pattern/, as the registry has them; they come behind its callbacks, before the registry */
  readonly participants?: { readonly [name: string]: ParticipantPut };
  /** What the fields of a launch must be: JSON Schema 2020-12 */
  readonly input_schema?: unknown;
  /** What a route takes from where: input → { in, name, type, … } */
  readonly inputs?: { readonly [name: string]: unknown };
  /** What the data of messages must be: name → JSON Schema */
  readonly messages?: { readonly [name: string]: unknown };
  /** Other rules about tries than the usual: seconds between them (or how they grow), a part by which each delay may grow at random, whether Retry-After is heeded and whether the status 410 ends them, after how many seconds none begins any more; or the name of rules */
  readonly retry?:
    | {
        readonly delays?: readonly number[];
        readonly max?: number;
        readonly initial?: number;
        readonly factor?: number;
        readonly cap?: number;
        readonly notice_delays?: readonly number[];
        readonly jitter?: number;
        readonly retry_after?: boolean;
        readonly gone_ends?: boolean;
        readonly max_seconds?: number;
        /** Rules of single participants, by name, each instead of all the others */
        readonly participants?: {
          readonly [name: string]:
            | {
                readonly delays?: readonly number[];
                readonly max?: number;
                readonly initial?: number;
                readonly factor?: number;
                readonly cap?: number;
                readonly notice_delays?: readonly number[];
                readonly jitter?: number;
                readonly retry_after?: boolean;
                readonly gone_ends?: boolean;
                readonly max_seconds?: number;
              }
            | 'standard-webhooks'
            | 'default';
        };
      }
    | 'standard-webhooks'
    | 'default';
  /** Who is told of what happens to this workflow: a URL, or { url, events?, fields?, headers? }, or a list of at most 10 */
  readonly notify?: unknown;
  /** When the workflow as a whole times out: a duration such as 2d, or seconds; not for BPMN */
  readonly timeout?: string | number;
  /** Days it is kept once it is over; left out: RETAIN_ENDED */
  readonly retain_days?: number;
  /** Entries its history may have before the oldest are folded away; left out: HISTORY_MAX */
  readonly history_max?: number;
  /** To find it by: it has them from its beginning to its end */
  readonly tags?: readonly string[];
  /** true: a callback that is answered with {"proceed": true, "fields"?} has proceeded */
  readonly replies?: boolean;
  /** true: an error nobody handles undoes what was done, and cancels the workflow */
  readonly compensate?: boolean;
  /** true: warnings are refusals */
  readonly strict?: boolean;
  /** What its workflows are known by */
  readonly business_key?:
    | string
    | {
        /** Made of the fields */
        readonly key: string;
        /** As business_key_conflict of a launch */
        readonly conflict?: 'reject' | 'return_existing' | 'allow_if_ended';
      };
  /** Events that start it */
  readonly triggers?: readonly Trigger[];
  /** When it starts by itself */
  readonly schedules?: readonly Schedule[];
  /** An address of its own: POST /orders/{customer} */
  readonly route?: string;
  /** true: its route asks nobody who they are */
  readonly public?: boolean;
  /** The field that is the answer of whoever waits: f:result */
  readonly answer?: string;
  /** The field with the status of that answer: f:code */
  readonly status_from?: string;
  /** The status for whoever waits, by the class of the error */
  readonly errors?: { readonly [name: string]: number };
  /** true: it is a tool of /mcp */
  readonly mcp?: boolean;
};

/** A definition to store */
export type DefinitionPut = {
  /** The text, or the tree itself; at most 1 MB */
  readonly definition?: string | readonly [string, { readonly [name: string]: unknown }, readonly unknown[]];
  /** Another word for it */
  readonly workflow?: string | readonly [string, { readonly [name: string]: unknown }, readonly unknown[]];
  /** For people */
  readonly description?: string;
  /** About this version */
  readonly note?: string;
  /** An http or https URL, or svc:<service>/… for one below a registered service */
  readonly callback?: string;
  /** The callback of each participant, by its name, or by a /pattern/ of names */
  readonly callbacks?: { readonly [name: string]: string };
  /** Participants of this definition, by name or /pattern/, as the registry has them; they come behind its callbacks, before the registry */
  readonly participants?: { readonly [name: string]: ParticipantPut };
  /** What the fields of a launch must be: JSON Schema 2020-12 */
  readonly input_schema?: unknown;
  /** What a route takes from where: input → { in, name, type, … } */
  readonly inputs?: { readonly [name: string]: unknown };
  /** What the data of messages must be: name → JSON Schema */
  readonly messages?: { readonly [name: string]: unknown };
  /** Other rules about tries than the usual: seconds between them (or how they grow), a part by which each delay may grow at random, whether Retry-After is heeded and whether the status 410 ends them, after how many seconds none begins any more; or the name of rules */
  readonly retry?:
    | {
        readonly delays?: readonly number[];
        readonly max?: number;
        readonly initial?: number;
        readonly factor?: number;
        readonly cap?: number;
        readonly notice_delays?: readonly number[];
        readonly jitter?: number;
        readonly retry_after?: boolean;
        readonly gone_ends?: boolean;
        readonly max_seconds?: number;
        /** Rules of single participants, by name, each instead of all the others */
        readonly participants?: {
          readonly [name: string]:
            | {
                readonly delays?: readonly number[];
                readonly max?: number;
                readonly initial?: number;
                readonly factor?: number;
                readonly cap?: number;
                readonly notice_delays?: readonly number[];
                readonly jitter?: number;
                readonly retry_after?: boolean;
                readonly gone_ends?: boolean;
                readonly max_seconds?: number;
              }
            | 'standard-webhooks'
            | 'default';
        };
      }
    | 'standard-webhooks'
    | 'default';
  /** Who is told of what happens to this workflow: a URL, or { url, events?, fields?, headers? }, or a list of at most 10 */
  readonly notify?: unknown;
  /** When the workflow as a whole times out: a duration such as 2d, or seconds; not for BPMN */
  readonly timeout?: string | number;
  /** Days it is kept once it is over; left out: RETAIN_ENDED */
  readonly retain_days?: number;
  /** Entries its history may have before the oldest are folded away; left out: HISTORY_MAX */
  readonly history_max?: number;
  /** To find it by: it has them from its beginning to its end */
  readonly tags?: readonly string[];
  /** true: a callback that is answered with {"proceed": true, "fields"?} has proceeded */
  readonly replies?: boolean;
  /** true: an error nobody handles undoes what was done, and cancels the workflow */
  readonly compensate?: boolean;
  /** true: warnings are refusals */
  readonly strict?: boolean;
  /** What its workflows are known by */
  readonly business_key?:
    | string
    | {
        /** Made of the fields */
        readonly key: string;
        /** As business_key_conflict of a launch */
        readonly conflict?: 'reject' | 'return_existing' | 'allow_if_ended';
      };
  /** Events that start it */
  readonly triggers?: readonly Trigger[];
  /** When it starts by itself */
  readonly schedules?: readonly Schedule[];
  /** An address of its own: POST /orders/{customer} */
  readonly route?: string;
  /** true: its route asks nobody who they are */
  readonly public?: boolean;
  /** The field that is the answer of whoever waits: f:result */
  readonly answer?: string;
  /** The field with the status of that answer: f:code */
  readonly status_from?: string;
  /** The status for whoever waits, by the class of the error */
  readonly errors?: { readonly [name: string]: number };
  /** true: it is a tool of /mcp */
  readonly mcp?: boolean;
};

export type DefinitionStored = {
  /** Its name */
  readonly name: string;
  readonly version: number;
  /** Over its text and keys; the ETag */
  readonly sha256: string;
  /** What the text is written in */
  readonly format: 'xml' | 'json' | 'radial' | 'bpmn';
  /** Whether its name starts this version */
  readonly active: boolean;
  readonly process?: string | null;
  readonly participants: readonly string[];
  readonly starts: readonly Start[];
  readonly elements?: readonly {
    readonly id: string;
    readonly type: string;
  }[];
  /** What is taken and was probably not meant */
  readonly warnings: readonly {
    /** A stable name to tell warnings apart by */
    readonly code: string;
    /** What is probably not meant */
    readonly message: string;
    /** Where: in the tree, or, with a # before it, in the body */
    readonly pointer: string;
    readonly line?: number;
    readonly column?: number;
    /** Of BPMN: the id of the element */
    readonly element?: string;
    /** Whose address is missing */
    readonly participant?: string;
  }[];
};

export type DefinitionVersionList = {
  readonly versions: readonly {
    readonly version: number;
    readonly active: boolean;
    /** The hash of its tree, by which its workflows are found (`definition`) */
    readonly hash: string;
    readonly sha256: string;
    readonly format: string;
    readonly note: string | null;
    /** When it was stored, RFC 3339 in UTC */
    readonly created_at: string;
    readonly created_by: string | null;
  }[];
  readonly next_cursor: string | null;
};

export type Deliveries = {
  readonly deliveries: readonly {
    /** Which message was tried */
    readonly message: 'active' | 'timeout' | 'error' | 'cancel';
    /** 1, 2, … */
    readonly try: number;
    /** When the try began, RFC 3339 in UTC */
    readonly at: string;
    readonly status: number | null;
    readonly milliseconds: number;
    readonly error: string | null;
    readonly next_at: string | null;
    /** The name of the node that made it */
    readonly by?: string;
    /** Of the last tries that were refused: what was answered, where that had a body */
    readonly answer?: {
      readonly content_type: string | null;
      /** Bytes, as far as they were read */
      readonly size: number;
      readonly excerpt: string | null;
    };
  }[];
};

/** A value that is to go */
export type Erase = {
  /** The text that is to go, such as an address of a person */
  readonly value: string;
  /** What takes its place, default `[erased]` */
  readonly replacement?: string;
  /** true: also where it is a part of a longer text; default: only where a value is that text */
  readonly within?: boolean;
  /** true: nothing is changed, and the answer says where it stands */
  readonly dry_run?: boolean;
  /** Workflows this call looks through, default 200 */
  readonly limit?: number;
  /** The next_cursor of the call before */
  readonly cursor?: string;
  /** Why, in your words; the history keeps it */
  readonly reason?: string;
};

/** Where a value stood; some of the workflows in each call */
export type ErasedValue = {
  readonly workflows: readonly string[];
  /** Rows, by table */
  readonly erased: { readonly [name: string]: number };
  /** Rows, by table */
  readonly kept: { readonly [name: string]: number };
  /** Where it may stand beyond, which nobody here can reach */
  readonly not_reached: readonly string[];
  readonly next_cursor: string | null;
};

/** What went with a workflow */
export type ErasedWorkflow = {
  /** It is not there any more */
  readonly workflow_id: string;
  /** Rows, by table */
  readonly erased: { readonly [name: string]: number };
  /** Where it may stand beyond, which nobody here can reach */
  readonly not_reached: readonly string[];
};

/** An error that waits for someone */
export type Error = {
  /** The workflow (lists only) */
  readonly workflow_id?: string;
  /** Where it happened: expid!subid; of a stuck gateway the process */
  readonly expression_id: string;
  /** The place in the tree */
  readonly expid: string;
  readonly workitem_id: string | null;
  /** Of BPMN: the id of the element */
  readonly element?: string;
  /** What kind of error */
  readonly class: string;
  /** What happened */
  readonly message: string;
  /** When it happened; of a stuck gateway when its workflow moved last, RFC 3339 in UTC */
  readonly at: string;
  /** The same for errors at one place of one definition that differ only in ids, numbers and quoted texts (lists only) */
  readonly fingerprint?: string;
  /** The hash of the definition of the workflow (lists only) */
  readonly definition?: string;
  readonly name?: string | null;
  readonly participant?: string | null;
  readonly host?: string | null;
  readonly last_try?: {
    /** Which message was tried */
    readonly message: 'active' | 'timeout' | 'error' | 'cancel';
    /** 1, 2, … */
    readonly try: number;
    /** When the try began, RFC 3339 in UTC */
    readonly at: string;
    readonly status: number | null;
    readonly milliseconds: number;
    readonly error: string | null;
    readonly next_at: string | null;
    /** The name of the node that made it */
    readonly by?: string;
    /** Of the last tries that were refused: what was answered, where that had a body */
    readonly answer?: {
      readonly content_type: string | null;
      /** Bytes, as far as they were read */
      readonly size: number;
      readonly excerpt: string | null;
    };
  } | null;
};

export type ErrorList = {
  readonly errors: readonly Error[];
  readonly next_cursor: string | null;
  /** With group_by: the largest first */
  readonly groups?: readonly {
    readonly key: string | null;
    /** How many there are */
    readonly count: number;
    /** In how many workflows */
    readonly workflows: number;
    /** When the oldest of them happened, RFC 3339 in UTC */
    readonly first_at: string;
    /** When the newest of them happened, RFC 3339 in UTC */
    readonly last_at: string;
    /** How many happened in each of the last 24 hours, the oldest first */
    readonly hours: readonly number[];
    /** An error that waits for someone */
    readonly example: Error;
  }[];
  /** With group_by: errors that were gathered */
  readonly looked_at?: number;
  /** With group_by: whether these were all */
  readonly complete?: boolean;
};

export type EventAnswer = {
  readonly status: 'accepted';
  /** The id its sender gave it */
  readonly id: string;
  /** Its id here */
  readonly event_id: string;
  /** Workflows it starts */
  readonly started: readonly string[];
  /** Workflows it was handed to, the first 1,000 */
  readonly resumed: readonly string[];
  /** It is being handed to further workflows */
  readonly more?: boolean;
  /** One of both is not empty */
  readonly delivered: boolean;
  /** Nobody waited for it: it is kept for the first who does */
  readonly kept: boolean;
  readonly kept_until: string | null;
  /** It was here already: this is what became of it then */
  readonly duplicate: boolean;
  /** Definitions that it fitted and did not start */
  readonly skipped?: readonly {
    readonly definition: string;
    readonly reason: string;
    readonly workflow_id?: string;
  }[];
  /** The element of BPMN that took it */
  readonly element?: string;
};

export type EventDeliveries = {
  readonly deliveries: readonly {
    /** The webhook-id */
    readonly id: string;
    /** The type of the event */
    readonly type: string;
    /** The workflow */
    readonly workflow_id: string;
    /** As it is sent */
    readonly event: { readonly [name: string]: unknown };
    /** How it stands */
    readonly state: 'owed' | 'failing' | 'delivered' | 'spent';
    readonly tries: number;
    readonly last: {
      /** When the last try began, RFC 3339 in UTC */
      readonly at: string;
      readonly status: number | null;
      readonly ms: number;
      readonly error: string | null;
    } | null;
    readonly next_at: string | null;
  }[];
  readonly next_cursor: string | null;
};

export type EventList = {
  readonly events: readonly {
    readonly event_id: string;
    readonly id: string;
    readonly source: string;
    readonly type: string;
    readonly key: string | null;
    readonly subject: string | null;
    readonly time: string | null;
    /** When it came, RFC 3339 in UTC */
    readonly received_at: string;
    readonly expires_at: string | null;
    /** What became of it */
    readonly state: 'kept' | 'delivered' | 'expired' | 'spreading';
    readonly started: readonly string[];
    readonly resumed: readonly string[];
  }[];
  readonly next_cursor: string | null;
};

export type Expression = {
  /** expid!subid */
  readonly id: string;
  /** The place in the tree */
  readonly expid: string;
  /** The head of the expression */
  readonly name: string;
  /** active, or paused, cancelling, dying, timing_out, failing, awaiting, failed */
  readonly state: string;
  /** When it was applied, RFC 3339 in UTC */
  readonly since?: string;
  /** Places below it at which whatever comes there is paused */
  readonly breakpoints?: readonly string[];
  readonly tree?: readonly [string, { readonly [name: string]: unknown }, readonly unknown[]] | null;
  readonly tag: string | null;
  /** Of BPMN: the id of its element */
  readonly element?: string;
  readonly parent_id: string | null;
  /** Of the first expression of a branch */
  readonly branch?: {
    /** What it is to its parent */
    readonly kind: 'branch' | 'flank' | 'forgotten';
    /** 0, 1, … among the branches of its parent */
    readonly index: number;
    /** Of an iterator: the beginning of the element it is about, as text */
    readonly element?: string;
  };
  /** How far it is */
  readonly progress?: {
    /** The index of the child, or element, whose turn it is */
    readonly at?: number;
    readonly of: number | null;
    /** Of a loop or iterator: which pass or element it is, 1 for the first */
    readonly round?: number;
    /** Of an iterator: the beginning of the element whose turn it is, as text */
    readonly element?: string;
    /** Branches that have not replied */
    readonly live?: number;
    /** Branches that have */
    readonly done?: number;
    /** Branches in error, as far as they are in this page */
    readonly failed?: number;
  };
};

export type ExpressionList = {
  readonly expressions: readonly Expression[];
  readonly next_cursor: string | null;
};

/** A live expression, looked at closely */
export type ExpressionShown = {
  /** expid!subid */
  readonly id: string;
  /** The place in the tree */
  readonly expid: string;
  /** The head of the expression */
  readonly name: string;
  /** active, or paused, cancelling, dying, timing_out, failing, awaiting, failed */
  readonly state: string;
  /** When it was applied, RFC 3339 in UTC */
  readonly since?: string;
  /** Places below it at which whatever comes there is paused */
  readonly breakpoints?: readonly string[];
  readonly tree: readonly [string, { readonly [name: string]: unknown }, readonly unknown[]] | null;
  readonly tag: string | null;
  /** Of BPMN: the id of its element */
  readonly element?: string;
  readonly parent_id: string | null;
  /** Of the first expression of a branch */
  readonly branch?: {
    /** What it is to its parent */
    readonly kind: 'branch' | 'flank' | 'forgotten';
    /** 0, 1, … among the branches of its parent */
    readonly index: number;
    /** Of an iterator: the beginning of the element it is about, as text */
    readonly element?: string;
  };
  /** How far it is */
  readonly progress?: {
    /** The index of the child, or element, whose turn it is */
    readonly at?: number;
    readonly of: number | null;
    /** Of a loop or iterator: which pass or element it is, 1 for the first */
    readonly round?: number;
    /** Of an iterator: the beginning of the element whose turn it is, as text */
    readonly element?: string;
    /** Branches that have not replied */
    readonly live?: number;
    /** Branches that have */
    readonly done?: number;
    /** Branches in error, as far as they are in this page */
    readonly failed?: number;
  };
  /** The fields of a workitem: names and any JSON values */
  readonly fields: { readonly [name: string]: unknown };
  /** Its own; what is bound there (sub-processes, expressions) as text */
  readonly variables: { readonly [name: string]: unknown };
  /** on_error, on_cancel, on_timeout, as they were given */
  readonly handlers: { readonly [name: string]: unknown };
  readonly timers: readonly Timer[];
  /** Its tree is not that of the definition */
  readonly differs: boolean;
};

/** A participant gives up */
export type Fail = {
  /** What went wrong */
  readonly message: string;
  /** The class an on_error can tell errors apart by */
  readonly class?: string;
  /** true: counts as one failed try, and the callback is tried again */
  readonly retry?: boolean;
  /** Of BPMN: an error the diagram can catch, by its code */
  readonly error_code?: string;
  /** The fields of a workitem: names and any JSON values */
  readonly fields?: { readonly [name: string]: unknown };
  /** Why, in your words; the history keeps it */
  readonly reason?: string;
};

/** The fields of a workitem: names and any JSON values */
export type Fields = { readonly [name: string]: unknown };

export type Fired = {
  /** When it was due, RFC 3339 in UTC */
  readonly due_at: string;
  /** When that was decided, RFC 3339 in UTC */
  readonly fired_at: string;
  /** What was launched */
  readonly workflow_id?: string;
  /** Why nothing was */
  readonly skipped?: 'overlap' | 'missed' | 'limit' | 'failed';
};

/** What a person is asked for */
export type Form = {
  /** Whose form */
  readonly name: string;
  /** A JSON Schema */
  readonly form: unknown;
};

/** A participant tells that it is still at work; extend: it is to be done that much later than now */
export type Heartbeat = {
  /** A duration such as "90s" or "2h", or a number of seconds */
  readonly extend?: string | number;
  /** How far it is, in your words; at most 4 kB as JSON */
  readonly progress?: { readonly [name: string]: unknown };
};

export type HeartbeatTold = {
  readonly heartbeat_due_at: string | null;
  readonly deadline_at: string | null;
};

export type History = {
  readonly history: readonly HistoryEntry[];
  /** From this number on there are no gaps; of what is before, all but errors, the launch and what an administrator did may be folded away */
  readonly first_kept: number;
  readonly next_after: number | null;
  readonly next_before?: number | null;
};

export type HistoryEntry = {
  /** Without gaps from first_kept */
  readonly n: number;
  /** When it happened, RFC 3339 in UTC */
  readonly at: string;
  /** workflow.launched, expression.applied, workitem.opened, callback.delivered… */
  readonly kind: string;
  readonly actor?: string;
  /** The name of the key, while it is there */
  readonly actor_name?: string;
  readonly reason?: string;
  /** The batch it was done by */
  readonly batch?: string;
  /** The number of its item there */
  readonly batch_item?: number;
  /** The fields somebody gave (HISTORY_FIELDS) */
  readonly given?: { readonly [name: string]: unknown };
  /** Their characters, where there are too many */
  readonly given_size?: number;
  /** Beside given_size: the same for equal fields */
  readonly given_hash?: string;
  /** workitem.opened: fields that are others than those the participant before had (HISTORY_FIELDS) */
  readonly changed?: readonly string[];
  /** How many, where their names are too long */
  readonly changed_count?: number;
};

export type Imported = {
  readonly imported: readonly {
    readonly id: string;
    /** The id in the file */
    readonly was?: string;
  }[];
  /** Definitions that came with them */
  readonly definitions: number;
  /** true: nothing was written */
  readonly dry_run?: boolean;
};

/** Without the scope read only version and auth */
export type Info = {
  /** Of the server */
  readonly version: string;
  /** Whether callers are asked who they are; open: everybody may do everything */
  readonly auth: 'open' | 'required';
  readonly commit?: string | null;
  /** Where everything is kept */
  readonly store?: 'postgres' | 'distributed' | 'embedded' | 'simulated';
  /** What this node does */
  readonly role?: 'all' | 'api' | 'worker';
  /** What this cell is called, where there are several */
  readonly cell?: string;
  /** Business time, RFC 3339 in UTC */
  readonly now?: string;
  /** Whether business time can be moved */
  readonly test_clock?: boolean;
  /** Bounds of one step and one workflow */
  readonly limits?: { readonly [name: string]: number };
  readonly retention?: {
    /** Days a workflow that is over is kept */
    readonly ended_days: number;
    /** Days the audit is kept */
    readonly audit_days: number;
    /** Days a batch that is over is kept */
    readonly batches_days: number;
  };
  /** The operationId of everything this server can do */
  readonly features?: readonly string[];
  /** What an operator should look at */
  readonly warnings?: readonly string[];
};

/** An API key, without the key */
export type Key = {
  /** Names the key; no secret */
  readonly id: string;
  /** For people */
  readonly name: string;
  readonly scopes: readonly ('launch' | 'read' | 'operate' | 'admin')[];
  /** Whose it is; `*`: of all tenants */
  readonly tenant: string;
  /** What the key begins with */
  readonly prefix: string;
  /** Whether it is good */
  readonly status: 'active' | 'expired' | 'revoked';
  /** When it was made, RFC 3339 in UTC */
  readonly created_at: string;
  /** Who made it */
  readonly created_by: string;
  readonly expires_at: string | null;
  readonly revoked_at: string | null;
  readonly previous_until: string | null;
  readonly last_used_at: string | null;
  readonly rate_limit: string | null;
};

/** A key that is wanted */
export type KeyCreate = {
  /** For people */
  readonly name: string;
  readonly scopes: readonly ('launch' | 'read' | 'operate' | 'admin')[];
  /** Whose it is; `*`: of all tenants. Left out: the tenant of the request */
  readonly tenant?: string;
  /** When it ends, RFC 3339 in UTC */
  readonly expires_at?: string;
  /** Seconds until it ends */
  readonly expires_in?: number;
  /** Requests in so many seconds, `600/60` */
  readonly rate_limit?: string;
};

export type KeyList = {
  readonly keys: readonly Key[];
  readonly next_cursor: string | null;
};

/** An API key that was just made, or given another secret */
export type KeyMade = {
  /** Names the key; no secret */
  readonly id: string;
  /** For people */
  readonly name: string;
  readonly scopes: readonly ('launch' | 'read' | 'operate' | 'admin')[];
  /** Whose it is; `*`: of all tenants */
  readonly tenant: string;
  /** What the key begins with */
  readonly prefix: string;
  /** Whether it is good */
  readonly status: 'active' | 'expired' | 'revoked';
  /** When it was made, RFC 3339 in UTC */
  readonly created_at: string;
  /** Who made it */
  readonly created_by: string;
  readonly expires_at: string | null;
  readonly revoked_at: string | null;
  readonly previous_until: string | null;
  readonly last_used_at: string | null;
  readonly rate_limit: string | null;
  readonly key: string | null;
};

/** How a key gets another secret */
export type KeyRotate = {
  /** How long the secret before still holds; 86400 unless said; 0 ends all before at once */
  readonly overlap_seconds?: number;
  /** Why, in your words; the history keeps it */
  readonly reason?: string;
};

/** Launches a workflow */
export type Launch = {
  /** A process definition: XML, BPMN, JSON or Radial text of at most 1 MB, or the tree itself */
  readonly workflow?: string | readonly [string, { readonly [name: string]: unknown }, readonly unknown[]];
  /** Instead of workflow: a stored definition, order or order@3; callbacks may be left out then */
  readonly definition?: string;
  /** Of a stored definition: another word for fields */
  readonly inputs?: { readonly [name: string]: unknown };
  /** When the workflow as a whole times out: a duration such as 2d, or seconds; not for BPMN */
  readonly timeout?: string | number;
  /** An http or https URL, or svc:<service>/… for one below a registered service */
  readonly callback?: string;
  /** The callback of each participant, by its name, or by a /pattern/ of names */
  readonly callbacks?: { readonly [name: string]: string };
  /** The fields of a workitem: names and any JSON values */
  readonly fields?: { readonly [name: string]: unknown };
  /** Of BPMN: the id of the process to run, where the file has several */
  readonly process?: string;
  /** Of BPMN: the id of the start event to begin with */
  readonly start?: string;
  /** Entries its history may have before the oldest are folded away; left out: HISTORY_MAX */
  readonly history_max?: number;
  /** What you know it by; one workflow of a tenant has it */
  readonly business_key?: string;
  /** What happens when there is one with this key; reject unless said */
  readonly business_key_conflict?: 'reject' | 'return_existing' | 'allow_if_ended';
  /** true: a callback that is answered with {"proceed": true, "fields"?} has proceeded */
  readonly replies?: boolean;
  /** true: an error nobody handles undoes what was done, and cancels the workflow */
  readonly compensate?: boolean;
  /** Who is told of what happens to this workflow: a URL, or { url, events?, fields?, headers? }, or a list of at most 10 */
  readonly notify?: unknown;
  /** true: warnings are refusals */
  readonly strict?: boolean;
  /** Days it is kept once it is over; left out: RETAIN_ENDED */
  readonly retain_days?: number;
  /** To find it by: it has them from its beginning to its end */
  readonly tags?: readonly string[];
  /** Other rules about tries than the usual: seconds between them (or how they grow), a part by which each delay may grow at random, whether Retry-After is heeded and whether the status 410 ends them, after how many seconds none begins any more; or the name of rules */
  readonly retry?:
    | {
        readonly delays?: readonly number[];
        readonly max?: number;
        readonly initial?: number;
        readonly factor?: number;
        readonly cap?: number;
        readonly notice_delays?: readonly number[];
        readonly jitter?: number;
        readonly retry_after?: boolean;
        readonly gone_ends?: boolean;
        readonly max_seconds?: number;
        /** Rules of single participants, by name, each instead of all the others */
        readonly participants?: {
          readonly [name: string]:
            | {
                readonly delays?: readonly number[];
                readonly max?: number;
                readonly initial?: number;
                readonly factor?: number;
                readonly cap?: number;
                readonly notice_delays?: readonly number[];
                readonly jitter?: number;
                readonly retry_after?: boolean;
                readonly gone_ends?: boolean;
                readonly max_seconds?: number;
              }
            | 'standard-webhooks'
            | 'default';
        };
      }
    | 'standard-webhooks'
    | 'default';
};

export type Launched = {
  /** The workflow */
  readonly id: string;
  /** true: it was there already */
  readonly existing?: boolean;
  /** Of a stored definition: how it stands */
  readonly status?: 'running' | 'error' | 'paused' | 'cancelling' | 'completed' | 'cancelled' | 'killed';
  /** Of a stored definition: when it was launched, RFC 3339 in UTC */
  readonly started_at?: string;
  readonly definition?: DefinitionOf;
  readonly links?: {
    readonly self: string;
    readonly events: string;
    readonly history: string;
    readonly console: string;
  };
  /** What is taken and was probably not meant */
  readonly warnings?: readonly {
    /** A stable name to tell warnings apart by */
    readonly code: string;
    /** What is probably not meant */
    readonly message: string;
    /** Where: in the tree, or, with a # before it, in the body */
    readonly pointer?: string;
    /** Who has no address */
    readonly participant?: string;
    readonly line?: number;
    readonly column?: number;
  }[];
};

/** Who you are to this server */
export type Me = {
  /** How you are known; open: nobody was asked */
  readonly kind: 'open' | 'key' | 'jwt' | 'session';
  readonly id: string | null;
  readonly name: string | null;
  /** Whose workflows you see */
  readonly tenant: string;
  /** You may see those of every tenant, one at a time (Rota-Tenant) */
  readonly everywhere?: boolean;
  readonly scopes: readonly ('launch' | 'read' | 'operate' | 'admin')[];
  readonly expires_at: string | null;
  /** Whether callers are asked who they are */
  readonly auth: 'open' | 'required';
};

/** A message owed to a participant, with every try */
export type Message = {
  /** Its webhook-id: the same for all its tries */
  readonly message_id: string;
  /** The workflow */
  readonly workflow_id: string;
  /** expid!subid!workflow_id */
  readonly workitem_id: string;
  /** expid!subid */
  readonly expression_id: string;
  /** To whom it goes */
  readonly participant: string;
  readonly host: string | null;
  /** What it says */
  readonly message: 'active' | 'timeout' | 'error' | 'cancel';
  /** owed: not refused so far; failing: refused, and tried again; spent: its tries are */
  readonly state: 'owed' | 'failing' | 'spent' | 'delivered';
  /** Tries so far */
  readonly tries: number;
  readonly tries_max: number | null;
  readonly next_at: string | null;
  /** Since when its workitem waits, RFC 3339 in UTC */
  readonly opened_at: string;
  readonly last: { readonly [name: string]: unknown } | null;
  readonly deliveries: readonly {
    /** Which message was tried */
    readonly message: 'active' | 'timeout' | 'error' | 'cancel';
    /** 1, 2, … */
    readonly try: number;
    /** When the try began, RFC 3339 in UTC */
    readonly at: string;
    readonly status: number | null;
    readonly milliseconds: number;
    readonly error: string | null;
    readonly next_at: string | null;
    /** The name of the node that made it */
    readonly by?: string;
    /** Of the last tries that were refused: what was answered, where that had a body */
    readonly answer?: {
      readonly content_type: string | null;
      /** Bytes, as far as they were read */
      readonly size: number;
      readonly excerpt: string | null;
    };
  }[];
  /** The request of its next, or last, try */
  readonly request: {
    readonly method: 'POST';
    /** Where it goes */
    readonly url: string;
    /** Without signatures, which each try has of its own */
    readonly headers: { readonly [name: string]: unknown };
    /** What it says, byte for byte but for the token of its proceed_url */
    readonly body: string;
  };
  /** Whether its workitem was changed (edited, claimed) since it was opened: earlier tries may have said something else */
  readonly edited: boolean;
};

export type MessageList = {
  readonly deliveries: readonly {
    /** Its webhook-id: the same for all its tries */
    readonly message_id: string;
    /** The workflow */
    readonly workflow_id: string;
    /** expid!subid!workflow_id */
    readonly workitem_id: string;
    /** expid!subid */
    readonly expression_id: string;
    /** To whom it goes */
    readonly participant: string;
    readonly host: string | null;
    /** What it says */
    readonly message: 'active' | 'timeout' | 'error' | 'cancel';
    /** owed: not refused so far; failing: refused, and tried again; spent: its tries are */
    readonly state: 'owed' | 'failing' | 'spent' | 'delivered';
    /** Tries so far */
    readonly tries: number;
    readonly tries_max: number | null;
    readonly next_at: string | null;
    /** Since when its workitem waits, RFC 3339 in UTC */
    readonly opened_at: string;
    readonly last: { readonly [name: string]: unknown } | null;
  }[];
  readonly next_cursor: string | null;
  /** With answer: messages that were looked through for this page */
  readonly looked_at?: number;
};

export type Nodes = {
  readonly nodes: readonly {
    readonly id: string;
    readonly name: string | null;
    /** What it does */
    readonly role: 'all' | 'api' | 'worker';
    /** Its public address */
    readonly url: string;
    readonly version: string;
    /** When it started, RFC 3339 in UTC */
    readonly started_at: string;
    /** When it was last heard of, RFC 3339 in UTC */
    readonly seen_at: string;
    /** Whether its lease has not run out */
    readonly alive: boolean;
    readonly claims: number | null;
    readonly tries: number | null;
    readonly connections: number | null;
    readonly loop_delay_ms: number | null;
  }[];
};

/** An entry of the registry; secrets are shown as *** */
export type Participant = {
  /** Its name, or /pattern/ */
  readonly name: string;
  readonly figures?: {
    /** Workitems that wait for it */
    readonly open: number;
    /** Workitems whose tries are spent, or that were given up */
    readonly failed: number;
    /** Messages that were refused, and are tried again */
    readonly failing: number;
    readonly oldest_at: string | null;
    /** Where its messages go, some of them */
    readonly urls: readonly string[];
    /** Their hosts */
    readonly hosts: readonly string[];
    readonly definitions:
      | readonly {
          readonly name: string | null;
          /** Of them, wait for it */
          readonly workitems: number;
        }[]
      | null;
    readonly looked_back_to: string | null;
    readonly answers:
      | readonly {
          /** When the hour begins, RFC 3339 in UTC */
          readonly at: string;
          /** Answered with 2xx */
          readonly '2xx': number;
          /** With 3xx */
          readonly '3xx': number;
          /** With 4xx */
          readonly '4xx': number;
          /** With 5xx */
          readonly '5xx': number;
          /** Not answered, or not with a status */
          readonly none: number;
        }[]
      | null;
    readonly delivered: {
      /** How many there were */
      readonly n: number;
      /** Half of them took at most this */
      readonly p50_ms: number;
      /** 19 of 20 took at most this */
      readonly p95_ms: number;
    } | null;
    readonly proceeded: {
      /** How many there were */
      readonly n: number;
      /** Half of them took at most this */
      readonly p50_ms: number;
      /** 19 of 20 took at most this */
      readonly p95_ms: number;
    } | null;
  } | null;
  /** callback (default): the POST that waits for a proceed; http: a request whose answer is the proceed; person: no URL, a worklist; service: a base for svc:<name>/… */
  readonly kind?: 'callback' | 'http' | 'person' | 'service';
  /** Where its requests go; {workflow.id}, {f:customer.id} and others may stand in its path and query */
  readonly url?: string;
  /** Sent with each request; the values are never shown again */
  readonly headers?: { readonly [name: string]: string };
  /** What its requests are signed with instead of the tenant’s secrets; never shown again */
  readonly secret?: string;
  /** Where the receiver wants certificates */
  readonly tls?: {
    /** A certificate to show (PEM) */
    readonly cert?: string;
    /** Its key (PEM); never shown again */
    readonly key?: string;
    /** Roots to believe (PEM) */
    readonly ca?: string;
  };
  /** Rules for its tries, as the retry of a launch */
  readonly retry?: unknown;
  /** Tries under way at once, of all nodes together */
  readonly places?: number;
  /** A duration such as "90s" or "2h", or a number of seconds */
  readonly deadline?: string | number;
  /** A duration such as "90s" or "2h", or a number of seconds */
  readonly heartbeat?: string | number;
  /** A 2xx with {"proceed": true, "fields"?} is the proceed */
  readonly replies?: boolean;
  /** The only fields it is given: name → 'f:field', or a value with ${…} */
  readonly input?: { readonly [name: string]: unknown };
  /** The only fields taken of its answer: name → 'f:field of the answer' */
  readonly output?: { readonly [name: string]: unknown };
  /** The participant that undoes its work */
  readonly undo?: string;
  /** A JSON Schema of what a person is asked for */
  readonly form?: { readonly [name: string]: unknown } | boolean;
  /** Of kind person: functions in the process of a server take its work; such an entry goes before the participants a definition brings along */
  readonly in_process?: boolean;
  /** For people */
  readonly description?: string;
  /** false: its messages wait, and no try is counted */
  readonly enabled?: boolean;
  /** Of kind http; usually GET */
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Of kind http: parameters added to the URL */
  readonly query?: { readonly [name: string]: string };
  /** Of kind http: the body, JSON with templates; left out: the fields, for GET and DELETE nothing */
  readonly body?: unknown;
  /** Of kind http: statuses that are the work done; left out: all of 2xx */
  readonly expect?: readonly number[];
  /** Of kind http: field → JSON pointer into the answer */
  readonly result?: { readonly [name: string]: string };
  /** Of kind http: status → class of the error the workitem fails with */
  readonly errors?: { readonly [name: string]: string };
  /** When it was made, RFC 3339 in UTC */
  readonly created_at: string;
  /** When it was changed last, RFC 3339 in UTC */
  readonly updated_at: string;
};

export type ParticipantList = {
  readonly participants: readonly {
    /** Its name, or /pattern/ */
    readonly name: string;
    /** callback (default): the POST that waits for a proceed; http: a request whose answer is the proceed; person: no URL, a worklist; service: a base for svc:<name>/… */
    readonly kind?: 'callback' | 'http' | 'person' | 'service';
    /** Where its requests go; {workflow.id}, {f:customer.id} and others may stand in its path and query */
    readonly url?: string;
    /** Sent with each request; the values are never shown again */
    readonly headers?: { readonly [name: string]: string };
    /** What its requests are signed with instead of the tenant’s secrets; never shown again */
    readonly secret?: string;
    /** Where the receiver wants certificates */
    readonly tls?: {
      /** A certificate to show (PEM) */
      readonly cert?: string;
      /** Its key (PEM); never shown again */
      readonly key?: string;
      /** Roots to believe (PEM) */
      readonly ca?: string;
    };
    /** Rules for its tries, as the retry of a launch */
    readonly retry?: unknown;
    /** Tries under way at once, of all nodes together */
    readonly places?: number;
    /** A duration such as "90s" or "2h", or a number of seconds */
    readonly deadline?: string | number;
    /** A duration such as "90s" or "2h", or a number of seconds */
    readonly heartbeat?: string | number;
    /** A 2xx with {"proceed": true, "fields"?} is the proceed */
    readonly replies?: boolean;
    /** The only fields it is given: name → 'f:field', or a value with ${…} */
    readonly input?: { readonly [name: string]: unknown };
    /** The only fields taken of its answer: name → 'f:field of the answer' */
    readonly output?: { readonly [name: string]: unknown };
    /** The participant that undoes its work */
    readonly undo?: string;
    /** A JSON Schema of what a person is asked for */
    readonly form?: { readonly [name: string]: unknown } | boolean;
    /** Of kind person: functions in the process of a server take its work; such an entry goes before the participants a definition brings along */
    readonly in_process?: boolean;
    /** For people */
    readonly description?: string;
    /** false: its messages wait, and no try is counted */
    readonly enabled?: boolean;
    /** Of kind http; usually GET */
    readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
    /** Of kind http: parameters added to the URL */
    readonly query?: { readonly [name: string]: string };
    /** Of kind http: the body, JSON with templates; left out: the fields, for GET and DELETE nothing */
    readonly body?: unknown;
    /** Of kind http: statuses that are the work done; left out: all of 2xx */
    readonly expect?: readonly number[];
    /** Of kind http: field → JSON pointer into the answer */
    readonly result?: { readonly [name: string]: string };
    /** Of kind http: status → class of the error the workitem fails with */
    readonly errors?: { readonly [name: string]: string };
    /** When it was made, RFC 3339 in UTC */
    readonly created_at: string;
    /** When it was changed last, RFC 3339 in UTC */
    readonly updated_at: string;
    readonly figures: {
      /** Workitems that wait for it */
      readonly open: number;
      /** Workitems whose tries are spent, or that were given up */
      readonly failed: number;
      /** Messages that were refused, and are tried again */
      readonly failing: number;
      readonly oldest_at: string | null;
      /** Where its messages go, some of them */
      readonly urls: readonly string[];
      /** Their hosts */
      readonly hosts: readonly string[];
    } | null;
  }[];
  readonly next_cursor: string | null;
};

/** What a participant, or all whose names fit a pattern, is asked with */
export type ParticipantPut = {
  /** callback (default): the POST that waits for a proceed; http: a request whose answer is the proceed; person: no URL, a worklist; service: a base for svc:<name>/… */
  readonly kind?: 'callback' | 'http' | 'person' | 'service';
  /** Where its requests go; {workflow.id}, {f:customer.id} and others may stand in its path and query */
  readonly url?: string;
  /** Sent with each request; the values are never shown again */
  readonly headers?: { readonly [name: string]: string };
  /** What its requests are signed with instead of the tenant’s secrets; never shown again */
  readonly secret?: string;
  /** Where the receiver wants certificates */
  readonly tls?: {
    /** A certificate to show (PEM) */
    readonly cert?: string;
    /** Its key (PEM); never shown again */
    readonly key?: string;
    /** Roots to believe (PEM) */
    readonly ca?: string;
  };
  /** Rules for its tries, as the retry of a launch */
  readonly retry?: unknown;
  /** Tries under way at once, of all nodes together */
  readonly places?: number;
  /** A duration such as "90s" or "2h", or a number of seconds */
  readonly deadline?: string | number;
  /** A duration such as "90s" or "2h", or a number of seconds */
  readonly heartbeat?: string | number;
  /** A 2xx with {"proceed": true, "fields"?} is the proceed */
  readonly replies?: boolean;
  /** The only fields it is given: name → 'f:field', or a value with ${…} */
  readonly input?: { readonly [name: string]: unknown };
  /** The only fields taken of its answer: name → 'f:field of the answer' */
  readonly output?: { readonly [name: string]: unknown };
  /** The participant that undoes its work */
  readonly undo?: string;
  /** A JSON Schema of what a person is asked for */
  readonly form?: { readonly [name: string]: unknown } | boolean;
  /** Of kind person: functions in the process of a server take its work; such an entry goes before the participants a definition brings along */
  readonly in_process?: boolean;
  /** For people */
  readonly description?: string;
  /** false: its messages wait, and no try is counted */
  readonly enabled?: boolean;
  /** Of kind http; usually GET */
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Of kind http: parameters added to the URL */
  readonly query?: { readonly [name: string]: string };
  /** Of kind http: the body, JSON with templates; left out: the fields, for GET and DELETE nothing */
  readonly body?: unknown;
  /** Of kind http: statuses that are the work done; left out: all of 2xx */
  readonly expect?: readonly number[];
  /** Of kind http: field → JSON pointer into the answer */
  readonly result?: { readonly [name: string]: string };
  /** Of kind http: status → class of the error the workitem fails with */
  readonly errors?: { readonly [name: string]: string };
};

export type Ping = {
  readonly ping: 'pong';
};

/** RFC 9457 */
export type Problem = {
  /** A URI that names the kind of problem */
  readonly type: string;
  /** The kind of problem in words */
  readonly title: string;
  /** The HTTP status */
  readonly status: number;
  /** What happened this time, and what to do */
  readonly detail: string;
  /** A stable name to tell problems apart by */
  readonly code: string;
  /** Whether the same request may succeed later */
  readonly retryable: boolean;
  /** Find the request in the log of the server by this */
  readonly request_id: string;
  /** For the fixed calls the words clients have known all along; else the detail */
  readonly error: string;
  readonly errors?: readonly {
    readonly detail: string;
    /** Where in the body, a JSON pointer as a fragment */
    readonly pointer?: string;
    readonly line?: number;
    readonly column?: number;
  }[];
};

/** Hands a workitem back; the fields are merged over those of the workitem */
export type Proceed = {
  /** The fields of a workitem: names and any JSON values */
  readonly fields?: { readonly [name: string]: unknown };
  /** Why, in your words; the history keeps it */
  readonly reason?: string;
};

/** Runs an expression again, with other fields or another tree where they are given */
export type Reapply = {
  /** The fields of a workitem: names and any JSON values */
  readonly fields?: { readonly [name: string]: unknown };
  /** A process definition as data: [name, { attributes }, [children]], all the way down */
  readonly tree?: readonly [string, { readonly [name: string]: unknown }, readonly unknown[]];
  /** Why, in your words; the history keeps it */
  readonly reason?: string;
  /** true: nothing happens, and the answer (200) says what would */
  readonly dry_run?: boolean;
};

/** Which events are sent again */
export type Redeliver = {
  readonly ids?: readonly string[];
  /** All that were given up */
  readonly state?: 'spent';
  /** All of this time on, those that were missed while it was disabled made again */
  readonly from?: string;
  /** And before this one; left out: now */
  readonly to?: string;
};

export type Redelivered = {
  readonly count: number;
};

/** Lets a claimed workitem go */
export type Release = {
  /** For whom; else the header Rota-Assignee */
  readonly assignee?: string;
};

/** Launches a stored definition; inputs and fields are two words for one */
export type Run = {
  /** The fields of a workitem: names and any JSON values */
  readonly inputs?: { readonly [name: string]: unknown };
  /** The fields of a workitem: names and any JSON values */
  readonly fields?: { readonly [name: string]: unknown };
  /** The active one where it is left out */
  readonly version?: number;
  /** Of BPMN: the id of the start event to begin with */
  readonly start?: string;
  /** An http or https URL, or svc:<service>/… for one below a registered service */
  readonly callback?: string;
  /** The callback of each participant, by its name, or by a /pattern/ of names */
  readonly callbacks?: { readonly [name: string]: string };
  /** Other rules about tries than the usual: seconds between them (or how they grow), a part by which each delay may grow at random, whether Retry-After is heeded and whether the status 410 ends them, after how many seconds none begins any more; or the name of rules */
  readonly retry?:
    | {
        readonly delays?: readonly number[];
        readonly max?: number;
        readonly initial?: number;
        readonly factor?: number;
        readonly cap?: number;
        readonly notice_delays?: readonly number[];
        readonly jitter?: number;
        readonly retry_after?: boolean;
        readonly gone_ends?: boolean;
        readonly max_seconds?: number;
        /** Rules of single participants, by name, each instead of all the others */
        readonly participants?: {
          readonly [name: string]:
            | {
                readonly delays?: readonly number[];
                readonly max?: number;
                readonly initial?: number;
                readonly factor?: number;
                readonly cap?: number;
                readonly notice_delays?: readonly number[];
                readonly jitter?: number;
                readonly retry_after?: boolean;
                readonly gone_ends?: boolean;
                readonly max_seconds?: number;
              }
            | 'standard-webhooks'
            | 'default';
        };
      }
    | 'standard-webhooks'
    | 'default';
  /** Who is told of what happens to this workflow: a URL, or { url, events?, fields?, headers? }, or a list of at most 10 */
  readonly notify?: unknown;
  /** What you know it by; one workflow of a tenant has it */
  readonly business_key?: string;
  /** What happens when there is one with this key; reject unless said */
  readonly business_key_conflict?: 'reject' | 'return_existing' | 'allow_if_ended';
  /** When the workflow as a whole times out: a duration such as 2d, or seconds; not for BPMN */
  readonly timeout?: string | number;
  /** Entries its history may have before the oldest are folded away; left out: HISTORY_MAX */
  readonly history_max?: number;
  /** true: a callback that is answered with {"proceed": true, "fields"?} has proceeded */
  readonly replies?: boolean;
  /** true: an error nobody handles undoes what was done, and cancels the workflow */
  readonly compensate?: boolean;
  /** true: warnings are refusals */
  readonly strict?: boolean;
};

export type Schedule = {
  /** Its place in the list where it is left out */
  readonly name?: string;
  /** A cron line */
  readonly cron?: string;
  /** A duration, at least a second */
  readonly every?: string | number;
  /** Once, then, RFC 3339 in UTC */
  readonly at?: string;
  /** IANA; UTC unless said */
  readonly zone?: string;
  /** While the one before is not over; skip unless said */
  readonly overlap?: 'skip' | 'queue' | 'allow' | 'cancel';
  /** What was missed by more than a minute; one unless said */
  readonly catch_up?: 'none' | 'one' | 'all';
  /** The fields of a workitem: names and any JSON values */
  readonly fields?: { readonly [name: string]: unknown };
  /** Not before, RFC 3339 in UTC */
  readonly start_at?: string;
  /** Not after, RFC 3339 in UTC */
  readonly end_at?: string;
  /** Later by up to this, at random */
  readonly jitter?: string | number;
  readonly paused?: boolean;
};

export type ScheduleList = {
  readonly schedules: readonly ScheduleShown[];
  readonly next_cursor: string | null;
};

export type ScheduleShown = {
  /** Its place in the list where it is left out */
  readonly name?: string;
  /** A cron line */
  readonly cron?: string;
  /** A duration, at least a second */
  readonly every?: string | number;
  /** Once, then, RFC 3339 in UTC */
  readonly at?: string;
  /** IANA; UTC unless said */
  readonly zone?: string;
  /** While the one before is not over; skip unless said */
  readonly overlap?: 'skip' | 'queue' | 'allow' | 'cancel';
  /** What was missed by more than a minute; one unless said */
  readonly catch_up?: 'none' | 'one' | 'all';
  /** The fields of a workitem: names and any JSON values */
  readonly fields?: { readonly [name: string]: unknown };
  /** Not before, RFC 3339 in UTC */
  readonly start_at?: string;
  /** Not after, RFC 3339 in UTC */
  readonly end_at?: string;
  /** Later by up to this, at random */
  readonly jitter?: string | number;
  readonly paused: boolean;
  /** Of BPMN: the start event it begins with */
  readonly start?: string;
  /** <definition>:<name> */
  readonly id: string;
  /** What it starts */
  readonly definition: string;
  readonly version: number;
  readonly next_at: string | null;
  readonly last: Fired | null;
  /** The latest 20, the latest in front */
  readonly recent: readonly Fired[];
};

/** A secret, without the secret */
export type Secret = {
  /** Names the secret */
  readonly id: string;
  /** webhook: signs callbacks; capability: signs the tokens in proceed_url */
  readonly kind: 'webhook' | 'capability';
  /** v1: HMAC-SHA256 with a shared secret; v1a: ed25519, of which receivers have the public half */
  readonly type: 'v1' | 'v1a' | 'mac';
  readonly match: string | null;
  /** Whose it is; `*`: of all tenants */
  readonly tenant: string;
  /** Whether it signs */
  readonly status: 'active' | 'revoked';
  /** When it was made, RFC 3339 in UTC */
  readonly created_at: string;
  /** Who made it */
  readonly created_by: string;
  readonly revoked_at: string | null;
  readonly previous_until: string | null;
  readonly last_used_at: string | null;
  readonly public_key: string | null;
};

/** A secret that is wanted for signing callbacks */
export type SecretCreate = {
  readonly kind: 'webhook';
  /** Only for callbacks to URLs that begin so, up to a `/`, a `?` or the end; left out: for all */
  readonly match?: string;
  /** v1: HMAC-SHA256 with a shared secret; v1a: ed25519, of which receivers have the public half */
  readonly type?: 'v1' | 'v1a';
  /** `whsec_` and base64 of 24 to 64 bytes; left out: a fresh one */
  readonly secret?: string;
};

export type SecretList = {
  readonly secrets: readonly Secret[];
  readonly next_cursor: string | null;
};

/** How a secret gets another value */
export type SecretRotate = {
  /** How long the value before still holds: for webhooks 86400 unless said, for capabilities a year; 0: not at all */
  readonly overlap_seconds?: number;
  /** Why, in your words; the history keeps it */
  readonly reason?: string;
};

/** A secret as it is given to its participant */
export type SecretShown = {
  /** Names the secret */
  readonly id: string;
  /** webhook: signs callbacks; capability: signs the tokens in proceed_url */
  readonly kind: 'webhook' | 'capability';
  /** v1: HMAC-SHA256 with a shared secret; v1a: ed25519, of which receivers have the public half */
  readonly type: 'v1' | 'v1a' | 'mac';
  readonly match: string | null;
  /** Whose it is; `*`: of all tenants */
  readonly tenant: string;
  /** Whether it signs */
  readonly status: 'active' | 'revoked';
  /** When it was made, RFC 3339 in UTC */
  readonly created_at: string;
  /** Who made it */
  readonly created_by: string;
  readonly revoked_at: string | null;
  readonly previous_until: string | null;
  readonly last_used_at: string | null;
  readonly public_key: string | null;
  readonly secret: string | null;
};

/** Who signs in */
export type SessionCreate = {
  /** An API key */
  readonly key: string;
};

export type Start = {
  readonly element: string | null;
  readonly message?: string;
  readonly signal?: string;
  readonly timer?: string;
};

/** How things stand; null stands for what could not be counted in time */
export type Stats = {
  /** Business time, RFC 3339 in UTC */
  readonly now: string;
  readonly workflows: {
    /** Running */
    readonly running: number;
    /** In error */
    readonly error: number;
    /** Paused */
    readonly paused: number;
    /** Being cancelled */
    readonly cancelling: number;
  } | null;
  readonly workitems: {
    /** That wait for their participant */
    readonly open: number;
    /** Whose tries are spent, or whose participant gave up */
    readonly failed: number;
    /** Of both, those that wait for longer than OVERDUE_AFTER */
    readonly overdue: number;
  } | null;
  readonly messages: {
    /** Due and not claimed by any node, counted to 10,000 */
    readonly due: number;
    /** Since when the oldest of them is due */
    readonly oldest_due_seconds: number;
    readonly failing: number | null;
    readonly spent: number | null;
  } | null;
  readonly timers: {
    /** Due and not fired yet, counted to 10,000 */
    readonly due: number;
    /** Since when the oldest of them is due */
    readonly oldest_due_seconds: number;
  } | null;
  readonly errors: number | null;
  readonly definitions:
    | readonly {
        /** The name a definition gives itself */
        readonly name: string;
        /** Launched in these minutes */
        readonly launched: number;
        /** Of those, have not ended */
        readonly live: number;
        /** Of those, are in error */
        readonly failed: number;
        readonly p50_ms: number | null;
        readonly p95_ms: number | null;
      }[]
    | null;
  /** The minutes in which something happened, oldest first */
  readonly minutes: readonly {
    /** When the minute begins, RFC 3339 in UTC */
    readonly at: string;
    /** Workflows launched */
    readonly launched: number;
    /** Workflows that ended */
    readonly ended: number;
    /** Steps taken */
    readonly steps: number;
    readonly tries: {
      /** Answered with 2xx */
      readonly delivered: number;
      /** Answered with something else */
      readonly refused: number;
      /** Not answered */
      readonly unreachable: number;
    };
    readonly step_p50_ms: number | null;
    readonly step_p95_ms: number | null;
    readonly timer_lag_ms: number | null;
    readonly claim_lag_ms: number | null;
    readonly database_ms: number | null;
  }[];
  /** The hosts this node sends to, the worst first, at most 100; only for principals of all tenants */
  readonly hosts?: readonly {
    /** Name and port */
    readonly host: string;
    /** Tries under way */
    readonly in_flight: number;
    /** Tries since this node knows it */
    readonly tries: number;
    readonly failing_since: string | null;
    readonly per_minute: number | null;
    readonly p50_ms: number | null;
    readonly p95_ms: number | null;
    /** open: it is left alone (BREAKER_FAILURES); half_open: one try decides */
    readonly breaker: 'closed' | 'open' | 'half_open';
    readonly open_until: string | null;
  }[];
};

export type StoredEvent = {
  readonly event_id: string;
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly key: string | null;
  readonly subject: string | null;
  readonly time: string | null;
  /** When it came, RFC 3339 in UTC */
  readonly received_at: string;
  readonly expires_at: string | null;
  /** What became of it */
  readonly state: 'kept' | 'delivered' | 'expired' | 'spreading';
  readonly started: readonly string[];
  readonly resumed: readonly string[];
  /** As it was sent */
  readonly event: { readonly [name: string]: unknown };
};

/** Who is told of what happens to workflows; secrets are left out */
export type Subscription = {
  /** sub_… */
  readonly id: string;
  /** Where events go */
  readonly url: string;
  /** Patterns of types: `*`, a whole type, or its first parts and `.*`; `rota.` may be left out. Usually workflow.* */
  readonly events?: readonly string[];
  /** Which workflows */
  readonly filter?: {
    /** Only workflows of this name */
    readonly name?: string;
    /** Only workflows of this stored definition */
    readonly definition?: string;
    /** Only while this tag is entered */
    readonly tag?: string;
  };
  /** What they are signed with instead of the tenant’s secrets; never shown again */
  readonly secret?: string;
  /** Sent with each event; the values are never shown again */
  readonly headers?: { readonly [name: string]: string };
  /** Rules for tries, as the retry of a launch */
  readonly retry?: unknown;
  /** true: of one workflow each is sent when the one before is delivered or given up */
  readonly ordered?: boolean;
  /** true: events have the fields of their workflow */
  readonly fields?: boolean;
  /** false: nothing new is owed, and what is stays */
  readonly enabled?: boolean;
  /** For people */
  readonly description?: string;
  /** When it was made, RFC 3339 in UTC */
  readonly created_at: string;
  readonly failing_since: string | null;
  readonly disabled_reason: string | null;
};

/** Who is told of what happens to workflows */
export type SubscriptionCreate = {
  /** Where events go */
  readonly url: string;
  /** Patterns of types: `*`, a whole type, or its first parts and `.*`; `rota.` may be left out. Usually workflow.* */
  readonly events?: readonly string[];
  /** Which workflows */
  readonly filter?: {
    /** Only workflows of this name */
    readonly name?: string;
    /** Only workflows of this stored definition */
    readonly definition?: string;
    /** Only while this tag is entered */
    readonly tag?: string;
  };
  /** What they are signed with instead of the tenant’s secrets; never shown again */
  readonly secret?: string;
  /** Sent with each event; the values are never shown again */
  readonly headers?: { readonly [name: string]: string };
  /** Rules for tries, as the retry of a launch */
  readonly retry?: unknown;
  /** true: of one workflow each is sent when the one before is delivered or given up */
  readonly ordered?: boolean;
  /** true: events have the fields of their workflow */
  readonly fields?: boolean;
  /** false: nothing new is owed, and what is stays */
  readonly enabled?: boolean;
  /** For people */
  readonly description?: string;
};

export type SubscriptionList = {
  readonly subscriptions: readonly Subscription[];
  readonly next_cursor: string | null;
};

/** A merge patch (RFC 7396): what is given replaces what is there, null takes it away */
export type SubscriptionPatch = { readonly [name: string]: unknown };

export type TenantMessage = {
  /** Whom it is for */
  readonly key?: string | number | boolean | null;
  /** What it brings */
  readonly fields?: { readonly [name: string]: unknown };
  /** Seconds it is kept where nobody waits for it; default 3,600, at most 2,592,000 */
  readonly ttl?: number | string;
  /** The same one with the same key counts once */
  readonly message_id?: string;
  /** To everybody who waits for it, instead of the longest waiting */
  readonly all?: boolean;
};

export type TenantSignal = {
  /** What it brings */
  readonly fields?: { readonly [name: string]: unknown };
};

/** What opens a stream of events for somebody who can send no header */
export type Ticket = {
  readonly ticket: string | null;
  /** Until when it opens streams, RFC 3339 in UTC */
  readonly expires_at: string;
};

export type Timer = {
  /** expid!subid */
  readonly expression_id: string;
  /** When it fires, RFC 3339 in UTC */
  readonly due_at: string;
  /** What happens then */
  readonly action: string;
  /** Of BPMN: the id of the event */
  readonly element?: string;
};

export type TimerList = {
  readonly timers: readonly {
    /** The workflow */
    readonly workflow_id: string;
    readonly name: string | null;
    /** expid!subid */
    readonly expression_id: string;
    /** The place in the tree */
    readonly expid: string;
    /** When it fires, RFC 3339 in UTC */
    readonly due_at: string;
    /** What happens then */
    readonly action: string;
  }[];
  readonly next_cursor: string | null;
  /** With action: timers that were looked through for this page */
  readonly looked_at?: number;
};

/** A process definition as data: [name, { attributes }, [children]], all the way down */
export type Tree = readonly [string, { readonly [name: string]: unknown }, readonly unknown[]];

export type Trigger = {
  /** The type of the event */
  readonly type: string;
  /** Only events of this source */
  readonly source?: string;
  /** Only events with this key */
  readonly key?: string;
  /** Only where this condition holds */
  readonly where?: string;
  /** The fields of a workitem: names and any JSON values */
  readonly fields?: { readonly [name: string]: unknown };
  /** What the workflow is known by */
  readonly business_key?: string;
  readonly enabled?: boolean;
};

/** A process definition to look at */
export type Validate = {
  /** As in a launch */
  readonly workflow: string | readonly [string, { readonly [name: string]: unknown }, readonly unknown[]];
  /** As in a launch: participants that have none are warned about */
  readonly callbacks?: { readonly [name: string]: unknown };
  /** true: warnings are errors */
  readonly strict?: boolean;
};

export type Validation = {
  readonly valid: boolean;
  /** A process definition as data: [name, { attributes }, [children]], all the way down */
  readonly tree?: readonly [string, { readonly [name: string]: unknown }, readonly unknown[]];
  /** bpmn, where it is BPMN */
  readonly format?: string;
  readonly errors: readonly {
    readonly message: string;
    readonly line: number;
    readonly column: number;
    /** Of BPMN: the id of the element */
    readonly element?: string;
  }[];
  /** Names; of BPMN the elements that ask somebody, with the names somebody is looked for by */
  readonly participants: readonly (
    | string
    | {
        readonly element: string;
        readonly type: string;
        readonly candidates: readonly string[];
      }
  )[];
  /** Of BPMN: what is not run here */
  readonly unsupported?: readonly {
    readonly element: string;
    readonly type: string;
  }[];
  /** What is taken and was probably not meant */
  readonly warnings: readonly {
    /** A stable name to tell warnings apart by */
    readonly code: string;
    /** What is probably not meant */
    readonly message: string;
    /** Where: in the tree, or, with a # before it, in the body */
    readonly pointer: string;
    readonly line?: number;
    readonly column?: number;
    /** Of BPMN: the id of the element */
    readonly element?: string;
    /** Whose address is missing */
    readonly participant?: string;
  }[];
};

export type Waits = {
  readonly waits: readonly {
    readonly workflow_id: string;
    readonly expression_id: string;
    readonly expid: string;
    /** The event it waits for */
    readonly type: string;
    readonly key: string | null;
    /** When it began to wait, RFC 3339 in UTC */
    readonly since: string;
    readonly timeout_at: string | null;
    /** The element of BPMN */
    readonly element?: string;
  }[];
  readonly next_cursor: string | null;
};

export type Workflow = {
  /** The workflow */
  readonly id: string;
  readonly name: string | null;
  /** The first that applies */
  readonly status: 'running' | 'error' | 'paused' | 'cancelling' | 'completed' | 'cancelled' | 'killed';
  /** When it was launched, RFC 3339 in UTC */
  readonly launched_at: string;
  /** When it last moved, RFC 3339 in UTC */
  readonly updated_at: string;
  readonly ended_at: string | null;
  /** What its launcher knows it by */
  readonly business_key?: string;
  /** The stored definition it was launched from */
  readonly definition?: {
    readonly name: string;
    readonly version: number;
  };
  /** Of the trace its launch belongs to (W3C Trace Context) */
  readonly trace_id?: string;
  /** The hash of its definition */
  readonly definition_hash: string;
  /** What started it, where that is known */
  readonly meta?: {
    readonly started_by?: string;
  };
  /** The workflow it goes on for (continue_as_new) */
  readonly continued_from?: string;
  /** The workflow that goes on for it */
  readonly continued_as?: string;
  /** The workflow it is another try of (retry with fork) */
  readonly retry_of?: string;
  /** The fields of a workitem: names and any JSON values */
  readonly fields: { readonly [name: string]: unknown };
  readonly tags: readonly string[];
  /** Why it is being cancelled, or was cancelled or killed, where that was said */
  readonly reason?: string;
  readonly tree: readonly [string, { readonly [name: string]: unknown }, readonly unknown[]] | null;
  readonly expressions: readonly Expression[];
  readonly expressions_cursor: string | null;
  readonly workitems: readonly Workitem[];
  readonly timers: readonly Timer[];
  readonly errors: readonly Error[];
  /** bpmn, where the definition is BPMN */
  readonly format?: string;
  /** Of BPMN: the id of the process */
  readonly process?: string;
  readonly elements?: readonly BpmnElement[];
  readonly waits?: readonly BpmnWait[];
  readonly stuck?: readonly string[];
  readonly left_out?: readonly ('workitems' | 'timers' | 'waits' | 'errors')[];
};

/** One of the two */
export type WorkflowCount = {
  /** How many there are */
  readonly count?: number;
  /** There are more than this, or not all were looked into */
  readonly at_least?: number;
  readonly looked_back_to?: string | null;
};

export type WorkflowList = {
  readonly workflows: readonly WorkflowSummary[];
  readonly next_cursor: string | null;
  readonly looked_back_to?: string | null;
};

export type WorkflowRetried = {
  /** The workflow that goes on */
  readonly id: string;
  readonly from: string | null;
  /** With fork: the workflow it is another try of */
  readonly retry_of?: string;
};

/** From where, and what is merged over the fields */
export type WorkflowRetry = {
  /** The step it goes on from: its place (0_1), its name, tag or element, or a live expression (expid!subid). Left out: what is in error */
  readonly from?: string;
  /** The fields of a workitem: names and any JSON values */
  readonly fields?: { readonly [name: string]: unknown };
  /** true: as another workflow, which begins there; this one stays as it is */
  readonly fork?: boolean;
  /** Why, in your words; the history keeps it */
  readonly reason?: string;
  /** true: nothing happens, and the answer (200) says what would */
  readonly dry_run?: boolean;
};

export type WorkflowSummary = {
  /** The workflow */
  readonly id: string;
  readonly name: string | null;
  /** The first that applies */
  readonly status: 'running' | 'error' | 'paused' | 'cancelling' | 'completed' | 'cancelled' | 'killed';
  /** When it was launched, RFC 3339 in UTC */
  readonly launched_at: string;
  /** When it last moved, RFC 3339 in UTC */
  readonly updated_at: string;
  readonly ended_at: string | null;
  /** What its launcher knows it by */
  readonly business_key?: string;
  /** The stored definition it was launched from */
  readonly definition?: {
    readonly name: string;
    readonly version: number;
  };
  /** Of the trace its launch belongs to (W3C Trace Context) */
  readonly trace_id?: string;
  /** The hash of its definition */
  readonly definition_hash: string;
  /** With include=turn: participants whose turn it is, some of them */
  readonly turn?: readonly string[];
  readonly error?: Error | null;
};

/** What a participant holds */
export type Workitem = {
  /** expid!subid!workflow_id */
  readonly id: string;
  /** The workflow */
  readonly workflow_id: string;
  /** expid!subid */
  readonly expression_id: string;
  /** Whose turn it is */
  readonly participant: string;
  /** failed: its tries are spent or it was given up; a proceed is still accepted */
  readonly status: 'open' | 'failed';
  /** The fields of a workitem: names and any JSON values */
  readonly fields: { readonly [name: string]: unknown };
  /** In lists and in the view of a workflow: fields of more than 64 kB, which are missing from `fields`; the workitem alone has them all */
  readonly large_fields?: {
    readonly [name: string]: {
      /** Of its JSON */
      readonly bytes: number;
      /** Of its JSON in UTF-8 */
      readonly sha256: string;
    };
  };
  /** true: it was asked for without its fields (omit=workitem_fields) */
  readonly fields_omitted?: boolean;
  /** Since when the participant has it, RFC 3339 in UTC */
  readonly opened_at: string;
  /** true: it waits for longer than it should */
  readonly overdue?: boolean;
  /** Counts edits; the ETag */
  readonly revision: number;
  /** Somebody works on it */
  readonly claim?: {
    /** Who works on it */
    readonly assignee: string;
    /** Until when, RFC 3339 in UTC */
    readonly until: string;
  };
  /** When a sign of life is due, RFC 3339 in UTC */
  readonly heartbeat_due_at?: string;
  /** What the last sign of life told */
  readonly progress?: { readonly [name: string]: unknown };
  /** Of the workitem alone, where its participant has one: a JSON Schema of what a person is asked for */
  readonly form?: { readonly [name: string]: unknown } | boolean;
  /** How its callback stands */
  readonly callback: {
    readonly url: string | null;
    readonly owed: 'active' | 'timeout' | 'error' | 'cancel' | null;
    /** Tries of that message so far */
    readonly tries: number;
    /** How many it has at most; told of the workitems of one workflow */
    readonly tries_max?: number;
    readonly next_at: string | null;
  };
};

export type WorkitemList = {
  readonly workitems: readonly Workitem[];
  readonly next_cursor: string | null;
};

/** Fields to merge over those of the workitem, one level deep */
export type WorkitemPatch = {
  /** The fields of a workitem: names and any JSON values */
  readonly fields: { readonly [name: string]: unknown };
  /** Why, in your words; the history keeps it */
  readonly reason?: string;
};
