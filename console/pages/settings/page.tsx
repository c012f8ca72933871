import { link, path } from '../../address/router.ts';
import { PageHead } from '../../app/page.tsx';
import { About } from './about.tsx';
import { Audit } from './audit.tsx';
import { Display } from './display.tsx';
import { Keys } from './keys.tsx';
import { Secrets } from './secrets.tsx';
import { Subscriptions } from './subscriptions.tsx';

const PARTS = {
  display: Display,
  keys: Keys,
  secrets: Secrets,
  subscriptions: Subscriptions,
  audit: Audit,
  about: About,
} as const;
type Part = keyof typeof PARTS;
const isPart = (name: string): name is Part => Object.hasOwn(PARTS, name);

/** Of this device, and of the server where somebody may administer it. */
export function Settings() {
  const named = path.value.split('/')[2] ?? '';
  const chosen = isPart(named) ? named : 'display';
  const Shown = PARTS[chosen];
  return (
    <>
      <PageHead title={`Settings: ${chosen}`} said="Settings" />
      <nav class="row" aria-label="Parts of the settings">
        {Object.keys(PARTS).map((name) => (
          <a
            key={name}
            class="button tiny"
            href={link(`/settings/${name}`)}
            aria-current={name === chosen ? 'page' : undefined}
          >
            {name.charAt(0).toUpperCase() + name.slice(1)}
          </a>
        ))}
      </nav>
      <Shown />
    </>
  );
}
