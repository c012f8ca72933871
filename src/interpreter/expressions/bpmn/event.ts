import { LanguageError } from '../../../language/language-error.ts';
import { parentOf } from '../../life/variables.ts';
import type { Acting, Expression } from '../../state/world.ts';
import { answerOf } from './activity.ts';
import { compensate, undoNext } from './compensation.ts';
import { common } from './family.ts';
import { along, clear, exclusive, inclusive, leave, outgoing, type Target } from './flow.ts';
import { asPayload, giveOut, happeningIn, takeIn } from './happening.ts';
import { childTree, eventOf, flowsOf, list, meant, of, passed, setLocal, text, treeOf } from './parts.ts';
import { ask, send } from './task.ts';
import { escalate, throwError, throwSignal } from './throwing.ts';
import { arm } from './waits.ts';

/*
 * Events and gateways: passed within a step, unless they wait.
 */

function pass(x: Acting, targets: readonly Target[] = outgoing(x)): void {
  passed(
    x,
    targets.map(({ flow }) => flow),
  );
  leave(x, targets);
}

/** Where a link goes on: at the catch event of its name. */
function linked(x: Acting, name: string): readonly Target[] {
  const scope = parentOf(x);
  const children = scope === null ? [] : treeOf(scope).children;
  const index = children.findIndex(
    (child) =>
      text(child, 'type') === 'intermediateCatchEvent' &&
      eventOf(child)?.kind === 'link' &&
      eventOf(child)?.['name'] === name,
  );
  return [{ index, flow: null }];
}

function applyEvent(x: Acting): void {
  const tree = treeOf(x);
  const type = text(tree, 'type');
  const event = eventOf(tree);
  if (type === 'startEvent' || type === 'boundaryEvent') {
    const happening = happeningIn(x.node.applied);
    if (happening !== null) takeIn(x, happening);
    else giveOut(x, {});
    pass(x);
    return;
  }
  if (type === 'intermediateCatchEvent' && event !== null) {
    const happening = happeningIn(x.node.applied);
    if (happening !== null) takeIn(x, happening);
    else if (event.kind === 'link') giveOut(x, {});
    else {
      arm(x, 'e0', event, false);
      return;
    }
    pass(x);
    return;
  }
  throwEvent(x);
}

function throwEvent(x: Acting): void {
  const tree = treeOf(x);
  const event = eventOf(tree);
  for (const [source, target] of list(tree, 'input') as unknown as readonly (readonly [string, string])[])
    setLocal(x, target, meant(x, source));
  const after = (): void => {
    giveOut(x, {});
    pass(x);
  };
  switch (event?.kind) {
    case 'message':
      if (of(tree, 'names') !== null) ask(x);
      else {
        send(x);
        after();
      }
      return;
    case 'signal':
      throwSignal(x, String(meant(x, String(event['name']))), localsOf(x));
      after();
      return;
    case 'link':
      giveOut(x, {});
      pass(x, linked(x, String(event['name'])));
      return;
    case 'escalation': {
      const code = event['code'];
      if (escalate(x, typeof code === 'string' ? code : null)) passed(x);
      else after();
      return;
    }
    case 'error': {
      const code = String(event['code'] ?? '');
      const message = String(event['name'] ?? '') || code;
      if (!throwError(x, code, message, {})) throw new LanguageError('BpmnError', `nobody catches the error ${code}`);
      passed(x);
      return;
    }
    case 'terminate': {
      const scope = parentOf(x);
      passed(x);
      if (scope !== null) clear(scope, null, 'cancel');
      return;
    }
    case 'compensate': {
      const { activity } = event;
      if (!compensate(x, typeof activity === 'string' ? activity : null)) after();
      return;
    }
    default:
      after();
  }
}

const localsOf = (x: Acting) => (x.node.scope === null ? {} : Object.fromEntries(x.node.scope.own as never));

export const event: Expression = {
  ...common,
  names: ['bpmn:event'],
  apply: applyEvent,
  reply: (x, reply) => {
    const kind = eventOf(treeOf(x))?.kind;
    if (String(reply.from) === '@e0') {
      takeIn(x, { fields: reply.fields });
      pass(x);
    } else if (reply.by !== null && kind === 'compensate') {
      if (!undoNext(x)) {
        giveOut(x, {});
        pass(x);
      }
    } else if (reply.by === null) {
      giveOut(x, answerOf(x, reply.fields));
      pass(x);
    }
  },
};

export const gateway: Expression = {
  ...common,
  names: ['bpmn:gateway'],
  apply: (x) => {
    const tree = treeOf(x);
    switch (text(tree, 'type')) {
      case 'exclusiveGateway':
        pass(x, exclusive(x));
        return;
      case 'inclusiveGateway':
        pass(x, inclusive(x));
        return;
      case 'parallelGateway':
        pass(x, flowsOf(tree).map(along));
        return;
      default: {
        const scope = parentOf(x);
        if (scope === null) return;
        for (const [way, [, to]] of flowsOf(tree).entries()) {
          const event = eventOf(childTree(scope, to));
          // Should it fail, the error is one of the event, not of the gateway.
          x.node.data['at'] = text(childTree(scope, to), 'id');
          if (event !== null) arm(x, `e${way}`, event, false);
        }
        delete x.node.data['at'];
      }
    }
  },
  reply: (x, reply) => {
    const from = String(reply.from);
    const flow = from.startsWith('@e') ? flowsOf(treeOf(x))[Number(from.slice(2))] : undefined;
    if (flow === undefined) return;
    pass(x, [{ index: flow[1], flow: null, fields: asPayload({ fields: reply.fields }) }]);
  },
};
