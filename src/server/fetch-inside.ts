import { request as ask, createServer, type RequestListener } from 'node:http';
import { duplexPair, Readable } from 'node:stream';

/** Statuses whose answers have no body. */
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * A `fetch` that brings requests to a listener of this process, over a connection that is in memory: the same HTTP, and no port.
 *
 * @param bases requests to these addresses and below stay inside, without the path of the address; others go out as usual
 * @param headers stand on each request that stays inside and has no token of its own
 */
export function fetchInside(
  listener: RequestListener,
  bases: readonly string[],
  headers: Readonly<Record<string, string>>,
): typeof fetch {
  const inside = bases.map((base) => new URL(base));
  // It never listens: connections are handed to it.
  const server = createServer(listener);
  return (async (input: Request) => {
    const url = new URL(input.url);
    const base = inside.find(({ origin, pathname }) => url.origin === origin && url.pathname.startsWith(pathname));
    if (base === undefined) return fetch(input);
    const prefix = base.pathname.replace(/\/+$/, '');
    const own = url.searchParams.has('token') ? {} : headers;
    const body = input.body === null ? null : Buffer.from(await input.arrayBuffer());
    const [near, far] = duplexPair();
    return new Promise<Response>((resolve, reject) => {
      const sent = ask(
        {
          createConnection: () => near,
          method: input.method,
          path: url.pathname.slice(prefix.length) + url.search,
          headers: {
            ...Object.fromEntries(input.headers),
            ...own,
            host: 'localhost',
            connection: 'close',
            ...(body === null ? {} : { 'content-length': String(body.length) }),
          },
        },
        (answer) => {
          const status = answer.statusCode ?? 500;
          const isEmpty = WITHOUT_BODY.has(status);
          if (isEmpty) answer.resume();
          const stream = isEmpty ? null : (Readable.toWeb(answer) as unknown as ReadableStream<Uint8Array>);
          resolve(new Response(stream, { status, headers: headersOf(answer.rawHeaders) }));
        },
      );
      const onAbort = (): void => void sent.destroy(new Error('The call was aborted'));
      input.signal.addEventListener('abort', onAbort, { once: true });
      sent.on('close', () => input.signal.removeEventListener('abort', onAbort));
      sent.on('error', reject);
      // Whoever hangs up first ends the other end, too.
      near.on('close', () => far.destroy());
      far.on('close', () => near.destroy());
      server.emit('connection', far);
      sent.end(body ?? undefined);
      if (input.signal.aborted) onAbort();
    });
  }) as typeof fetch;
}

function headersOf(raw: readonly string[]): Headers {
  const headers = new Headers();
  for (let index = 0; index + 1 < raw.length; index += 2) headers.append(raw[index] ?? '', raw[index + 1] ?? '');
  return headers;
}
