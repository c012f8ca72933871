/** The pages in the rail. `needs`: shown only where the server can do that. */
export type Entry = { readonly to: string; readonly word: string; readonly needs?: string };
export const ENTRIES: readonly Entry[] = [
  { to: '/', word: 'Home' },
  { to: '/workflows', word: 'Workflows' },
  { to: '/worklist', word: 'Worklist' },
  { to: '/errors', word: 'Errors' },
  { to: '/deliveries', word: 'Deliveries' },
  { to: '/timers', word: 'Timers' },
  { to: '/waiting', word: 'Waiting', needs: 'GET /v1/waits' },
  { to: '/batches', word: 'Batches', needs: 'GET /v1/batches' },
  { to: '/definitions', word: 'Definitions' },
  { to: '/participants', word: 'Participants' },
  { to: '/playground', word: 'Playground', needs: 'GET /v1/playground/requests' },
  { to: '/nodes', word: 'Nodes' },
  { to: '/settings', word: 'Settings' },
];
