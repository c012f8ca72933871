import { useState } from 'preact/hooks';
import { isObject, type JsonObject, withoutKeys } from '../../../src/model/json.ts';
import { part } from '../../api/calls.ts';
import { useResource } from '../../live/resource.ts';
import { ActButton, Button } from '../../parts/action.tsx';
import { EntryDialog } from '../../parts/entry-dialog.tsx';
import { Chip } from '../../parts/glyph.tsx';
import { ListState, Table } from '../../parts/list.tsx';
import { Text, Time } from '../../parts/said.tsx';
import { objectsOf, textOf, textOrNull } from '../../picture/standing.ts';

/** Keys that the server gives itself. */
const GIVEN = ['id', 'created_at', 'updated_at', 'created_by', 'disabled_reason', 'owed', 'failing', 'last'];
const NEW: JsonObject = { url: 'https://', events: ['workflow.*'] };

/** Who is told what happens to workflows. */
export function Subscriptions() {
  const list = useResource('v1/subscriptions?limit=200');
  const [editing, edit] = useState<JsonObject | null>(null);
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
          { title: 'Changed', cell: (one) => <Time at={textOrNull(one['updated_at'])} /> },
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
                <ActButton look="tiny danger" needs="admin" asked={{ path: at(one), method: 'DELETE' }} done={again}>
                  Delete
                </ActButton>
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
    </section>
  );
}
