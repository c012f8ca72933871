/* Which page an address is. What each of them is made of stands in main.tsx; a test looks at each of them in each look. */

/** The first that matches is meant. */
export const PAGES = {
  home: /^\/$/,
  workflows: /^\/workflows$/,
  launch: /^\/workflows\/new$/,
  compare: /^\/workflows\/[^/]+\/compare$/,
  workflow: /^\/workflows\/[^/]+$/,
  worklist: /^\/worklist(\/[^/]+)?$/,
  errors: /^\/errors$/,
  deliveries: /^\/deliveries(\/[^/]+)?$/,
  timers: /^\/timers$/,
  waiting: /^\/waiting$/,
  editor: /^\/definitions\/edit$/,
  definition: /^\/definitions\/.+$/,
  definitions: /^\/definitions$/,
  participants: /^\/participants$/,
  participant: /^\/participants\/.+$/,
  playground: /^\/playground(\/requests\/\d+)?$/,
  nodes: /^\/nodes$/,
  batches: /^\/batches(\/[^/]+)?$/,
  rehearse: /^\/rehearse$/,
  signin: /^\/signin$/,
  settings: /^\/settings(\/.+)?$/,
} as const satisfies { readonly [name: string]: RegExp };
export type PageName = keyof typeof PAGES;

/** The page at a path below the console; null: there is none. */
export const pageAt = (at: string): PageName | null =>
  (Object.keys(PAGES) as PageName[]).find((name) => PAGES[name].test(at)) ?? null;

/** The parts of the settings, each with an address of its own. */
export const SETTINGS = ['display', 'keys', 'secrets', 'subscriptions', 'audit', 'about'] as const;
export type SettingsPart = (typeof SETTINGS)[number];
