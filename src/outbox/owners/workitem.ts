import { randomBytes } from 'node:crypto';
import type { Engine, MessageSink, ReadyMessage, TryOutcome } from '../../engine/engine.ts';
import { type ExpressionId, workitemId } from '../../model/ids.ts';
import type { Fields } from '../../model/json.ts';
import { type Registered, readTerms, SERVICE_PREFIX } from '../../model/participants.ts';
import type { WorkitemRow } from '../../model/rows.ts';
import type { Tenant } from '../../model/tenant.ts';
import type { Clock } from '../../runtime/clock.ts';
import { type Meter, NO_METER, type TryOutcomeClass } from '../../runtime/meter.ts';
import { keptTrace, readKeptTrace } from '../../runtime/trace-context.ts';
import type { Running, Tracing } from '../../runtime/tracing.ts';
import type { Store } from '../../store/store.ts';
import { type CallbackSettings, callbackRequest, type DeliveredText } from '../callback.ts';
import type { Dispatcher } from '../dispatcher.ts';
import { hostOf, type Message, type Owner, type Share, type TryEnd } from '../message.ts';
import { type Asked, directed, entryOf, type Lookups, type Meaning, meaningOf } from '../registered.ts';
import { type Signer, sharedSigner, signed } from '../signing.ts';

/* Messages of workitems: callbacks and notices. Each lives in its workitem's row, and most are claimed at birth by the engine. */

export type WorkitemOwner = Owner & {
  /** Connects the engine, which hands over what was claimed at birth, with the dispatcher. */
  connect(dispatcher: Dispatcher, owed?: () => void): void;
};

/** How figures tell the ends of tries apart. */
function classOf(result: TryEnd['result']): TryOutcomeClass {
  switch (result.kind) {
    case 'dropped':
    case 'postponed':
      return 'dropped';
    case 'unreachable':
      return result.blocked === true ? 'blocked' : result.silent === true ? 'timeout' : 'unreachable';
    case 'delivered':
      return '2xx';
    case 'refused': {
      const hundreds = Math.floor(result.status / 100);
      return hundreds === 3 ? '3xx' : hundreds === 4 ? '4xx' : '5xx';
    }
  }
}

/** A span of the trace of the workflow; what is told of the URL is its host. */
function beginTry(tracing: Tracing, { row, workflow, trace }: ReadyMessage): Running {
  const [address = '', port] = hostOf(row.url).split(/:(?=\d+$)/);
  return tracing.begin({
    name: 'rota callback',
    kind: 'client',
    parent: readKeptTrace(trace),
    attributes: {
      'server.address': address,
      ...(port === undefined ? {} : { 'server.port': Number(port) }),
      'http.request.method': 'POST',
      'rota.workflow.id': workflow,
      'rota.message': row.send ?? 'active',
      'rota.try': row.tries + 1,
    },
  });
}

const endTry = (span: Running, result: TryEnd['result']): void =>
  span.end({
    ...('status' in result ? { attributes: { 'http.response.status_code': result.status } } : {}),
    failed: result.kind !== 'delivered',
  });

const NOBODY: Lookups = { find: () => null, entry: () => null };

/** The end of a try as the engine is told of it. */
function outcomeOf({ result, fields, fails }: Meaning): TryOutcome['result'] {
  if (result.kind === 'delivered') return { kind: 'delivered', status: result.status, ...(fields && { fields }) };
  if (fails === undefined || result.kind === 'dropped' || result.kind === 'postponed') return result;
  return { ...result, fails };
}

export function workitemOwner(parts: {
  readonly store: Pick<Store, 'claimDue' | 'renewClaim'>;
  readonly engine: Pick<Engine, 'deliverTo' | 'outcome' | 'knows'>;
  /** interpreter/state/fields.ts */
  readonly deliveredText: (row: WorkitemRow, base: string | null) => DeliveredText;
  readonly signersOf?: (tenant: Tenant, url: string) => readonly Signer[];
  readonly proceedToken?: CallbackSettings['proceedToken'];
  readonly meter?: Meter;
  /** Left out, or null: nobody records traces. */
  readonly tracing?: Tracing | null;
  /** Who is registered; left out: nobody. */
  readonly participants?: Lookups;
  readonly clock: Pick<Clock, 'now'>;
  /** Nodes that send, this one among them; left out: it is alone. */
  readonly nodes?: () => number;
  readonly settings: { readonly nodeId: string; readonly baseUrl: () => string; readonly userAgent: string };
}): WorkitemOwner {
  const {
    store,
    engine,
    settings,
    proceedToken = () => null,
    signersOf = () => [],
    meter = NO_METER,
    tracing = null,
  } = parts;
  const lookups = parts.participants ?? NOBODY;
  const nodes = parts.nodes ?? (() => 1);

  function messageOf(ready: ReadyMessage): Message {
    const { row, workflow, claim, base } = ready;
    const send = row.send ?? 'active';
    const host = hostOf(row.url);
    /** More is agreed than a URL: it is looked up at each try. */
    const special = row.terms != null || row.url?.startsWith(SERVICE_PREFIX) === true;
    /** By what the participant was found at this try. */
    let entry: Registered | null = null;
    let span: Running | null = null;
    return {
      about: {
        workflow_id: workflow,
        workitem_id: workitemId(row.id, workflow),
        participant: row.participant,
      },
      tenant: ready.tenant,
      host,
      line: workflow,
      name: row.id,
      life: row.openedAt,
      leaseEndsAt: ready.leaseEndsAt,
      characters: row.fields?.length ?? 0,
      shared:
        row.inherits === null || base === null ? null : { key: `${workflow} ${row.inherits}`, characters: base.length },
      ...(special ? { share: () => shareOf(ready) } : {}),
      isKnown: () => engine.knows(ready),
      request: () => {
        if (tracing !== null) span = beginTry(tracing, ready);
        const traced = span === null ? ready : { ...ready, trace: keptTrace(span.context) };
        const plain = callbackRequest(traced, parts.deliveredText(row, base), {
          baseUrl: settings.baseUrl(),
          userAgent: settings.userAgent,
          proceedToken,
          spanId: () => span?.context.spanId ?? randomBytes(8).toString('hex'),
        });
        // Receivers hold signatures against their own clocks, so business time is none of theirs.
        if (!special) return signed(plain, signersOf(ready.tenant, plain.url), Date.now());
        const way = directed(askedOf(ready), plain, lookups);
        if ('unsent' in way) return way;
        entry = way.entry;
        const { request } = way;
        const signers = entry?.secret == null ? signersOf(ready.tenant, request.url) : [sharedSigner(entry.secret)];
        return signed(request, signers, Date.now());
      },
      // Another node may have closed the workitem (the notice it owes by now waits for this claim) or paused its workflow.
      renew: (leaseSeconds) => store.renewClaim({ key: { workflow, workitem: row.id }, claim, leaseSeconds, send }),
      ended: ({ startedAt, endedAt, result: end }) => {
        const meaning = special ? meaningOf(entry, end) : { result: end };
        const { result } = meaning;
        const outcome: TryOutcome = {
          workflow,
          workitem: row.id,
          claim,
          send,
          number: row.tries + 1,
          openedAt: row.openedAt,
          dueAt: row.dueAt,
          leaseEndsAt: ready.leaseEndsAt,
          startedAt,
          endedAt,
          result: special ? outcomeOf(meaning) : result,
          ...(result.kind === 'dropped'
            ? {}
            : { urgent: row.then !== null || meaning.fields !== undefined || meaning.fails !== undefined }),
        };
        engine.outcome(outcome);
        if (span !== null) endTry(span, result);
        meter.tried({
          tenant: ready.tenant,
          host,
          message: send,
          outcome: classOf(result),
          seconds: (endedAt - startedAt) / 1000,
          lateSeconds: Math.max(0, startedAt - (row.dueAt ?? startedAt)) / 1000,
          number: row.tries + 1,
        });
      },
    };
  }

  /** How many tries its participant may have at once, divided by the nodes that send. */
  function shareOf({ row, tenant }: ReadyMessage): Share | null {
    const entry = entryOf({ tenant, url: row.url ?? '', participant: row.participant, terms: row.terms }, lookups);
    if (entry?.places == null) return null;
    const { of = '' } = readTerms(row.terms);
    return {
      key: JSON.stringify([tenant, of, entry.entry]),
      most: Math.max(1, Math.floor(entry.places / Math.max(1, nodes()))),
    };
  }

  const askedOf = ({ row, workflow, tenant, base }: ReadyMessage): Asked => ({
    tenant,
    workflow,
    participant: row.participant,
    send: row.send ?? 'active',
    url: row.url ?? '',
    terms: row.terms,
    ageMs: parts.clock.now() - row.openedAt,
    fields: () => {
      const { shared, own } = parts.deliveredText(row, base);
      return JSON.parse(shared + own) as Fields;
    },
  });

  return {
    claim: async ({ now, limit, leaseSeconds, skip, bytesMax }, leaseEndsAt) => {
      const spread = { skip, bytesMax };
      const claimed = await store.claimDue({ now, owner: settings.nodeId, limit, leaseSeconds, spread });
      return claimed.map((message) => messageOf({ ...message, leaseEndsAt }));
    },
    connect: (dispatcher, owed) => {
      const messages: MessageSink = {
        reserve: (url) => dispatcher.reserve(hostOf(url)),
        unreserve: (url) => dispatcher.unreserve(hostOf(url)),
        take: (ready) => dispatcher.take(ready.map(messageOf)),
        wake: dispatcher.wake,
        ...(owed === undefined ? {} : { owed }),
        withdraw: (workflow, workitems: readonly ExpressionId[] | 'all') => dispatcher.withdraw(workflow, workitems),
      };
      engine.deliverTo(messages);
    },
  };
}
