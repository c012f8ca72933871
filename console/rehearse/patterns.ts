/*
 * What the interpreter gets here for the engine of patterns, which weighs almost as much as all the rest: a rehearsal without patterns does
 * without it. (vite.config.ts puts this file in the engine's place.)
 */

type Engine = typeof import('./engine.ts')['RE2JS'];
let engine: Engine | null = null;

/** A step came to a pattern before the engine was there. */
export class PatternsNeeded extends Error {}

export async function loadPatterns(): Promise<void> {
  engine ??= (await import('./engine.ts')).RE2JS;
}

export const RE2JS = new Proxy({} as Engine, {
  get: (_, name) => {
    if (engine === null) throw new PatternsNeeded('The engine of patterns is not there yet');
    const part: unknown = Reflect.get(engine, name);
    return typeof part === 'function' ? part.bind(engine) : part;
  },
});
