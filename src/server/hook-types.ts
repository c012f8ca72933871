import type { HookLaunch, HookRequest } from '../api/hooks.ts';

/* What an application sees of hooks: apart from what asks them, so that its types need none of the packages of the server. */

/** A message that is about to be sent to a participant. */
export type HookCallback = { readonly url: string; readonly headers: Readonly<Record<string, string>> };

/** Each has 5 s. What they throw: of the first two the answer (`status`, `code`, `message`), of `onBeforeCallback` a failed try. */
export type StartHooks = {
  readonly onRequest?: ((request: HookRequest) => unknown) | undefined;
  readonly onLaunch?: ((launch: HookLaunch) => unknown) | undefined;
  readonly onBeforeCallback?: ((callback: HookCallback) => unknown) | undefined;
  /** `outcome`: `delivered`, `refused` or `unreachable`; `status`: null without an answer. */
  readonly onAfterCallback?:
    | ((callback: HookCallback & { readonly outcome: string; readonly status: number | null }) => unknown)
    | undefined;
};
