import { signal } from '@preact/signals';
import type { ComponentChildren, ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { isObject, type Json } from '../../src/model/json.ts';
import { followLinks, go, goTenant, isLoopbackPage, link, path, place } from '../address/router.ts';
import { tenant, tenantIn } from '../address/tenant.ts';
import {
  type Answer,
  call,
  can,
  learnOperations,
  newerVersion,
  operations,
  reached,
  signInWanted,
  unreachableSince,
} from '../api/calls.ts';
import { me, signedIn, signOut } from '../api/session.ts';
import { ahead, now, serverSays } from '../live/now.ts';
import { useResource } from '../live/resource.ts';
import { freshness, usePolling } from '../live/stream.ts';
import { Button, Dialog } from '../parts/action.tsx';
import { Glyph, Mark } from '../parts/glyph.tsx';
import { Text } from '../parts/said.tsx';
import { countText, spanText, timeText } from '../parts/texts.ts';
import { Toasts } from '../parts/toast.tsx';
import { COUNTED } from './counts.ts';
import { ENTRIES, type Entry } from './entries.ts';
import { Help } from './help.tsx';
import { listenForKeys } from './keys.ts';
import { lastsIn, VIEWS_MAX } from './lasts-model.ts';
import { Palette } from './palette.tsx';
import { helpOpen, paletteOpen } from './palette-state.ts';
import { draftsKept, forgetDrafts, forgetKept, hours, keptText, theme, zone, zoneName } from './settings.ts';
import { SignInForm } from './sign-in.tsx';

/* What is around every page: the rail, the find box, how fresh the page is, the zone. */

/** Counts in the rail are as fresh as this at least, in milliseconds. */
const COUNTED_EVERY_MS = 5_000;
/** A server that does not answer is asked again this often, in milliseconds. */
const PROBED_EVERY_MS = 5_000;
/** Where in the figures of the server the count of an entry is. */
const COUNTS: { readonly [to: string]: readonly [string, string?] } = {
  '/worklist': ['workitems', 'open'],
  '/errors': ['errors'],
  '/deliveries': ['messages', 'failing'],
};

function Count({
  of,
  stats,
}: {
  readonly of: readonly [string, string?] | undefined;
  readonly stats: Json | undefined;
}) {
  if (of === undefined || !isObject(stats)) return null;
  const group = stats[of[0]];
  const count = of[1] === undefined ? group : isObject(group) ? group[of[1]] : null;
  if (typeof count !== 'number' || count === 0) return null;
  return (
    <span class={`chip count ${of[0] === 'errors' ? 'failed' : ''}`}>
      {of[0] === 'errors' && '✖ '}
      {countText(count)}
    </span>
  );
}

const isHere = (to: string): boolean => (to === '/' ? path.value === '/' : path.value.startsWith(to));

export function Frame({
  asked,
  children,
}: {
  /** What the server says of who this is. */
  readonly asked: Promise<Answer>;
  readonly children: ComponentChildren;
}) {
  useEffect(() => {
    // Nobody is signed in yet: there first, then back to this page.
    void asked.then((answer) => {
      if (answer.ok || answer.problem.status !== 401 || path.value === '/signin') return;
      signInWanted.value = false;
      const { path: at, query, hash } = place.value;
      const next = `${at}${query === '' ? '' : `?${query}`}${hash === '' ? '' : `#${hash}`}`;
      go(`/signin${next === '/' ? '' : `?next=${encodeURIComponent(next)}`}`, 'replace');
    });
    document.addEventListener('click', followLinks);
    const stop = listenForKeys();
    return () => {
      document.removeEventListener('click', followLinks);
      stop();
    };
  }, []);
  useEffect(() => {
    if (me.value === null) return;
    void learnOperations();
  }, [me.value, signedIn.value]);
  const stats = useResource(me.value !== null && can('GET /v1/stats') ? COUNTED : null);
  usePolling(() => void stats.again(), COUNTED_EVERY_MS);
  // A page that asks for nothing would not see that the server is back.
  useEffect(() => {
    if (reached.value !== 'no') return;
    const timer = setInterval(() => void call('v1/info'), PROBED_EVERY_MS);
    return () => clearInterval(timer);
  }, [reached.value]);
  useEffect(() => {
    const { value } = stats.value;
    if (isObject(value)) serverSays(Date.parse(String(value['now'])));
  }, [stats.value.value]);
  if (path.value === '/signin')
    return (
      <main id="main" tabIndex={-1}>
        {children}
      </main>
    );
  const entries = ENTRIES.filter((one) => one.needs === undefined || operations.value === null || can(one.needs));
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById('main')?.focus()}>
        Skip to the page
      </button>
      <div class={reached.value === 'no' ? 'frame offline' : 'frame'}>
        <nav class="rail" aria-label="Pages">
          <a class="mark" href={link('/')}>
            <Mark /> Rota
          </a>
          <ul>
            {entries.map(({ to, word }) => (
              <li key={to}>
                <a href={link(to)} aria-current={isHere(to) ? 'page' : undefined}>
                  {word}
                  <Count of={COUNTS[to]} stats={stats.value.value} />
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <div>
          <Top />
          <Banners />
          <main id="main" tabIndex={-1}>
            {children}
          </main>
        </div>
      </div>
      {isNarrow.value && <Bottom entries={entries} stats={stats.value.value} />}
      <Toasts />
      {paletteOpen.value && <Palette />}
      {helpOpen.value && <Help />}
      {signInWanted.value && me.value !== null && <SessionOver />}
    </>
  );
}

/** On top of the page, so that nothing that was typed is lost. */
const SessionOver = () => (
  <Dialog
    title="Sign in again"
    close={() => {
      signInWanted.value = false;
    }}
  >
    <p>The session is over, or its key was revoked. What you have typed is still here.</p>
    <SignInForm done={() => {}} />
  </Dialog>
);

/** Whose workflows are looked at, where they may be those of several tenants. */
function TenantChooser({ here }: { readonly here: string }) {
  const [typed, type] = useState<string | null>(null);
  if (typed === null)
    return (
      <Button look="tiny" label={`Tenant: ${here}: change`} onPress={() => type(tenant.value ?? '')}>
        <Text text={here} />
      </Button>
    );
  const wrong = typed.trim() !== '' && tenantIn(typed.trim()) === null;
  return (
    <form
      class="row"
      onSubmit={(event) => {
        event.preventDefault();
        if (!wrong) goTenant(tenantIn(typed.trim()));
      }}
    >
      <label class="row">
        <span class="unseen">Tenant; empty: default</span>
        <input
          class="narrow"
          // It was asked for just now.
          ref={(field) => field?.focus()}
          maxLength={63}
          placeholder="default"
          aria-invalid={wrong ? 'true' : undefined}
          value={typed}
          onInput={(event) => type(event.currentTarget.value)}
        />
      </label>
      <Button type="submit" look="tiny" why={wrong ? 'small letters, digits and dashes' : null}>
        Go there
      </Button>
    </form>
  );
}

function Who() {
  const who = me.value;
  if (who === null) return null;
  if (who.kind === 'open')
    return (
      <span class="row who">
        <span class="chip" title="This server asks nobody who they are; it answers this machine alone">
          {isLoopbackPage ? 'open, loopback only' : 'open'}
        </span>
        {tenant.value !== null && <TenantChooser here={who.tenant} />}
      </span>
    );
  return (
    <span class="row who">
      <a class="chip" href={link('/settings/keys')} title={`Scopes: ${who.scopes.join(', ')}`}>
        <Text text={who.name ?? who.id ?? who.kind} />
        {who.tenant !== 'default' && !who.everywhere && (
          <span>
            {' '}
            · <Text text={who.tenant} />
          </span>
        )}
      </a>
      {who.everywhere && <TenantChooser here={who.tenant} />}
      <SignOut />
    </span>
  );
}

/** Signs out at once, unless something goes with it that was typed on this device and not sent, or named here. */
function SignOut() {
  const [asking, ask] = useState<readonly string[]>([]);
  const leave = async (): Promise<void> => {
    const answer = await signOut();
    if (!answer.ok) return;
    forgetDrafts(() => true);
    forgetKept();
    // A fresh document: nothing of what was read stays in this one.
    window.location.assign(link('/signin'));
  };
  return (
    <>
      <Button
        look="tiny"
        onPress={() => {
          const lost = [
            counted(draftsKept(), 'text that was not sent', 'texts that were not sent'),
            counted(lastsIn(keptText('views'), VIEWS_MAX).length, 'view of lists', 'views of lists'),
          ].filter((one) => one !== '');
          if (lost.length === 0) void leave();
          else ask(lost);
        }}
      >
        Sign out
      </Button>
      {asking.length > 0 && (
        <Dialog title="Sign out of this device" close={() => ask([])}>
          <p>{asking.join(' and ')} that this device keeps for you will be forgotten.</p>
          <div class="row">
            <Button look="danger" onPress={() => void leave()}>
              Sign out and forget
            </Button>
            <Button onPress={() => ask([])}>Stay</Button>
          </div>
        </Dialog>
      )}
    </>
  );
}
const counted = (count: number, one: string, more: string): string =>
  count === 0 ? '' : `${countText(count)} ${count === 1 ? one : more}`;

function Top() {
  return (
    <header class="top">
      <button
        type="button"
        class="find"
        aria-haspopup="dialog"
        onClick={() => {
          paletteOpen.value = true;
        }}
      >
        <span>Find or paste an id, a name, a command</span> <kbd>Ctrl K</kbd>
      </button>
      <div class="rest">
        <Freshness />
        <Who />
        <button
          type="button"
          class="button tiny zone"
          aria-label={`Times are shown in ${zoneName()}: change`}
          onClick={() => {
            zone.value = zone.value === 'UTC' ? 'local' : 'UTC';
          }}
        >
          {zoneName()}
        </button>
        <button
          type="button"
          class="button tiny theme"
          aria-label={`Theme: ${theme.value}: change`}
          onClick={() => {
            theme.value = theme.value === 'system' ? 'dark' : theme.value === 'dark' ? 'light' : 'system';
          }}
        >
          {theme.value === 'system' ? '◐' : theme.value === 'dark' ? '●' : '○'}
        </button>
      </div>
    </header>
  );
}

function Freshness() {
  if (reached.value === 'no' && unreachableSince.value !== null)
    return (
      <span class="chip failed">
        ✕ Offline since {timeText(unreachableSince.value, now.value - ahead.value, zone.value, hours.value)}
      </span>
    );
  switch (freshness.value) {
    case 'live':
      return <span class="chip done">● Live</span>;
    case 'catching up':
      return <span class="chip waits">◐ Catching up</span>;
    case 'polling':
      return <span class="chip">○ Every 5 s</span>;
    default:
      return <span class="chip">As loaded</span>;
  }
}

function Banners() {
  return (
    <>
      {newerVersion.value && (
        <div class="banner" role="status">
          A newer version runs here.
          <Button look="tiny" onPress={() => window.location.reload()}>
            Reload
          </Button>
        </div>
      )}
      {Math.abs(ahead.value) > 60_000 && (
        <div class="banner" role="status">
          The clock of the server is {spanText(Math.abs(ahead.value))} {ahead.value > 0 ? 'ahead of' : 'behind'} this
          machine's: a test clock was moved.
        </div>
      )}
      {reached.value === 'no' && (
        <div class="banner" role="status">
          The server does not answer. What is shown is as it was; nothing can be done until it is back.
        </div>
      )}
    </>
  );
}

/** Whether there is no room for the rail: then its pages are in a bar at the bottom (styles/base.css). */
const narrow = window.matchMedia('(max-width: 899px)');
const isNarrow = signal(narrow.matches);
narrow.addEventListener('change', ({ matches }) => {
  isNarrow.value = matches;
});

/** What the bar at the bottom of a narrow screen has room for, each with a sign. */
const FIRST: { readonly [to: string]: string } = {
  '/': 'home',
  '/workflows': 'list',
  '/worklist': 'work',
  '/errors': 'warn',
};
function Bottom({ entries, stats }: { readonly entries: readonly Entry[]; readonly stats: Json | undefined }) {
  const item = ({ to, word }: Entry) => (
    <a key={to} href={link(to)} aria-current={isHere(to) ? 'page' : undefined}>
      {FIRST[to] !== undefined && <Glyph name={FIRST[to]} size={20} />}
      {word}
      <Count of={COUNTS[to]} stats={stats} />
    </a>
  );
  const [open, setOpen] = useState(false);
  useEffect(() => setOpen(false), [path.value]);
  const rest = entries.filter(({ to }) => FIRST[to] === undefined);
  return (
    <nav class="bottom" aria-label="Pages, short">
      {entries.filter(({ to }) => FIRST[to] !== undefined).map(item)}
      <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary class={rest.some(({ to }) => isHere(to)) ? 'here' : ''}>
          <Glyph name="more" size={20} />
          More
        </summary>
        <ul>
          {rest.map((one) => (
            <li key={one.to}>{item(one)}</li>
          ))}
          <li>
            <Who />
          </li>
        </ul>
      </details>
    </nav>
  );
}

/** A page that is loaded when it is first wanted. */
export function Lazy({ load }: { readonly load: () => Promise<ComponentType> }) {
  const [Page, setPage] = useState<ComponentType | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    let gone = false;
    load().then(
      (loaded) => gone || setPage(() => loaded),
      () => gone || setFailed(true),
    );
    return () => {
      gone = true;
    };
  }, [load]);
  if (failed)
    return (
      <div class="problem" role="alert">
        <p>This page could not be loaded: a newer version may run here, or the server does not answer.</p>
        <Button onPress={() => window.location.reload()}>Reload</Button>
      </div>
    );
  // What a page may do depends on who looks at it.
  return Page === null || (me.value === null && path.value !== '/signin') ? <div class="skeleton" /> : <Page />;
}
