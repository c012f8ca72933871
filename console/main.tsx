import { type ComponentType, render } from 'preact';
import { decoded, link, path } from './address/router.ts';
import { type PageName, pageAt } from './address/routes.ts';
import { begin, workflowPath } from './api/calls.ts';
import { learnMe } from './api/session.ts';
import { Frame, Lazy } from './app/frame.tsx';
import { PageHead } from './app/page.tsx';
import { followPrinting } from './app/printing.ts';
import { Empty } from './parts/problem.tsx';

/* The pages (address/routes.ts says at which address each is). Each is loaded when it is first wanted. */

type Load = () => Promise<ComponentType>;
const LOADS: { readonly [Name in PageName]: Load } = {
  home: () => import('./pages/home.tsx').then((one) => one.Home),
  workflows: () => import('./pages/workflows.tsx').then((one) => one.Workflows),
  launch: () => import('./pages/launch.tsx').then((one) => one.Launch),
  compare: () => import('./pages/workflow/compare.tsx').then((one) => one.Compare),
  workflow: () => import('./pages/workflow/page.tsx').then((one) => one.openWorkflow()),
  worklist: () => import('./pages/worklist.tsx').then((one) => one.Worklist),
  errors: () => import('./pages/errors.tsx').then((one) => one.Errors),
  deliveries: () => import('./pages/deliveries.tsx').then((one) => one.Deliveries),
  timers: () => import('./pages/timers.tsx').then((one) => one.Timers),
  waiting: () => import('./pages/waiting.tsx').then((one) => one.Waiting),
  editor: () => import('./pages/editor.tsx').then((one) => one.Editor),
  definition: () => import('./pages/definition.tsx').then((one) => one.Definition),
  definitions: () => import('./pages/definitions.tsx').then((one) => one.Definitions),
  participants: () => import('./pages/participants.tsx').then((one) => one.Participants),
  participant: () => import('./pages/participant.tsx').then((one) => one.Participant),
  playground: () => import('./pages/playground.tsx').then((one) => one.Playground),
  nodes: () => import('./pages/nodes.tsx').then((one) => one.Nodes),
  batches: () => import('./pages/batches.tsx').then((one) => one.Batches),
  rehearse: () => import('./pages/rehearse.tsx').then((one) => one.Rehearsal),
  signin: () => import('./pages/signin.tsx').then((one) => one.SignIn),
  settings: () => import('./pages/settings/page.tsx').then((one) => one.Settings),
};

function loadOf(at: string): Load | undefined {
  const name = pageAt(at);
  return name === null ? undefined : LOADS[name];
}

function App() {
  const load = loadOf(path.value);
  return (
    <Frame asked={asked}>
      {load === undefined ? (
        <>
          <PageHead title="There is no such page" />
          <Empty title="Nothing is at this address">
            <p class="dim">It may have been cut short, or come from another version.</p>
            <p class="row">
              <a class="button primary" href={link('/')}>
                Home
              </a>
              <a class="button" href={link('/workflows')}>
                Workflows
              </a>
            </p>
          </Empty>
        </>
      ) : (
        <Lazy load={load} key={keyOf(path.value)} />
      )}
    </Frame>
  );
}

/** Another page is another element; a page whose parts have addresses of their own stays while one goes from part to part. */
const keyOf = (at: string): string => (/^\/(settings|worklist)/.test(at) ? (at.split('/')[1] ?? '') : at);

// Who this is, and what the page is made of, are on their way while the frame around it is made. What goes wrong is told where it is shown.
loadOf(path.value)?.().catch(() => {});
followPrinting();
const asked = learnMe();
const [, opened] = /^\/workflows\/([^/]+)$/.exec(path.value) ?? [];
if (opened !== undefined && opened !== 'new') begin(workflowPath(decoded(opened)));
const root = document.getElementById('app');
if (root !== null) render(<App />, root);
