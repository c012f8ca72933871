import { useState } from 'preact/hooks';
import { isObject, type JsonObject, withoutKeys } from '../../../src/model/json.ts';
import { urlOf } from '../../../src/model/url.ts';
import { part } from '../../api/calls.ts';
import { useResource } from '../../live/resource.ts';
import { ActButton, Button } from '../../parts/action.tsx';
import { EntryDialog } from '../../parts/entry-dialog.tsx';
import { Chip } from '../../parts/glyph.tsx';
import { ListState, Table } from '../../parts/list.tsx';
import { ProblemNote } from '../../parts/problem.tsx';
import { Text, Time } from '../../parts/said.tsx';
import { countText } from '../../parts/texts.ts';
import { TypedDialog } from '../../parts/typed.tsx';
import { objectsOf, textOf, textOrNull } from '../../picture/standing.ts';

/** Keys that the server gives itself. */
const GIVEN = ['id', 'created_at', 'failing_since', 'disabled_reason'];
const NEW: JsonObject = { url: 'https://', events: ['workflow.*'] };

/** Who is told what happens to workflows. */
export function Subscriptions() {
  const list = useResource('v1/subscriptions?limit=200');
  const [editing, edit] = useState<JsonObject | null>(null);
  const [deleting, ask] = useState<JsonObject | null>(null);
  const all = isObject(list.value.value) ? objectsOf(list.value.value['subscriptions']) : [];
  const at = (one: JsonObject): string => `v1/subscriptions/${part(textOf(one['id']))}`;
  const again = (): Promise<void> => list.again();
  return (
    <section class="stack" aria-label="Subscriptions">
      <div class="row apart">
        <h2>Subscriptions</h2>
        <Button look="primary" needs="admin" onPress={() => edit({})}>
          New subscription…
        </Button>
      </div>
      <ListState list={list} count={all.length} empty="Nobody is told yet" />
      <Table
        rows={all}
        keyOf={(one) => textOf(one['id'])}
        columns={[
          {
            title: 'State',
            cell: (one) =>
              one['enabled'] === false ? (
                <Chip state="paused" word={textOf(one['disabled_reason']) || 'switched off'} />
              ) : (
                <Chip state="delivered" word="on" />
              ),
          },
          { title: 'To', look: 'mono small', cell: (one) => <Text text={textOf(one['url'])} /> },
          {
            title: 'Events',
            cell: (one) => (
              <Text text={Array.isArray(one['events']) ? (one['events'] as readonly string[]).join(', ') : ''} />
            ),
          },
          { title: 'What it is', cell: (one) => <Text text={textOf(one['description'])} /> },
          { title: 'Made', cell: (one) => <Time at={textOrNull(one['created_at'])} /> },
          {
            title: 'Do',
            look: 'act',
            cell: (one) => (
              <span class="row">
                <Button look="tiny" needs="admin" onPress={() => edit(one)}>
                  Edit…
                </Button>
                <ActButton look="tiny" needs="admin" asked={{ path: `${at(one)}/test`, body: {} }} done={again}>
                  Send a test
                </ActButton>
                <ActButton
                  look="tiny"
                  needs="admin"
                  asked={{ path: at(one), method: 'PATCH', body: { enabled: one['enabled'] === false } }}
                  done={again}
                >
                  {one['enabled'] === false ? 'Switch on' : 'Switch off'}
                </ActButton>
                <Button look="tiny danger" needs="admin" onPress={() => ask(one)}>
                  Delete…
                </Button>
              </span>
            ),
          },
        ]}
      />
      {editing !== null && (
        <EntryDialog
          title={editing['id'] === undefined ? 'New subscription' : 'Edit the subscription'}
          about="url and events; also filter, secret, headers, retry, ordered, fields, enabled, description. *** means what is there."
          value={editing['id'] === undefined ? NEW : withoutKeys(editing, ...GIVEN)}
          verb={editing['id'] === undefined ? 'Make it' : 'Save'}
          make={(body) =>
            editing['id'] === undefined
              ? { path: 'v1/subscriptions', body }
              : { path: at(editing), method: 'PATCH', body }
          }
          close={() => edit(null)}
          done={again}
        />
      )}
      {deleting !== null && (
        <TypedDialog
          title="Delete the subscription"
          word={hostOf(deleting)}
          verb="Delete it"
          path={at(deleting)}
          method="DELETE"
          close={() => ask(null)}
          done={async () => {
            ask(null);
            await again();
          }}
        >
          <Lost of={deleting} at={at(deleting)} />
        </TypedDialog>
      )}
    </section>
  );
}

/** What is lost with a subscription, and who misses it. */
function Lost({ of, at }: { readonly of: JsonObject; readonly at: string }) {
  const read = useResource(`${at}/deliveries?limit=${LOOKED_AT}`);
  const { value } = read.value;
  const told = isObject(value) ? objectsOf(value['deliveries']) : null;
  const owed = told?.filter(({ state }) => state === 'owed' || state === 'failing').length ?? 0;
  const hasMore = isObject(value) && typeof value['next_cursor'] === 'string';
  const last = told?.find((one) => one['state'] === 'delivered');
  return (
    <>
      <p>
        <span class="mono">
          <Text text={textOf(of['url'])} />
        </span>{' '}
        is told nothing any more. What happens meanwhile is not kept for it: another subscription begins with what
        happens after it was made.
      </p>
      {read.problem.value !== null && <ProblemNote problem={read.problem.value} again={() => void read.again()} />}
      <ul aria-live="polite">
        <li>
          {told === null
            ? 'How much is owed to it is being read…'
            : `${
                owed === 0
                  ? 'Nothing is owed to it'
                  : `${countText(owed)} ${owed === 1 ? 'event is' : 'events are'} owed to it and will not be sent`
              }${hasMore ? `, among the newest ${countText(LOOKED_AT)}` : ''}.`}
        </li>
        <li>
          {last === undefined || !isObject(last['last'] ?? null) ? (
            told === null ? (
              'When it was told last is being read…'
            ) : (
              'It has not taken anything of late.'
            )
          ) : (
            <>
              It took an event last <Time at={textOrNull((last['last'] as JsonObject)['at'])} how="both" />.
            </>
          )}
        </li>
        <li>A secret and headers of its own go with it: nobody can read them back.</li>
      </ul>
    </>
  );
}
/** Events that are looked at for what is owed. */
const LOOKED_AT = 100;

/** What is typed before it is deleted: the host, for an address is long. */
function hostOf(one: JsonObject): string {
  const url = textOf(one['url']);
  return urlOf(url)?.host ?? url;
}
