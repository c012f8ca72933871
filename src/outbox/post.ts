import { type LookupAddress, lookup } from 'node:dns';
import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import got, { type Method, Options } from 'got';
import { makeBoundedMap } from '../runtime/bounded.ts';
import { type ProcessTime, realTime } from '../runtime/process-time.ts';
import { makeExcerpt } from './excerpt.ts';
import { makeLookups, type Resolve } from './lookups.ts';

export type { Resolve } from './lookups.ts';

import type { CallbackRequest, PostResult } from './message.ts';
import { addressComplaint, makeTargetCheck, type TargetPolicy } from './targets.ts';

export type Post = {
  /**
   * Makes one POST, no redirects, no retries. Never rejects.
   *
   * @param cuttable is given the way to end it before its time
   */
  send(request: CallbackRequest, timeoutMs: number, cuttable?: (cut: () => void) => void): Promise<PostResult>;
  /** Closes the connections kept for later. */
  close(): void;
};

/** Of an answer's body we read this much, only so that the connection can be used again; then it is cut off. */
export const ANSWER_BYTES_MAX = 65_536;
/** And for this long after the status has come. */
export const ANSWER_MS_MAX = 1_000;
/** The status line and headers of an answer may take this many bytes. */
const HEADER_BYTES_MAX = 16_384;
/** Interim answers (1xx) to one request; a peer that sends more is not going to answer. */
const INTERIM_ANSWERS_MAX = 100;
/** A connection nobody used for so long is closed: many servers close theirs after five seconds, and would do so under our hands. */
const IDLE_MS_MAX = 4_000;
const SWEEP_EVERY_MS = 1_000;
const FREE_SOCKETS_PER_HOST_MAX = 32;
/** Look-ups of names at once, and seconds that one is waited for, unless the settings say otherwise. */
export const LOOKUPS_AT_ONCE_MAX = 3;
export const LOOKUP_SECONDS = 5;
/** Characters of addresses of which it is kept how they are called. */
const WAYS_CHARACTERS_MAX = 1_000_000;

/**
 * Makes the one thing that talks to participants.
 *
 * @param policy which addresses may be called; checked on the address actually connected to
 */
export function makePost(options: {
  readonly policy: TargetPolicy;
  readonly socketsPerHostMax: number;
  readonly time?: ProcessTime;
  /** How names become addresses; the system's way unless given. */
  readonly resolve?: Resolve;
  /** Look-ups of names under way at once, and how long one is waited for. */
  readonly lookups?: { readonly most: number; readonly seconds: number; readonly rememberedMs?: number };
}): Post {
  const time = options.time ?? realTime;
  const resolve = makeLookups({
    resolve: options.resolve ?? lookup,
    ...(options.lookups ?? { most: LOOKUPS_AT_ONCE_MAX, seconds: LOOKUP_SECONDS }),
    time,
  });
  const agentOptions: http.AgentOptions = {
    keepAlive: true,
    maxSockets: options.socketsPerHostMax,
    maxFreeSockets: FREE_SOCKETS_PER_HOST_MAX,
    scheduling: 'lifo',
  };
  const agent = {
    http: guarded(new http.Agent(agentOptions), options.policy, resolve),
    https: guarded(new https.Agent(agentOptions), options.policy, resolve),
  };

  const sweep = idleSweep(time, [agent.http, agent.https]);

  const { options: defaults } = got.extend({ agent, maxHeaderSize: HEADER_BYTES_MAX }).defaults;
  const ways = makeBoundedMap<Way>(WAYS_CHARACTERS_MAX);
  const wayTo = ({ url, method = 'POST', tls }: CallbackRequest): Way => {
    // What is shown on a connection is not kept.
    const name = `${method} ${url}`;
    const known = tls === undefined ? ways.get(name) : undefined;
    if (known !== undefined) return known;
    const shows = tls === undefined ? {} : { https: shown(tls) };
    const made = wayOf(new Options(url, { method: method as Method, ...shows }, defaults));
    if (tls === undefined) ways.set(name, made, name.length);
    return made;
  };

  const complaintAbout = makeTargetCheck(options.policy);

  async function send(
    request: CallbackRequest,
    timeoutMs: number,
    cuttable: (cut: () => void) => void = () => {},
  ): Promise<PostResult> {
    const complaint = complaintAbout(request.url);
    if (complaint !== null) return { kind: 'unreachable', reason: `the URL ${complaint}`, blocked: true };
    const until = time.now() + timeoutMs;
    const first = await once(request, timeoutMs, cuttable);
    if (first !== 'stale connection') return first;
    // A kept connection was closed by the other side just as we wrote on it: as far as anyone can tell the try has not happened yet.
    const second = await once(request, Math.max(1, until - time.now()), cuttable);
    return second === 'stale connection' ? { kind: 'unreachable', reason: 'the connection was closed' } : second;
  }

  /**
   * One POST, with a deadline of our own around whatever the client does: it ends when the peer has answered, or failed, or the time is
   * over, whichever comes first, and leaves no socket behind that the agent counts as in use.
   */
  function once(
    request: CallbackRequest,
    timeoutMs: number,
    cuttable: (cut: () => void) => void,
  ): Promise<PostResult | 'stale connection'> {
    let sent: ClientRequest;
    try {
      sent = begin(request);
    } catch (error) {
      return Promise.resolve({ kind: 'unreachable', reason: reasonOf(error as Error) });
    }
    return new Promise((resolve) => talk(sent, timeoutMs, request.answerBytesMax, cuttable, resolve));
  }

  function talk(
    sent: ClientRequest,
    timeoutMs: number,
    bytesMax: number | undefined,
    cuttable: (cut: () => void) => void,
    resolve: (result: PostResult | 'stale connection') => void,
  ): void {
    const until = time.now() + timeoutMs;
    let over = false;
    let answered = false;
    // The socket goes with the request, unless the whole request and the whole answer have gone through it.
    const end = (result: PostResult | 'stale connection', keepSocket = false): void => {
      if (over) return;
      over = true;
      cancel();
      if (!keepSocket) sent.destroy();
      resolve(result);
    };
    const unreachable = (reason: string): void => end({ kind: 'unreachable', reason });
    const cancel = time.after(timeoutMs, () =>
      end({ kind: 'unreachable', reason: noAnswerWithin(timeoutMs), silent: true }),
    );
    cuttable(() => unreachable('the message was overtaken by another one'));

    let interim = 0;
    sent.on('information', () => {
      interim += 1;
      if (interim > INTERIM_ANSWERS_MAX) unreachable('too many interim answers came before the answer');
    });
    // Nobody here speaks anything but HTTP: no answer can come on this connection any more.
    sent.once('upgrade', (response, socket) => {
      socket.destroy();
      end(resultOf(response));
    });
    sent.once('response', (response: IncomingMessage) => {
      if (over) {
        response.destroy();
        return;
      }
      answered = true;
      cancel();
      const result = resultOf(response);
      if (bytesMax !== undefined && result.kind === 'delivered') {
        collect(response, bytesMax, Math.max(1, until - time.now()), (answer) =>
          end({ ...result, answer }, answer !== null && sent.writableFinished),
        );
        return;
      }
      // The status is the answer; the rest is only read so that the connection stays usable. One that came before the request was taken
      // would leave a socket that counts as in use for as long as the peer likes.
      const kept = result.kind === 'refused' ? makeExcerpt(response) : null;
      drain(response, kept?.take ?? null, (whole) => {
        const answer = kept?.end() ?? null;
        end(
          result.kind === 'refused' && answer !== null ? { ...result, answer } : result,
          whole && sent.writableFinished,
        );
      });
    });
    sent.on('error', (error: Error & { code?: string }) => {
      if (answered || over) return; // the status has been seen; only the rest of the answer was cut off
      const stale = sent.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
      end(stale ? 'stale connection' : { kind: 'unreachable', reason: reasonOf(error) });
    });
    sent.once('close', () => {
      if (!answered) unreachable('the connection was closed without an answer');
    });
  }

  function begin(request: CallbackRequest): ClientRequest {
    const { headers, body } = request;
    const { isSafe, options } = wayTo(request);
    const isSent = body.length > 0 || options.method === 'POST';
    const sent = (isSafe ? https : http).request({
      ...options,
      headers: isSent ? { ...headers, 'content-length': String(Buffer.byteLength(body)) } : headers,
    });
    // Node writes a text in one piece with its head, all of it as UTF-8; a head of other letters goes by itself.
    if (isSent) sent.end(typeof body === 'string' && !isAscii(headers) ? Buffer.from(body) : body);
    else sent.end();
    return sent;
  }

  /** Reads an answer that is wanted; null: it has more than `most` bytes, or did not end in time. */
  function collect(answer: IncomingMessage, most: number, ms: number, done: (answer: Buffer | null) => void): void {
    const chunks: Buffer[] = [];
    let bytes = 0;
    let over = false;
    const end = (whole: Buffer | null): void => {
      if (over) return;
      over = true;
      cancel();
      done(whole);
    };
    const cancel = time.after(ms, () => end(null));
    answer.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > most) end(null);
      else chunks.push(chunk);
    });
    answer.once('end', () => end(Buffer.concat(chunks)));
    answer.once('error', () => end(null));
    answer.once('close', () => end(null));
  }

  /** Reads what is left of an answer, within bounds, hands it to `take`, and calls `done` once, with whether that was all of it. */
  function drain(
    answer: IncomingMessage,
    take: ((chunk: Buffer) => void) | null,
    done: (whole: boolean) => void,
  ): void {
    let bytes = 0;
    let over = false;
    const end = (whole: boolean): void => {
      if (over) return;
      over = true;
      cancel();
      done(whole);
    };
    const cancel = time.after(ANSWER_MS_MAX, () => end(false));
    answer.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      take?.(chunk);
      if (bytes > ANSWER_BYTES_MAX) end(false);
    });
    answer.once('end', () => end(true));
    answer.once('error', () => end(false));
    answer.once('close', () => end(false));
  }

  return {
    send,
    close: () => {
      sweep.stop();
      agent.http.destroy();
      agent.https.destroy();
    },
  };
}

/** What Node is told of an address: everything but the headers and the body of one call. */
type Way = { readonly isSafe: boolean; readonly options: https.RequestOptions };

/**
 * What got has made of an address goes out by Node itself, and is kept: to merge its options for every call would cost more than the call, and so would
 * the streams it puts around one (docs/decisions/0035-got-without-its-streams.md).
 */
function wayOf({ url, method, agent, https: tls, maxHeaderSize }: Options): Way {
  const { protocol, hostname, port, pathname, search } = url as URL;
  const isSafe = protocol === 'https:';
  const options = {
    ...{ protocol, hostname: hostname.replace(/^\[(.*)\]$/, '$1'), path: pathname + search, method },
    ...(port === '' ? {} : { port: Number(port) }),
    ...(maxHeaderSize === undefined ? {} : { maxHeaderSize }),
    agent: isSafe ? agent.https : agent.http,
    ...(isSafe ? { cert: tls.certificate, key: tls.key, ca: tls.certificateAuthority } : {}),
  };
  return { isSafe, options: options as https.RequestOptions };
}

/** Connections are kept apart by what is shown on them: the agent goes by these options, too. */
const shown = ({ cert, key, ca }: NonNullable<CallbackRequest['tls']>) => ({
  ...(cert === undefined ? {} : { certificate: cert }),
  ...(key === undefined ? {} : { key }),
  ...(ca === undefined ? {} : { certificateAuthority: ca }),
});

const isAscii = (headers: CallbackRequest['headers']): boolean =>
  Object.values(headers).every((value) => !/[^\x20-\x7e\t]/.test(value));

function resultOf(response: IncomingMessage): PostResult {
  const status = response.statusCode ?? 0;
  if (status >= 200 && status < 300) return { kind: 'delivered', status };
  return { kind: 'refused', status, retryAfterSeconds: retryAfterSeconds(response.headers['retry-after'], Date.now()) };
}

/** Seconds that a `Retry-After` asks for (RFC 9110 10.2.3: a number of seconds or a date), or null. */
export function retryAfterSeconds(header: string | undefined, nowMs: number): number | null {
  if (header === undefined) return null;
  if (/^\d{1,10}$/.test(header)) return Number(header);
  const at = Date.parse(header);
  return Number.isNaN(at) ? null : Math.max(0, Math.ceil((at - nowMs) / 1000));
}

/** Texts for operators and histories: they never hold the URL, which may hold a secret. */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was closed without an answer',
  EPIPE: 'the connection was closed without an answer',
  ENOTFOUND: 'the host is not known',
  EAI_AGAIN: 'the host could not be looked up',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ETIMEDOUT: 'the connection could not be made in time',
  ELOOKUP: 'the host could not be looked up in time',
  EBLOCKED: 'the host leads to an address that must not be called',
};

const noAnswerWithin = (ms: number): string => `no answer within ${Math.round(ms / 100) / 10} s`;

function reasonOf(error: Error & { code?: string }): string {
  const code = error.code ?? '';
  if (Object.hasOwn(REASONS, code)) return REASONS[code] as string;
  if (code.startsWith('HPE_')) return 'the answer was not good HTTP';
  if (/CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO/.test(code)) return `the certificate or the encryption failed (${code})`;
  return code === '' ? 'the request failed' : `the request failed (${code})`;
}

type Connect = (
  options: http.ClientRequestArgs,
  callback?: (error: Error | null, stream: Duplex) => void,
) => Duplex | null | undefined;

/** Makes an agent look at every address it is about to connect to: the one that was checked is the one that is called. */
function guarded<Agent extends http.Agent>(agent: Agent, policy: TargetPolicy, resolve: Resolve): Agent {
  const connect: Connect = agent.createConnection.bind(agent);
  const guardedLookup = lookupWithin(policy, resolve);
  agent.createConnection = (options: http.ClientRequestArgs, callback?: Parameters<Connect>[1]) => {
    const host = options.host ?? '';
    // A literal address is never looked up, so it is checked here.
    if (isIP(host) !== 0 && addressComplaint(host, policy) !== null) throw blocked();
    return connect({ ...options, lookup: guardedLookup }, callback);
  };
  return agent;
}

/** Closes connections that are kept and not used. A timer on each of them would cost more than the connection itself. */
function idleSweep(time: ProcessTime, agents: readonly http.Agent[]): { stop(): void } {
  const freeSince = new WeakMap<object, number>();
  let cancel: (() => void) | null = null;
  const arm = (): void => {
    cancel ??= time.after(SWEEP_EVERY_MS, () => {
      cancel = null;
      let kept = 0;
      for (const agent of agents)
        for (const socket of Object.values(agent.freeSockets).flatMap((sockets) => sockets ?? [])) {
          if (time.now() - (freeSince.get(socket) ?? 0) >= IDLE_MS_MAX) socket.destroy();
          else kept += 1;
        }
      if (kept > 0) arm();
    });
  };
  for (const agent of agents)
    agent.on('free', (socket: Duplex) => {
      freeSince.set(socket, time.now());
      arm();
    });
  return { stop: () => cancel?.() };
}

const blocked = (): Error => Object.assign(new Error('The address must not be called'), { code: 'EBLOCKED' });

type LookupCallback = (error: Error | null, address: string | LookupAddress[], family?: number) => void;

/** Resolves a name to those of its addresses that may be called; none of them is the error EBLOCKED. */
const lookupWithin =
  (policy: TargetPolicy, resolve: Resolve) =>
  (
    host: string,
    options: { readonly all?: boolean | undefined; readonly family?: unknown; readonly hints?: number | undefined },
    done: LookupCallback,
  ): void => {
    const name = host.replace(/\.$/, '').toLowerCase();
    const family = options.family === 4 || options.family === 6 ? options.family : 0;
    resolve(host, { all: true, family, hints: options.hints ?? 0 }, (error, addresses) => {
      if (error !== null) return done(error, []);
      const allowed = addresses.filter(({ address }) => addressComplaint(address, policy, name) === null);
      const [first] = allowed;
      if (first === undefined) return done(blocked(), []);
      if (options.all === true) done(null, allowed);
      else done(null, first.address, first.family);
    });
  };
