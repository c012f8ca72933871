import type { ComponentType } from 'preact';
import { link, path } from '../../address/router.ts';
import { SETTINGS, type SettingsPart } from '../../address/routes.ts';
import { PageHead } from '../../app/page.tsx';
import { About } from './about.tsx';
import { Audit } from './audit.tsx';
import { Display } from './display.tsx';
import { Keys } from './keys.tsx';
import { Secrets } from './secrets.tsx';
import { Subscriptions } from './subscriptions.tsx';

const PARTS: { readonly [Part in SettingsPart]: ComponentType } = {
  display: Display,
  keys: Keys,
  secrets: Secrets,
  subscriptions: Subscriptions,
  audit: Audit,
  about: About,
};

/** Of this device, and of the server where somebody may administer it. */
export function Settings() {
  const named = path.value.split('/')[2] ?? '';
  const chosen = SETTINGS.find((one) => one === named) ?? 'display';
  const Shown = PARTS[chosen];
  return (
    <>
      <PageHead title={`Settings: ${chosen}`} said="Settings" />
      <nav class="row" aria-label="Parts of the settings">
        {SETTINGS.map((name) => (
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
