import { setTimeout as pause } from 'node:timers/promises';
import { shutdownFrame } from '../../../events/frames.ts';
import type { Principal } from '../../../identity/principal.ts';
import { isObject, type Json, type JsonObject } from '../../../model/json.ts';
import { valueComplaint } from '../../../model/storable.ts';
import { DEFAULT_TENANT, type Tenant } from '../../../model/tenant.ts';
import { urlOf } from '../../../model/url.ts';
import { answers } from '../../answers.ts';
import { happen } from '../../happen.ts';
import { shown, workitemKeyOf } from '../../ids.ts';
import { type Call, jsonReply, type Operation, type RawBody, type Reply } from '../../operation.ts';
import type { Parts } from '../../parts.ts';
import { Problem } from '../../problem.ts';
import { BY_HAND, MANNERS_MAX, type Manner, makePlayground } from './requests.ts';
import {
  PlaygroundCallback,
  PlaygroundManner,
  PlaygroundParticipants,
  PlaygroundRequest,
  PlaygroundRequests,
} from './schemas.ts';
import { signatureOf } from './signed.ts';
import { followRequests } from './stream.ts';
import { requestView } from './view.ts';

/** Headers of a callback that are worth a look; the others are the transport's. */
const SHOWN_HEADERS = [
  'webhook-id',
  'webhook-timestamp',
  'webhook-signature',
  'rota-try',
  'rota-sequence',
  'user-agent',
  'content-type',
];
const NAME_LENGTH_MAX = 200;

/** A message that is answered slowly is answered after this at most, in milliseconds: nobody waits longer for one. */
const SLOWLY_MS_MAX = 60_000;
/** What proceeds at once does so when its 200 is on its way, in milliseconds. */
const AT_ONCE_MS = 50;

/** Participants that live in the server itself, to be played by hand or by their manner. Only with PLAYGROUND, which is for one machine. */
export function playgroundOperations(parts: Parts): readonly Operation[] {
  const playground = makePlayground();

  /** Whose message it is. With auth only what carries a token of ours is taken, which names its workitem and tenant. */
  async function tenantOf(body: JsonObject): Promise<Tenant> {
    const { identity, store } = parts;
    const id = String(body['workitem_id'] ?? '');
    const key = workitemKeyOf(id);
    const owner = key === null ? null : await store.read.ownerOf(key);
    if (identity.isOpen()) return owner?.tenant ?? DEFAULT_TENANT;
    const token = tokenIn(body);
    if (owner === null || token === null || !identity.capabilities.isOf(token, owner.tenant, id))
      throw new Problem(
        'unauthenticated',
        'The playground takes callbacks of this server alone: with the token of the workitem in their proceed_url',
      );
    return owner.tenant;
  }

  /** Answers for the participant after a while. Whether that worked is told in the log: nobody waits for it. */
  function answerLater(ms: number, tenant: Tenant, body: JsonObject, manner: Manner): void {
    const key = workitemKeyOf(String(body['workitem_id'] ?? ''));
    if (key === null || body['status'] !== 'active') return;
    const by = { assignee: null, claimant: null };
    const event =
      manner.manner === 'give_up'
        ? ({ kind: 'fail', workitem: key.workitem, class: manner.class, message: manner.message, by } as const)
        : ({ kind: 'proceed', workitem: key.workitem, fields: manner.fields, by } as const);
    const principal: Principal = {
      kind: 'capability',
      id: 'playground',
      tenant,
      scopes: new Set(),
      actor: 'playground',
    };
    const timer = setTimeout(() => {
      happen(parts, { principal, reason: null }, key.workflow, event).catch((error: unknown) =>
        parts.log.info('the playground could not answer', {
          event: 'playground.refused',
          workflow_id: key.workflow,
          error: error instanceof Error ? error.message : String(error),
        }),
      );
    }, ms);
    timer.unref();
  }

  /** @returns the reply, when the participant behaves so */
  async function behave(call: Call, body: JsonObject, tenant: Tenant, manner: Manner): Promise<PlainReply> {
    const kept = plainReply(200, 'kept');
    switch (manner.manner) {
      case 'by_hand':
      case 'never':
        return kept;
      case 'fail_first':
        if (Number(call.header('rota-try') ?? 1) <= manner.times)
          return plainReply(503, `the first ${manner.times} tries fail`);
        answerLater(AT_ONCE_MS, tenant, body, manner);
        return kept;
      case 'slowly':
        await pause(Math.min(manner.seconds * 1_000, SLOWLY_MS_MAX), undefined, { ref: false });
        return kept;
      case 'after':
        answerLater(manner.seconds * 1_000, tenant, body, manner);
        return kept;
      case 'at_once':
      case 'give_up':
        answerLater(AT_ONCE_MS, tenant, body, manner);
        return kept;
    }
  }

  const nameOf = (call: Call): string => {
    const participant = call.params['name'] ?? '';
    if (participant.length > NAME_LENGTH_MAX)
      throw new Problem('request_invalid', `The name of a participant has at most ${NAME_LENGTH_MAX} characters here`);
    return participant;
  };

  return [
    {
      id: 'playParticipant',
      method: 'post',
      path: '/v1/playground/participants/:name',
      summary: 'A participant of the playground: takes every callback of this server and keeps it to be looked at',
      access: 'open',
      patient: true,
      query: [
        {
          name: 'manner',
          description:
            'at_once: to this it proceeds at once, whatever its manner is; so a launch can ask for it by the URL',
          schema: { type: 'string', enum: ['at_once'] },
        },
      ],
      body: { schema: PlaygroundCallback, checked: 'raw' },
      answers: answers(200, 'It is kept', null, 400, 401, 422),
      handle: async (call) => {
        const participant = nameOf(call);
        const asked = call.query.get('manner');
        if (asked !== null && asked !== 'at_once')
          throw new Problem('query_invalid', 'manner of a callback must be at_once; PUT gives a participant others');
        const raw: RawBody = call.raw ?? { bytes: Buffer.alloc(0), type: '', headers: new Map() };
        const body = bodyOf(raw.bytes);
        const complaint = valueComplaint(body);
        if (complaint !== null) throw new Problem('request_invalid', `The body ${complaint}`);
        const tenant = await tenantOf(body);
        const url = `${parts.baseUrl()}/v1/playground/participants/${encodeURIComponent(participant)}`;
        const n = playground.keep(tenant, {
          at: parts.clock.now(),
          participant,
          headers: Object.fromEntries(
            SHOWN_HEADERS.flatMap((name) => {
              const value = call.header(name);
              return value === null ? [] : [[name, value]];
            }),
          ),
          signature: signatureOf(raw, parts.identity.secrets.signersOf(tenant, url)),
          body: withoutToken(body),
        });
        const manner: Manner =
          asked === null ? playground.mannerOf(tenant, participant) : { ...BY_HAND, manner: asked };
        const reply = await behave(call, body, tenant, manner);
        playground.answered(n, { status: reply.status, text: reply.text });
        return reply;
      },
    },
    {
      id: 'setPlaygroundManner',
      method: 'put',
      path: '/v1/playground/participants/:name',
      summary: 'How a participant of the playground behaves from now on',
      access: 'operate',
      body: { schema: PlaygroundManner, checked: 'here' },
      answers: answers(200, 'As it behaves now', PlaygroundManner, 422),
      handle: (call) => {
        const given = call.body as Partial<Manner>;
        const manner: Manner = { ...BY_HAND, ...given };
        if (!playground.setManner(call.principal.tenant, nameOf(call), manner))
          throw new Problem('request_invalid', `At most ${MANNERS_MAX} participants have a manner of their own`);
        return jsonReply(200, { ...manner });
      },
    },
    {
      id: 'listPlaygroundParticipants',
      method: 'get',
      path: '/v1/playground/participants',
      summary: 'The participants of the playground that have a manner of their own',
      access: 'operate',
      answers: answers(200, 'All of them', PlaygroundParticipants),
      handle: (call) =>
        jsonReply(200, {
          participants: playground
            .manners(call.principal.tenant)
            .map(({ participant, manner }) => ({ name: participant, ...manner })),
        }),
    },
    {
      id: 'listPlaygroundRequests',
      method: 'get',
      path: '/v1/playground/requests',
      summary: 'What participants of the playground were sent by this node, oldest first; the last 500 are kept',
      access: 'operate',
      query: [{ name: 'after', description: 'Only those numbered above' }],
      answers: answers(200, 'The requests', PlaygroundRequests, 400),
      handle: (call) => {
        const after = numberOf(call.query.get('after') ?? '0');
        return jsonReply(200, { requests: playground.since(call.principal.tenant, after).map(requestView) });
      },
    },
    {
      id: 'watchPlaygroundRequests',
      method: 'get',
      path: '/v1/playground/requests/stream',
      summary: 'The same as they come, as server-sent events, from those that are kept or behind Last-Event-ID',
      access: 'operate',
      ticket: true,
      query: [{ name: 'after', description: 'Only those numbered above; Last-Event-ID wins over it' }],
      answers: {
        ...answers(200, '', null, 400),
        200: {
          description:
            'event is request, id its number, data the request; the same again once it was answered; also live, reset and shutdown',
          type: 'text/event-stream',
          schema: PlaygroundRequest,
        },
      },
      handle: (call) => {
        const { tenant } = call.principal;
        const after = numberOf(call.header('last-event-id') ?? call.query.get('after') ?? '0');
        return {
          kind: 'stream',
          status: 200,
          type: 'text/event-stream; charset=utf-8',
          headers: { 'X-Accel-Buffering': 'no' },
          open: (sink, signal) => followRequests(playground, { tenant, after }, sink, signal),
          farewell: () => shutdownFrame(parts.ids.fraction()),
        };
      },
    },
    {
      id: 'getPlaygroundRequest',
      method: 'get',
      path: '/v1/playground/requests/:n',
      summary: 'One of them',
      access: 'operate',
      answers: answers(200, 'As it came, and what was answered', PlaygroundRequest, 404),
      handle: (call) => {
        const n = /^\d{1,15}$/.test(call.params['n'] ?? '') ? Number(call.params['n']) : 0;
        const found = playground.one(call.principal.tenant, n);
        if (found === null)
          throw new Problem('route_not_found', `There is no request ${shown(call.params['n'] ?? '')}, or not any more`);
        return jsonReply(200, requestView(found));
      },
    },
  ];
}

type PlainReply = Extract<Reply, { kind: 'text' }>;
const plainReply = (status: number, text: string): PlainReply => ({
  kind: 'text',
  status,
  type: 'text/plain',
  text,
  headers: {},
});

function numberOf(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new Problem('query_invalid', 'after must be a whole number, 0 or more');
  return Number(text);
}

/** What a callback says; nothing is an object without members. @throws Problem */
function bodyOf(bytes: Buffer): JsonObject {
  if (bytes.length === 0) return {};
  let value: Json;
  try {
    value = JSON.parse(bytes.toString('utf8')) as Json;
  } catch {
    throw new Problem('body_malformed', 'The body is not JSON, as callbacks are');
  }
  if (!isObject(value)) throw new Problem('request_invalid', 'The body is not an object, as callbacks are');
  return value;
}

const proceedUrl = (body: JsonObject): URL | null => {
  const text = body['proceed_url'];
  return typeof text === 'string' ? urlOf(text) : null;
};
const tokenIn = (body: JsonObject): string | null => proceedUrl(body)?.searchParams.get('token') ?? null;

/** Whoever looks at a request answers with rights of their own. */
function withoutToken(body: JsonObject): JsonObject {
  const url = proceedUrl(body);
  if (url === null || !url.searchParams.has('token')) return body;
  url.searchParams.delete('token');
  return { ...body, proceed_url: url.href };
}
