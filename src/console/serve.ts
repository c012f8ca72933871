import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { ConsoleFile, ConsoleFiles } from './files.ts';

/*
 * The pages under /console/, in front of the interface: they are files, ask nobody who is there, and show nothing by themselves. What they show
 * they get from the interface like every other client.
 */

/**
 * Scripts, styles and connections of this server alone; nothing is written into a page as markup. `data:` is for the small pictures an editor
 * underlines with.
 */
export const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "worker-src 'self'",
  "frame-src 'self'",
  "manifest-src 'self'",
  "form-action 'self'",
  "base-uri 'self'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types rota',
].join('; ');

const HEADERS: { readonly [name: string]: string } = {
  'Content-Security-Policy': POLICY,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': '',
};

/** @param next answers everything that is not the console's */
export function withConsole(files: ConsoleFiles, basePath: string, next: RequestListener): RequestListener {
  return (request, response) => {
    const { url = '' } = request;
    if (url.startsWith('/v1/')) return next(request, response);
    const path = url.split('?', 1)[0] ?? '';
    if (path === '/' && isLooking(request) && wantsPage(request)) return redirect(response, `${basePath}/console/`);
    if (path === '/console' && isLooking(request)) return redirect(response, `${basePath}/console/`);
    if (!path.startsWith('/console/')) return next(request, response);
    if (!isLooking(request)) return refuse(response, 405, { Allow: 'GET, HEAD' });
    // The page itself is for everybody who asks for it, also with a plain curl.
    const name = path.slice('/console/'.length) || 'index.html';
    const found =
      files.get(name) ?? (!name.startsWith('assets/') && wantsPage(request) ? files.get('index.html') : undefined);
    if (found === undefined) return refuse(response, 404, {});
    send(request, response, found);
  };
}

const isLooking = ({ method }: IncomingMessage): boolean => method === 'GET' || method === 'HEAD';
const wantsPage = ({ headers }: IncomingMessage): boolean => /\btext\/html\b/.test(headers.accept ?? '');

function send(request: IncomingMessage, response: ServerResponse, file: ConsoleFile): void {
  const headers = {
    ...HEADERS,
    ETag: file.etag,
    Vary: 'Accept-Encoding',
    'Cache-Control': file.immutable ? 'public, max-age=31536000, immutable' : 'no-cache',
  };
  if (String(request.headers['if-none-match'] ?? '').includes(file.etag)) {
    response.writeHead(304, headers).end();
    return;
  }
  const accepted = String(request.headers['accept-encoding'] ?? '');
  const [encoding, body] = /\bbr\b/.test(accepted)
    ? ['br', file.brotli()]
    : /\bgzip\b/.test(accepted)
      ? ['gzip', file.gzip()]
      : [null, file.bytes];
  response.writeHead(200, {
    ...headers,
    'Content-Type': file.type,
    'Content-Length': body.length,
    ...(encoding === null ? {} : { 'Content-Encoding': encoding }),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function redirect(response: ServerResponse, to: string): void {
  response.writeHead(302, { ...HEADERS, Location: to, 'Cache-Control': 'no-cache' }).end();
}

function refuse(response: ServerResponse, status: number, headers: { readonly [name: string]: string }): void {
  response.writeHead(status, { ...HEADERS, ...headers, 'Content-Type': 'text/plain; charset=utf-8' });
  response.end(status === 404 ? 'The console has no such file.\n' : 'The console is only ever read.\n');
}
