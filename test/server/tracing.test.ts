import {
  type Attributes,
  type Context,
  type Link,
  type Span,
  type SpanContext,
  type SpanOptions,
  trace,
} from '@opentelemetry/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeTracing } from '../../src/runtime/tracing.ts';
import type { Running } from '../../src/server/start.ts';
import { type Participant, postJson, send, startParticipant, startServer } from '../support/server.ts';

/* Spans as an SDK would be told of them. One stands in for it here that keeps what it hears. */

type Kept = SpanContext & {
  name: string;
  readonly parent: SpanContext | undefined;
  readonly links: readonly Link[];
  readonly attributes: Attributes;
  hasFailed: boolean;
};
const ended: Kept[] = [];
let count = 0;
const hex = (digits: number): string => (++count).toString(16).padStart(digits, '0');

function startSpan(name: string, options: SpanOptions = {}, around?: Context): Span {
  const parent = around === undefined ? undefined : trace.getSpanContext(around);
  const { links = [], attributes = {} } = options;
  const kept: Kept = {
    ...{ traceId: parent?.traceId ?? hex(32), spanId: hex(16), traceFlags: parent?.traceFlags ?? 1 },
    ...(parent?.traceState === undefined ? {} : { traceState: parent.traceState }),
    ...{ name, parent, links, attributes: { ...attributes }, hasFailed: false },
  };
  const span = {
    spanContext: () => kept,
    setAttributes: (more: Attributes) => Object.assign(kept.attributes, more) && span,
    updateName: (other: string) => {
      kept.name = other;
      return span;
    },
    setStatus: () => {
      kept.hasFailed = true;
      return span;
    },
    end: () => void ended.push(kept),
  };
  return span as unknown as Span;
}

let server: Running;
let alpha: Participant;
let status = 200;
beforeAll(async () => {
  expect(makeTracing('1')).toBe(null);
  trace.setGlobalTracerProvider({ getTracer: () => ({ startSpan, startActiveSpan: () => undefined as never }) });
  alpha = await startParticipant(() => status);
  server = await startServer({ TEST_CLOCK: '1' });
}, 120_000);
afterAll(async () => {
  await server.stop();
  await alpha.stop();
  trace.disable();
}, 60_000);

const spans = (name: string): readonly Kept[] => ended.filter((one) => one.name === name);

test('a launch, its steps and its callbacks are of one trace; whoever answers in another one is a link', async () => {
  const [own, caller, other] = ['a'.repeat(32), 'b'.repeat(16), 'c'.repeat(32)];
  const launched = await postJson(
    server.url,
    '/v1/workflows?secret=marker-query',
    {
      workflow: 'define\n  alpha\n  wait 5s\n',
      callback: `${alpha.url}?token=marker-url`,
      fields: { a: 'marker-field' },
    },
    { traceparent: `00-${own}-${caller}-01`, tracestate: 'vendor=1' },
  );
  expect(launched.status).toBe(201);
  const { id } = launched.json<{ id: string }>();
  const called = await alpha.next();
  status = 503;
  expect(
    (
      await send(server.url, 'POST', new URL(called.body.proceed_url).pathname, {
        headers: { traceparent: `00-${other}-${caller}-01` },
      })
    ).text,
  ).toBe('OK');
  expect((await postJson(server.url, '/v1/test/clock', { advance: 10 })).status).toBe(200);
  const again = (await send(server.url, 'GET', `/v1/workflows/${id}`)).json<{ status: string; trace_id: string }>();
  expect(again).toMatchObject({ status: 'completed', trace_id: own });

  const [request] = spans('POST /v1/workflows');
  expect(request).toMatchObject({ traceId: own, parent: { traceId: own, spanId: caller, isRemote: true } });
  expect(request?.attributes).toEqual({
    'http.request.method': 'POST',
    'http.route': '/v1/workflows',
    'http.response.status_code': 201,
  });
  const [callback] = spans('rota callback');
  expect(callback).toMatchObject({ traceId: own, parent: { spanId: request?.spanId }, hasFailed: false });
  expect(callback?.attributes).toEqual({
    'server.address': '127.0.0.1',
    'server.port': alpha.port,
    'http.request.method': 'POST',
    'http.response.status_code': 200,
    'rota.workflow.id': id,
    'rota.message': 'active',
    'rota.try': 1,
  });
  expect(called.headers['traceparent']).toBe(`00-${own}-${callback?.spanId}-01`);
  expect(called.headers['tracestate']).toBe('vendor=1');

  const steps = spans('rota step');
  expect(steps.map(({ attributes }) => attributes['rota.event'])).toEqual(['launch', 'proceed', 'due']);
  for (const step of steps) {
    expect(step).toMatchObject({ traceId: own });
    expect(step.attributes).toMatchObject({ 'rota.workflow.id': id, 'rota.batch_size': expect.any(Number) });
  }
  expect(steps[0]).toMatchObject({ parent: { spanId: request?.spanId }, links: [] });
  const [proceed] = ended.filter(({ attributes }) => String(attributes['http.route']).endsWith('/proceed'));
  expect(proceed).toMatchObject({ traceId: other });
  expect(steps[1]?.links).toMatchObject([{ context: { traceId: other, spanId: proceed?.spanId } }]);
  expect(spans('rota timer')).toMatchObject([{ traceId: own, attributes: { 'rota.workflow.id': id } }]);
  expect(JSON.stringify(ended)).not.toContain('marker');
});

test('without a trace of its caller a launch begins one, and what fails is said to', async () => {
  const before = ended.length;
  status = 503;
  const launched = await postJson(server.url, '/v1/workflows', { workflow: 'define\n  alpha\n', callback: alpha.url });
  await alpha.next();
  expect((await postJson(server.url, '/v1/test/clock', { advance: 0 })).status).toBe(200);
  const fresh = ended.slice(before);
  const request = fresh.find(({ name }) => name === 'POST /v1/workflows');
  expect(request?.parent).toBeUndefined();
  expect(fresh.find(({ name }) => name === 'rota callback')).toMatchObject({
    traceId: request?.traceId,
    hasFailed: true,
    attributes: { 'http.response.status_code': 503 },
  });
  const { id } = launched.json<{ id: string }>();
  const shown = (await send(server.url, 'GET', `/v1/workflows/${id}`)).json<{ trace_id: string }>();
  expect(shown.trace_id).toBe(request?.traceId);
});
