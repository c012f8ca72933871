import { createRequire } from 'node:module';
import { isAbsolute, join, resolve } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { runHook } from '../api/hooks.ts';
import type { Post } from '../outbox/post.ts';
import type { Log } from '../runtime/log.ts';
import type { Between } from './between.ts';
import { ConfigError } from './config.ts';
import type { StartHooks } from './hook-types.ts';

/* Hooks of an application that holds the server in its process, and of modules that the file of settings names (PLUGINS). */

const NAMES = ['onRequest', 'onLaunch', 'onBeforeCallback', 'onAfterCallback'] as const;

/** What stands between the parts of a server so that these hooks are asked, behind those that stand there already. */
export function withHooks(hooks: StartHooks, log: Log, between: Between = {}): Between {
  const { onRequest, onLaunch } = hooks;
  const both = <Seen>(
    first: ((seen: Seen) => unknown) | undefined,
    second: ((seen: Seen) => unknown) | undefined,
  ): ((seen: Seen) => unknown) | undefined =>
    first === undefined || second === undefined
      ? (first ?? second)
      : async (seen) => {
          await first(seen);
          await second(seen);
        };
  return {
    ...between,
    hooks: {
      onRequest: both(between.hooks?.onRequest, onRequest),
      onLaunch: both(between.hooks?.onLaunch, onLaunch),
    },
    post: (post) => postWithHooks(between.post?.(post) ?? post, hooks, log),
  };
}

/**
 * The hooks of modules, in their order: what each exports by these names, or has in its default export.
 *
 * @param modules paths (those of the file of settings are whole by now), or names of packages that are installed where the server was started
 * @throws ConfigError when one cannot be loaded, or has no hook
 */
export async function loadPlugins(modules: readonly string[]): Promise<readonly StartHooks[]> {
  const plugins: StartHooks[] = [];
  for (const name of modules) {
    let loaded: Readonly<Record<string, unknown>>;
    try {
      const isPath = /^\.{0,2}\//.test(name) || isAbsolute(name);
      const file = isPath ? resolve(name) : createRequire(join(process.cwd(), 'package.json')).resolve(name);
      loaded = (await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>;
    } catch (error) {
      throw new ConfigError([`plugins: ${name} cannot be loaded: ${error instanceof Error ? error.message : error}`]);
    }
    const own = loaded['default'];
    const all = { ...(typeof own === 'object' ? own : {}), ...loaded } as Readonly<Record<string, unknown>>;
    const hooks = NAMES.flatMap((hook) => (typeof all[hook] === 'function' ? [[hook, all[hook]] as const] : []));
    if (hooks.length === 0) throw new ConfigError([`plugins: ${name} exports none of ${NAMES.join(', ')}`]);
    plugins.push(Object.fromEntries(hooks) as StartHooks);
  }
  return plugins;
}

function postWithHooks(post: Post, { onBeforeCallback, onAfterCallback }: StartHooks, log: Log): Post {
  if (onBeforeCallback === undefined && onAfterCallback === undefined) return post;
  return {
    ...post,
    send: async (request, timeoutMs, cuttable) => {
      const seen = { url: request.url, headers: request.headers };
      try {
        await runHook(onBeforeCallback, seen);
      } catch (error) {
        return { kind: 'unreachable', reason: `a hook refused it: ${error instanceof Error ? error.message : error}` };
      }
      const result = await post.send(request, timeoutMs, cuttable);
      const status = result.kind === 'unreachable' ? null : result.status;
      try {
        await runHook(onAfterCallback, { ...seen, outcome: result.kind, status });
      } catch (err) {
        // What was sent was sent.
        log.warn('a hook failed', { event: 'hook.failed', hook: 'onAfterCallback', err });
      }
      return result;
    },
  };
}
