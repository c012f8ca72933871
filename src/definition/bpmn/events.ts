import type { Json } from '../../model/json.ts';
import type { Element } from './elements.ts';
import {
  attributeOf,
  camunda,
  childOf,
  type Definitions,
  type EventDefinition,
  extensionOf,
  feelIn,
  refersTo,
  rota,
} from './model.ts';

/*
 * What an event waits for or throws, as the tree says it:
 *
 * | event | value |
 * |---|---|
 * | timer | `{ kind, form: 'duration'|'date'|'cycle', text }` |
 * | message | `{ kind, name, key }`; name and key may be FEEL (`=…`), key null when there is none |
 * | signal | `{ kind, name }` |
 * | conditional | `{ kind, condition }`: FEEL, or `{ rota }` |
 * | error | `{ kind, code, codeVariable?, messageVariable?, failures? }`; code null: any |
 * | escalation | `{ kind, code }` |
 * | link | `{ kind, name }` |
 * | compensate | `{ kind, activity }`; null: everything of its scope |
 * | terminate, none | `{ kind }` |
 */

export type EventSpec = { readonly kind: string; readonly [key: string]: Json };

export const TIMER_FORMS: readonly (readonly [string, string])[] = [
  ['timeDuration', 'duration'],
  ['timeDate', 'date'],
  ['timeCycle', 'cycle'],
];

/** An event definition as the tree keeps it; what it lacks is null (check.ts has refused it before). */
export function eventSpec({ kind, element }: EventDefinition, definitions: Definitions): EventSpec {
  switch (kind) {
    case 'timer': {
      const found = TIMER_FORMS.map(([local, form]) => ({ form, child: childOf(element, local) })).find(
        ({ child }) => child !== null,
      );
      return { kind, form: found?.form ?? 'duration', text: found?.child?.text.trim() ?? '' };
    }
    case 'message':
      return { kind, ...messageSpec(referred(element, 'messageRef', definitions)) };
    case 'signal':
      return { kind, name: referred(element, 'signalRef', definitions)?.attributes.get('name') ?? '' };
    case 'error': {
      const error = referred(element, 'errorRef', definitions);
      const codeVariable = camunda(element, 'errorCodeVariable');
      const messageVariable = camunda(element, 'errorMessageVariable');
      const code = error === null ? null : attributeOf(error, 'errorCode') || attributeOf(error, 'id');
      return {
        kind,
        code,
        ...(error !== null && { name: error.attributes.get('name') ?? '' }),
        ...(codeVariable !== null && { codeVariable }),
        ...(messageVariable !== null && { messageVariable }),
        ...(rota(element, 'catches') === 'failures' && { failures: true }),
      };
    }
    case 'escalation': {
      const escalation = referred(element, 'escalationRef', definitions);
      return {
        kind,
        code: escalation === null ? null : attributeOf(escalation, 'escalationCode') || attributeOf(escalation, 'id'),
      };
    }
    case 'conditional':
      return { kind, condition: conditionOf(childOf(element, 'condition')) };
    case 'link':
      return { kind, name: attributeOf(element, 'name') };
    case 'compensate':
      return { kind, activity: attributeOf(element, 'activityRef') || null };
    default:
      return { kind };
  }
}

/** `{ rota: text }` for our own notation; FEEL without its `=`. */
export function conditionOf(condition: Element | null): Json {
  if (condition === null) return null;
  const text = condition.text.trim();
  return attributeOf(condition, 'language') === 'rota' ? { rota: text } : (feelIn(text) ?? text).trim();
}

export function referred(element: Element, attribute: string, { byId }: Definitions): Element | null {
  const written = attributeOf(element, attribute);
  return written === '' ? null : (byId.get(refersTo(byId, written)) ?? null);
}

/** Name and key of a `message` element. */
export function messageSpec(message: Element | null): { readonly name: string; readonly key: string | null } {
  if (message === null) return { name: '', key: null };
  const subscription = extensionOf(message, 'subscription');
  const key = subscription === null ? '' : attributeOf(subscription, 'correlationKey');
  return { name: message.attributes.get('name') ?? '', key: key === '' ? null : key };
}
