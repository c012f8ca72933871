// Traces for Rota. Install the SDK beside it, which Rota does not bring:
//   npm install @opentelemetry/sdk-trace-node@2.12.1 @opentelemetry/exporter-trace-otlp-http@0.223.1   (Node 20)
// From Node 22.15 on @opentelemetry/sdk-trace 3 does the same. Then
//   OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318 node --import ./ops/opentelemetry.mjs dist/cli/main.js serve
// OTEL_SERVICE_NAME and OTEL_TRACES_SAMPLER (such as parentbased_traceidratio, with OTEL_TRACES_SAMPLER_ARG=0.1) are heeded by the SDK.
// Leave out automatic instrumentation of http and pg: it halves what a server can do, and Rota tells of its requests, steps, tries and timers itself.
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';

const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ 'service.name': process.env.OTEL_SERVICE_NAME ?? 'rota' }),
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
});
provider.register();

// Rota ends its process once it has stopped; what is not sent by then is sent while it stops.
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => void provider.forceFlush());
