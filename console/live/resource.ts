import { type Signal, signal } from '@preact/signals';
import { useEffect, useLayoutEffect, useMemo } from 'preact/hooks';
import type { Json } from '../../src/model/json.ts';
import { type Answer, call, type Problem } from '../api/calls.ts';
import { signedIn } from '../api/session.ts';

/*
 * What a page shows of the server: read once, read again when something happens or, without a stream, every few seconds while somebody looks.
 * What was shown stays while it is read again; a problem stands beside it.
 */

export type Resource = {
  /** The last good answer, or undefined before the first. */
  readonly value: Signal<Json | undefined>;
  readonly etag: Signal<string | null>;
  readonly problem: Signal<Problem | null>;
  readonly loading: Signal<boolean>;
  /** When the value came, in milliseconds since 1970; null before. */
  readonly asOf: Signal<number | null>;
  /** Reads it again now. */
  again(): Promise<void>;
};

/** Without a stream a page reads again this often, in milliseconds. */
export const POLL_MS = 3_000;

/** Counts how often all that is shown was asked to be read again: something may have happened that nobody has answered. */
export const looked = signal(0);

/** What the page that is shown was made from, in the order it was first asked for: paths of the interface. */
export const reads = signal<readonly string[]>([]);

/**
 * @param path null: nothing to read yet. `every`: milliseconds between two readings; 0: only when asked. `atOnce` false: not before it is asked for
 * with `again`
 */
export function useResource(path: string | null, every = 0, atOnce = true): Resource {
  const resource = useMemo(() => makeResource(path), [path]);
  // It is asked for before the page is painted without it.
  useLayoutEffect(() => {
    if (atOnce) void resource.again();
    if (path !== null) reads.value = [...reads.peek(), path];
    return () => {
      resource.leave();
      const at = reads.peek().indexOf(path ?? '');
      if (at !== -1) reads.value = reads.peek().filter((_, i) => i !== at);
    };
  }, [resource]);
  useEffect(() => {
    if (signedIn.value > 0 && resource.problem.value !== null) void resource.again();
  }, [resource, signedIn.value]);
  useEffect(() => {
    if (looked.value > 0 && resource.value.peek() !== undefined) void resource.again();
  }, [looked.value]);
  useEffect(() => {
    if (every === 0 || path === null) return;
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') void resource.again();
    }, every);
    return () => clearInterval(timer);
  }, [resource, every, path]);
  return resource;
}

/** Whether each was read once, or could not be: what stands below them is not moved by them any more. */
export const areRead = (...all: readonly Resource[]): boolean =>
  all.every(({ value, problem, loading }) => value.value !== undefined || problem.value !== null || !loading.value);

/** Reads one at a time; who asks meanwhile gets another reading after it. */
export function oneAtATime(read: () => Promise<void>): () => Promise<void> {
  let under: Promise<void> | null = null;
  let wanted = false;
  return function again(): Promise<void> {
    if (under !== null) {
      wanted = true;
      return under;
    }
    under = read().finally(() => {
      under = null;
      if (!wanted) return;
      wanted = false;
      void again();
    });
    return under;
  };
}

function makeResource(path: string | null): Resource & { leave(): void } {
  const value = signal<Json | undefined>(undefined);
  const etag = signal<string | null>(null);
  const problem = signal<Problem | null>(null);
  const loading = signal(path !== null);
  const asOf = signal<number | null>(null);
  let abort = new AbortController();
  let text: string | null = null;

  async function read(): Promise<void> {
    if (path === null) return;
    loading.value = true;
    const answer: Answer = await call(path, { signal: abort.signal });
    if (abort.signal.aborted) return;
    loading.value = false;
    if (answer.ok) {
      // The same text again paints nothing.
      if (text !== answer.text) value.value = answer.value;
      text = answer.text;
      etag.value = answer.etag;
      problem.value = null;
      asOf.value = Date.now();
    } else problem.value = answer.problem;
  }

  const again = oneAtATime(read);
  return {
    value,
    etag,
    problem,
    loading,
    asOf,
    again: () => {
      if (abort.signal.aborted) abort = new AbortController();
      return again();
    },
    leave: () => abort.abort(),
  };
}
