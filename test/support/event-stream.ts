import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { held } from './server.ts';

/* A reader of server-sent events, as WHATWG HTML says to read them (9.2.6), byte by byte as they come. */

export type StreamEvent = {
  /** The last id seen, this event's own or one before it. */
  readonly id: string;
  readonly event: string;
  readonly data: string;
};

export type EventReader = {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  /** The next event; null once the stream has ended. Waits for it (the test's own time limit bounds the wait). */
  next(): Promise<StreamEvent | null>;
  /** Events up to and with the first of this name. @throws when the stream ends before */
  upTo(event: string): Promise<readonly StreamEvent[]>;
  /** Everything up to the end. */
  rest(): Promise<readonly StreamEvent[]>;
  /** The last id that came, also of a block without data. */
  readonly lastId: () => string;
  /** The last `retry` that came, in milliseconds. */
  readonly retry: () => number | null;
  /** Everything that came, as text. */
  readonly text: () => string;
  /** Cuts the connection, in the middle of whatever comes. */
  cut(): void;
  /** Stops taking what comes; what is on its way waits in the socket. */
  stall(): void;
};

/** Opens a stream. Resolves with its head, which is held against the description of the interface. */
export function openEvents(
  base: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<EventReader> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const sent: ClientRequest = request({ hostname, port, path, agent: false, headers: { ...headers } }, (response) => {
      sent.off('error', reject);
      // A connection that is cut is an end like another: the reader comes back with its id.
      sent.on('error', () => {});
      try {
        held(port, 'GET', path, { status: response.statusCode ?? 0, headers: response.headers, text: '' });
      } catch (error) {
        sent.destroy();
        reject(error);
        return;
      }
      resolve(read(sent, response));
    });
    sent.on('error', reject);
    sent.end();
  });
}

function read(sent: ClientRequest, response: IncomingMessage): EventReader {
  const events: StreamEvent[] = [];
  const askers: ((event: StreamEvent | null) => void)[] = [];
  let text = '';
  let read = 0;
  let lastId = '';
  let retry: number | null = null;
  let isOver = false;

  function block(lines: readonly string[]): void {
    let event = 'message';
    const data: string[] = [];
    for (const line of lines) {
      const [, field = '', value = ''] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
      if (field === 'id') lastId = value;
      else if (field === 'event') event = value;
      else if (field === 'data') data.push(value);
      else if (field === 'retry') retry = Number(value);
    }
    if (data.length === 0) return;
    const one = { id: lastId, event, data: data.join('\n') };
    const asker = askers.shift();
    if (asker === undefined) events.push(one);
    else asker(one);
  }
  function end(): void {
    isOver = true;
    for (const asker of askers.splice(0)) asker(null);
  }

  response.setEncoding('utf8');
  response.on('data', (part: string) => {
    text += part;
    for (let at = text.indexOf('\n\n', read); at >= 0; at = text.indexOf('\n\n', read)) {
      block(text.slice(read, at).split('\n'));
      read = at + 2;
    }
  });
  response.on('end', end);
  response.on('error', end);
  response.on('close', end);

  const next = (): Promise<StreamEvent | null> => {
    const first = events.shift();
    if (first !== undefined) return Promise.resolve(first);
    return isOver ? Promise.resolve(null) : new Promise((resolve) => askers.push(resolve));
  };
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    next,
    upTo: async (event) => {
      const found: StreamEvent[] = [];
      for (;;) {
        const one = await next();
        if (one === null) throw new Error(`The stream ended before ${event} came: ${text.slice(-500)}`);
        found.push(one);
        if (one.event === event) return found;
      }
    },
    rest: async () => {
      const found: StreamEvent[] = [];
      for (let one = await next(); one !== null; one = await next()) found.push(one);
      return found;
    },
    lastId: () => lastId,
    retry: () => retry,
    text: () => text,
    cut: () => sent.destroy(),
    stall: () => void response.pause(),
  };
}
