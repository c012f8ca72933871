import {
  type Attributes,
  createTraceState,
  ProxyTracerProvider,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import type { TraceContext } from './trace-context.ts';

/*
 * Spans for whoever records traces with OpenTelemetry. The SDK is the operator's (ops/opentelemetry.mjs): where none is registered when the server is
 * built there is no `Tracing` at all, and what would tell of a span looks at one null. A span never says a field, a query or a whole URL.
 */

export type Tracing = {
  /** Begins a span now. */
  begin(span: Begun): Running;
  /** Tells of something that has just ended and took so long. */
  past(span: Begun & { readonly seconds: number }): void;
};

export type Begun = {
  readonly name: string;
  readonly kind: 'server' | 'client' | 'internal';
  /** Null: it begins a trace. */
  readonly parent: TraceContext | null;
  /** What led to it from another trace. */
  readonly link?: TraceContext;
  readonly attributes: Attributes;
};

export type Running = {
  /** What those that it leads to belong to. */
  readonly context: TraceContext;
  end(more?: { readonly name?: string; readonly attributes?: Attributes; readonly failed?: boolean }): void;
};

const KINDS = { server: SpanKind.SERVER, client: SpanKind.CLIENT, internal: SpanKind.INTERNAL } as const;

/** Null: nobody records traces. */
export function makeTracing(version: string): Tracing | null {
  const provider = trace.getTracerProvider();
  const nobody = new ProxyTracerProvider().getDelegate();
  if (provider instanceof ProxyTracerProvider && provider.getDelegate() === nobody) return null;
  const tracer = trace.getTracer('rota', version);

  function start({ name, kind, parent, link, attributes }: Begun, startTime?: number): Span {
    const around = parent === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, spanContextOf(parent));
    const options = {
      ...{ kind: KINDS[kind], attributes },
      ...(startTime === undefined ? {} : { startTime }),
      ...(link === undefined ? {} : { links: [{ context: spanContextOf(link) }] }),
    };
    return tracer.startSpan(name, options, around);
  }

  return {
    begin: (begun) => {
      const span = start(begun);
      return {
        context: contextOf(span.spanContext()),
        end: ({ name, attributes, failed = false } = {}) => {
          if (name !== undefined) span.updateName(name);
          if (attributes !== undefined) span.setAttributes(attributes);
          if (failed) span.setStatus({ code: SpanStatusCode.ERROR });
          span.end();
        },
      };
    },
    past: ({ seconds, ...begun }) => {
      const now = Date.now();
      start(begun, now - seconds * 1000).end(now);
    },
  };
}

const spanContextOf = ({ traceId, spanId, flags, state }: TraceContext): SpanContext => ({
  traceId,
  spanId,
  traceFlags: Number.parseInt(flags, 16),
  isRemote: true,
  ...(state === null ? {} : { traceState: createTraceState(state) }),
});

const contextOf = ({ traceId, spanId, traceFlags, traceState }: SpanContext): TraceContext => ({
  traceId,
  spanId,
  flags: traceFlags.toString(16).padStart(2, '0'),
  state: traceState?.serialize() || null,
});
