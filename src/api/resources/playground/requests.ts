import type { JsonObject } from '../../../model/json.ts';

/** Requests that are kept, and the characters they may take together; the oldest go first. */
export const REQUESTS_KEPT_MAX = 500;
export const REQUESTS_CHARACTERS_MAX = 20_000_000;

export type PlaygroundRequest = {
  /** 1, 2, … since the server started. */
  readonly n: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly participant: string;
  readonly headers: { readonly [name: string]: string };
  readonly body: JsonObject;
};

export type Playground = {
  keep(request: Omit<PlaygroundRequest, 'n'>): void;
  /** Oldest first. */
  since(n: number): readonly PlaygroundRequest[];
};

/** What participants of the playground were sent, in memory alone. */
export function makePlayground(): Playground {
  const kept: { readonly request: PlaygroundRequest; readonly size: number }[] = [];
  let last = 0;
  let characters = 0;
  return {
    keep(request) {
      const one = { request: { ...request, n: ++last }, size: JSON.stringify(request).length };
      kept.push(one);
      characters += one.size;
      while (kept.length > REQUESTS_KEPT_MAX || (characters > REQUESTS_CHARACTERS_MAX && kept.length > 1))
        characters -= kept.shift()?.size ?? 0;
    },
    since: (n) => kept.filter(({ request }) => request.n > n).map(({ request }) => request),
  };
}
