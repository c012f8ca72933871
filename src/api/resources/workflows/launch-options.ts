import { isObject, type Json, type JsonObject } from '../../../model/json.ts';
import { EVENT_PATTERNS, EVENT_PATTERNS_MAX, isEventPattern } from '../../../model/lifecycle.ts';
import { isPattern, type LaunchOptions, serviceOf } from '../../../model/participants.ts';
import type { Tenant } from '../../../model/tenant.ts';
import { cut } from '../../../model/text.ts';
import type { Tree } from '../../../model/tree.ts';
import { headersComplaints, nameComplaint } from '../../../registry/participant-spec.ts';
import type { Parts } from '../../parts.ts';

/* What a launch may opt into beside its retries, and where its callbacks may go beside URLs of their own. */

export type OptionTrouble = { readonly parameter: string; readonly detail: string };

/** A form says true and false as texts. Undefined: it is neither. */
function flagIn(body: JsonObject, key: string): boolean | undefined {
  const value = Object.hasOwn(body, key) ? body[key] : false;
  return typeof value === 'boolean' ? value : value === 'true' ? true : value === 'false' ? false : undefined;
}

/** The options of a launch; null: it has taken none. */
export function readLaunchOptions(
  parts: Pick<Parts, 'targetComplaint'>,
  body: JsonObject,
): { readonly options: LaunchOptions | null } | OptionTrouble {
  const replies = flagIn(body, 'replies');
  if (replies === undefined) return { parameter: 'replies', detail: 'replies must be true or false' };
  const compensate = flagIn(body, 'compensate');
  if (compensate === undefined) return { parameter: 'compensate', detail: 'compensate must be true or false' };
  const notify = Object.hasOwn(body, 'notify') ? readNotify(parts, body['notify'] as Json) : { notify: [] };
  if ('detail' in notify) return notify;
  const options: LaunchOptions = {
    ...(replies ? { replies } : {}),
    ...(compensate ? { compensate } : {}),
    ...(notify.notify.length === 0 ? {} : { notify: notify.notify }),
  };
  return { options: Object.keys(options).length === 0 ? null : options };
}

/** Those who are told of one launch, at most. */
export const NOTIFY_MAX = 10;
const NOTIFY_KEYS: ReadonlySet<string> = new Set(['url', 'events', 'fields', 'headers']);

/** `notify` in the form that is kept: a list of `{ url, events, fields, headers }`. */
export function readNotify(
  parts: Pick<Parts, 'targetComplaint'>,
  given: Json,
): { readonly notify: readonly JsonObject[] } | OptionTrouble {
  const list: readonly Json[] = Array.isArray(given) ? given : [given];
  const wrong = (detail: string): OptionTrouble => ({ parameter: 'notify', detail: `notify: ${detail}` });
  if (list.length > NOTIFY_MAX) return wrong(`there may be at most ${NOTIFY_MAX}`);
  const notify: JsonObject[] = [];
  for (const one of list) {
    const spec: Json = typeof one === 'string' ? { url: one } : one;
    if (!isObject(spec) || typeof spec['url'] !== 'string')
      return wrong('give a URL, or { url, events?, fields?, headers? }, or a list of them');
    const unknown = Object.keys(spec).find((key) => !NOTIFY_KEYS.has(key));
    if (unknown !== undefined)
      return wrong(`it knows url, events, fields and headers, not ${JSON.stringify(cut(unknown, 100))}`);
    const { url, events = EVENT_PATTERNS, fields = false, headers = {} } = spec;
    const target = parts.targetComplaint(url);
    if (target !== null) return wrong(`the URL ${target}`);
    if (
      !Array.isArray(events) ||
      events.length > EVENT_PATTERNS_MAX ||
      !events.every((each) => typeof each === 'string' && isEventPattern(each))
    )
      return wrong(`events are at most ${EVENT_PATTERNS_MAX} patterns that fit types there are, such as workflow.*`);
    if (typeof fields !== 'boolean') return wrong('fields must be true or false');
    if (!isObject(headers) || !Object.values(headers).every((each) => typeof each === 'string'))
      return wrong('headers must be an object of texts');
    const [header] = headersComplaints(headers, false);
    if (header !== undefined) return wrong(`${header.pointer.slice(2)} ${header.detail}`);
    notify.push({ url, events, fields, headers });
  }
  return { notify };
}

/** Why a callback may not be this, in words behind "the URL", or null: a URL, or `svc:<service>/…`. */
export function callbackComplaint(parts: Pick<Parts, 'targetComplaint'>, url: string): string | null {
  const service = serviceOf(url);
  if (service === null) return parts.targetComplaint(url);
  const wrong = nameComplaint(service.name);
  if (wrong !== null || service.name.includes('/')) return 'names a service by a name that none can have';
  // Some servers read `%2f` and `%5c` as slashes.
  const path = (service.rest.split('?')[0] ?? '').replaceAll(/%2f|%5c/gi, '/');
  return path.split('/').some((part) => /^(?:\.|%2e){1,2}$/i.test(part)) || /[\s\\]/.test(path)
    ? 'leads out of its service'
    : null;
}

/** What is wrong with a name among `callbacks`, in words behind "the name", or null. */
export const callbackNameComplaint = (name: string): string | null => (isPattern(name) ? nameComplaint(name) : null);

/** The callbacks of a launch, with those of the participants of its tree that have an address elsewhere. */
export function withRegistered(
  parts: Pick<Parts, 'registry' | 'definitions'>,
  tenant: Tenant,
  tree: Parameters<Parts['definitions']['participants']>[0],
  callbacks: { readonly [participant: string]: unknown },
): { readonly [participant: string]: unknown } {
  const { participants } = parts.registry;
  const patterns = Object.keys(callbacks).filter(isPattern);
  if (patterns.length === 0 && !participants.has(tenant)) return callbacks;
  const known = parts.definitions
    .participants(tree)
    .filter((name) => participants.find(tenant, name) !== null || patterns.some((one) => participants.fits(one, name)));
  return known.length === 0 ? callbacks : { ...callbacks, ...Object.fromEntries(known.map((name) => [name, true])) };
}

/**
 * The tasks of a diagram that would find no address: by their ids, each of which stands for all of its names. One that has a name which is known when it
 * runs is left out.
 */
export function tasksWithoutAddress(root: Tree, hasAddress: (name: string) => boolean): readonly string[] {
  if (root.name !== 'bpmn:process') return [];
  const found: string[] = [];
  const visit = ({ attributes, children }: Tree): void => {
    const [id, names] = [attributes.get('id'), attributes.get('names')];
    const isAsked = typeof id === 'string' && Array.isArray(names) && !attributes.has('event');
    if (isAsked && !Array.isArray(attributes.get('script'))) {
      const all = [id, ...(names as readonly unknown[])].map((name) => (typeof name === 'string' ? name : '='));
      if (!all.some((name) => /^\s*=|\$\{/.test(name) || hasAddress(name))) found.push(id);
    }
    children.forEach(visit);
  };
  visit(root);
  return found;
}
