import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { context, propagation, type SpanContext, SpanStatusCode, trace } from '@opentelemetry/api';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { makeTracing } from '../../src/runtime/tracing.ts';
import type { Running } from '../../src/server/start.ts';
import { type Participant, postJson, send, startParticipant, startServer } from '../support/server.ts';
import { until } from '../support/until.ts';

/* Spans as the SDK of OpenTelemetry has them: kept in memory, and sent to a collector. */

type Kept = SpanContext &
  Pick<ReadableSpan, 'name' | 'links' | 'attributes'> & {
    readonly parent: SpanContext | undefined;
    readonly hasFailed: boolean;
  };
const exporter = new InMemorySpanExporter();
const ended = (): readonly Kept[] =>
  exporter.getFinishedSpans().map((span) => ({
    ...span.spanContext(),
    ...{ name: span.name, links: span.links, attributes: span.attributes, parent: span.parentSpanContext },
    hasFailed: span.status.code === SpanStatusCode.ERROR,
  }));

let server: Running;
let alpha: Participant;
let status = 200;
beforeAll(async () => {
  expect(makeTracing('1')).toBe(null);
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
  alpha = await startParticipant(() => status);
  server = await startServer({ TEST_CLOCK: '1' });
}, 120_000);
afterAll(async () => {
  await server.stop();
  await alpha.stop();
  trace.disable();
}, 60_000);

const spans = (name: string): readonly Kept[] => ended().filter((one) => one.name === name);

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
  const [proceed] = ended().filter(({ attributes }) => String(attributes['http.route']).endsWith('/proceed'));
  expect(proceed).toMatchObject({ traceId: other });
  expect(steps[1]?.links).toMatchObject([{ context: { traceId: other, spanId: proceed?.spanId } }]);
  expect(spans('rota timer')).toMatchObject([{ traceId: own, attributes: { 'rota.workflow.id': id } }]);
  expect(JSON.stringify(ended())).not.toContain('marker');
});

test('without a trace of its caller a launch begins one, and what fails is said to', async () => {
  const before = ended().length;
  status = 503;
  const launched = await postJson(server.url, '/v1/workflows', { workflow: 'define\n  alpha\n', callback: alpha.url });
  await alpha.next();
  expect((await postJson(server.url, '/v1/test/clock', { advance: 0 })).status).toBe(200);
  const fresh = ended().slice(before);
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

test('what ops/opentelemetry.mjs sets up sends spans to a collector', async () => {
  type Sent = {
    readonly name: string;
    readonly traceId: string;
    readonly parentSpanId?: string;
    readonly spanId: string;
  };
  type Body = {
    readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly Sent[] }[] }[];
  };
  const sent: Sent[] = [];
  const collector = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as Body;
      sent.push(...body.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans: own }) => own)));
      response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', `http://127.0.0.1:${(collector.address() as AddressInfo).port}`);
  vi.stubEnv('OTEL_BSP_SCHEDULE_DELAY', '100');
  const signals = ['SIGTERM', 'SIGINT'] as const;
  const before = signals.map((signal) => process.listeners(signal));
  trace.disable();
  await import(new URL('../../ops/opentelemetry.mjs', import.meta.url).href);
  const own = 'd'.repeat(32);
  const bravo = await startParticipant();
  const traced = await startServer();
  try {
    const body = { workflow: 'define\n  bravo\n', callback: bravo.url };
    const headers = { traceparent: `00-${own}-${'e'.repeat(16)}-01` };
    expect((await postJson(traced.url, '/v1/workflows', body, headers)).status).toBe(201);
    const called = await bravo.next();
    const of = (name: string): Sent | undefined => sent.find((span) => span.name === name && span.traceId === own);
    const callback = await until('the callback is told to the collector', () => of('rota callback'));
    const request = await until('the request is, too', () => of('POST /v1/workflows'));
    const step = await until('and the step', () => of('rota step'));
    expect(request.parentSpanId).toBe('e'.repeat(16));
    expect([callback.parentSpanId, step.parentSpanId]).toEqual([request.spanId, request.spanId]);
    expect(called.headers['traceparent']).toBe(`00-${own}-${callback.spanId}-01`);
  } finally {
    await traced.stop();
    await bravo.stop();
    collector.close();
    collector.closeAllConnections();
    for (const api of [trace, context, propagation]) api.disable();
    for (const [i, signal] of signals.entries())
      for (const listener of process.listeners(signal))
        if (before[i]?.includes(listener) !== true) process.removeListener(signal, listener);
    vi.unstubAllEnvs();
  }
}, 120_000);
