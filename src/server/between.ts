import type { Hooks } from '../api/hooks.ts';
import type { Identify } from '../api/middleware/admit.ts';
import type { Post } from '../outbox/post.ts';
import type { Store } from '../store/store.ts';

/**
 * For what stands in the way of single calls, such as tests, and an application that holds the server in its process: each is handed a part
 * as it was made, what it answers is built in instead.
 */
export type Between = {
  readonly store?: (store: Store) => Store;
  readonly post?: (post: Post) => Post;
  readonly identify?: (identify: Identify) => Identify;
  readonly hooks?: Hooks;
};
