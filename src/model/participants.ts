import type { Json, JsonObject } from './json.ts';

/*
 * What is registered of a participant (docs/api-v1.md, Participants), and what a step and a workitem keep of it. A name may be a pattern of
 * names, `/^fax_/`; what is said of an *entry* is said of all participants whose name it fits.
 */

/**
 * `callback`: the POST of the contract, answered by a proceed. `http`: a request whose answer is the proceed. `person`: no URL; it waits in
 * the worklist. `service`: a base for URLs `svc:<name>/…`.
 */
export type ParticipantKind = 'callback' | 'http' | 'person' | 'service';

/** An entry of a registry, read, its secrets opened. */
export type Registered = {
  /** Its name, or `/pattern/`. */
  readonly entry: string;
  readonly kind: ParticipantKind;
  /** May hold templates (outbox/templates.ts); null for a person. */
  readonly url: string | null;
  /** Beside the server's own; values may hold templates. */
  readonly headers: Readonly<Record<string, string>>;
  /** What its requests are signed with instead of the tenant's secrets; null: those. */
  readonly secret: string | null;
  readonly tls: { readonly cert?: string; readonly key?: string; readonly ca?: string } | null;
  /** Retry rules in the form that is kept (engine/retry-rules.ts); null: none. */
  readonly retry: Json;
  /** Tries under way at once, of all nodes that send together; null: as the server has it. */
  readonly places: number | null;
  readonly deadlineMs: number | null;
  readonly heartbeatMs: number | null;
  /** A 2xx with `{ "proceed": true }` is the proceed. */
  readonly replies: boolean;
  readonly input: JsonObject | null;
  readonly output: JsonObject | null;
  readonly undo: string | null;
  /** A person whose workitems are taken by functions in the process of a server (server/in-process.ts): it goes before what a definition brings along. */
  readonly inProcess: boolean;
  /** A JSON Schema, for whoever shows a form. */
  readonly form: Json;
  /** False: its messages wait. */
  readonly enabled: boolean;
  /** Of kind `http`. */
  readonly request: HttpRequest | null;
};

/** What a participant of kind `http` is asked, and what its answer means. */
export type HttpRequest = {
  readonly method: string;
  readonly query: Readonly<Record<string, string>>;
  /** Undefined: the fields, for GET and DELETE nothing. */
  readonly body: Json | undefined;
  /** Statuses that are the work done; null: all of 2xx. */
  readonly expect: readonly number[] | null;
  /** Field → JSON pointer into the answer. */
  readonly result: Readonly<Record<string, string>>;
  /** Status → class of the error the workitem fails with. */
  readonly errors: Readonly<Record<string, string>>;
};

/** Finds the entry for a participant of a tenant: its exact name before the longest pattern that fits; null: there is none. */
export type FindParticipant = (tenant: string, name: string) => Registered | null;

/** A version of a stored definition. */
export type StoredReference = { readonly name: string; readonly version: number };

/**
 * Finds the entry that a version of a stored definition brings along for a participant; null: it brings none of that name; undefined: the version has
 * to be loaded first.
 */
export type FindOwnParticipant = (
  tenant: string,
  of: StoredReference,
  participant: string,
) => Registered | null | undefined;

export const referenceText = ({ name, version }: StoredReference): string => `${name}@${version}`;
export function readReferenceText(text: string): StoredReference {
  const at = text.lastIndexOf('@');
  return { name: text.slice(0, at), version: Number(text.slice(at + 1)) };
}

/** What a workitem keeps of how its participant was found when it was opened. Absent parts are not so. */
export type Terms = {
  /** The entry of the registry, looked up again at each try. */
  readonly entry?: string;
  /** The version of a stored definition, `order@3`, that brings the entry along. */
  readonly of?: string;
  /** Name of the workflow, for templates. */
  readonly name?: string;
  /** Only what `input` names was delivered: an answer is merged over the fields of before. */
  readonly mapped?: true;
  readonly output?: JsonObject;
  readonly heartbeatMs?: number;
  readonly undo?: string;
  readonly replies?: true;
  /** Which caller claimed it. */
  readonly claimant?: string;
};

export const readTerms = (stored: string | null | undefined): Terms =>
  stored === null || stored === undefined ? {} : (JSON.parse(stored) as Terms);

/** Null where nothing is kept. */
export const termsText = (terms: Terms): string | null =>
  Object.keys(terms).length === 0 ? null : JSON.stringify(terms);

/** Who holds a workitem now, and until when; null: nobody. A courtesy among those who share a worklist, not a right. */
export function claimOf(
  row: { readonly claimBy?: string | null; readonly claimUntil?: number | null },
  now: number,
): { readonly assignee: string; readonly until: number } | null {
  const { claimBy, claimUntil } = row;
  return claimBy == null || claimUntil == null || claimUntil <= now ? null : { assignee: claimBy, until: claimUntil };
}

/** What a launch opts into beside `retry`. */
export type LaunchOptions = {
  /** Answers of callbacks may be the proceed. */
  readonly replies?: true;
  /** An unhandled error undoes what was done. */
  readonly compensate?: true;
  /** Where lifecycle events of this workflow go, checked. */
  readonly notify?: readonly Json[];
};

export const readOptions = (stored: string | null | undefined): LaunchOptions =>
  stored === null || stored === undefined ? {} : (JSON.parse(stored) as LaunchOptions);

/** How URLs of services begin: `svc:<name of the entry>/…`. */
export const SERVICE_PREFIX = 'svc:';

/** The parts of `svc:billing/hooks`; null: it is none. What lies behind the name begins with a slash, or is empty. */
export function serviceOf(url: string): { readonly name: string; readonly rest: string } | null {
  if (!url.startsWith(SERVICE_PREFIX)) return null;
  const text = url.slice(SERVICE_PREFIX.length);
  const end = text.search(/[/?]/);
  return end < 0 ? { name: text, rest: '' } : { name: text.slice(0, end), rest: text.slice(end) };
}

/** Whether a name of participants is a pattern. */
export const isPattern = (name: string): boolean =>
  name.length > 2 && name.startsWith('/') && name.lastIndexOf('/') > 1;
