import { useState } from 'preact/hooks';
import { isObject } from '../../src/model/json.ts';
import { plain } from '../address/pages.ts';
import { link, query } from '../address/router.ts';
import { can, operations, part } from '../api/calls.ts';
import { PageHead } from '../app/page.tsx';
import { areRead, useResource } from '../live/resource.ts';
import { usePolling } from '../live/stream.ts';
import { Button } from '../parts/action.tsx';
import { EntryDialog } from '../parts/entry-dialog.tsx';
import { Chip } from '../parts/glyph.tsx';
import { Complaints, ListState, Table } from '../parts/list.tsx';
import { Missing } from '../parts/problem.tsx';
import { Text, Time } from '../parts/said.tsx';
import { objectsOf, textOf, textOrNull } from '../picture/standing.ts';

const LOOKED = 1_000;
type Known = { open: number; failed: number; failing: number; oldest: string; readonly urls: Set<string> };

/** Who is asked now: counted over the open workitems. */
export function Participants() {
  const list = useResource(`v1/workitems?limit=${LOOKED}`);
  usePolling(() => void list.again(), 5_000);
  const registers = can('GET /v1/participants');
  const registry = useResource(registers ? `v1/participants?limit=${LOOKED}` : null);
  const registered = isObject(registry.value.value) ? objectsOf(registry.value.value['participants']) : [];
  const [registering, register] = useState(false);
  const value = list.value.value;
  const names = new Map<string, Known>();
  for (const one of isObject(value) ? objectsOf(value['workitems']) : []) {
    const name = textOf(one['participant']);
    const opened = textOf(one['opened_at']);
    const known = names.get(name) ?? { open: 0, failed: 0, failing: 0, oldest: opened, urls: new Set<string>() };
    const callback = isObject(one['callback']) ? one['callback'] : {};
    if (one['status'] === 'failed') known.failed += 1;
    else known.open += 1;
    if (Number(callback['tries'] ?? 0) > 0 && callback['owed'] !== null) known.failing += 1;
    if (opened < known.oldest) known.oldest = opened;
    if (textOf(callback['url']) !== '') known.urls.add(textOf(callback['url']));
    names.set(name, known);
  }
  return (
    <>
      <PageHead title="Participants">
        {registers && (
          <Button look="primary" needs="admin" onPress={() => register(true)}>
            Register…
          </Button>
        )}
      </PageHead>
      {registering && (
        <EntryDialog
          title="Register a participant"
          about="Where launches need not say where it is. kind: callback, http, person or service; url; and others (docs/api-v1.md, Participants)."
          value={{ kind: 'callback', url: 'https://' }}
          named="Name, or a pattern such as /^fax_/"
          verb="Register it"
          make={(body, name) => ({ path: `v1/participants/${part(name)}`, method: 'PUT', body })}
          close={() => register(false)}
          done={() => registry.again()}
        />
      )}
      <Complaints of={plain.read(query.value).complaints} />
      <p class="small dim">Participants with open workitems now, at most the first {LOOKED} of these.</p>
      {operations.value !== null && !registers && (
        <Missing what="Who is registered cannot be listed." call="GET /v1/participants" />
      )}
      <ListState list={list} count={names.size} empty="Nobody is asked for anything" />
      <Table
        rows={[...names]}
        keyOf={([name]) => name}
        columns={[
          {
            title: 'Participant',
            cell: ([name]) => (
              <a href={link(`/participants/${encodeURIComponent(name)}`)}>
                <Text text={name} />
              </a>
            ),
          },
          { title: 'Open', look: 'number', cell: ([, one]) => one.open },
          { title: 'Failed', look: 'number', cell: ([, one]) => one.failed },
          { title: 'Failing callbacks', look: 'number', cell: ([, one]) => one.failing },
          { title: 'Oldest', cell: ([, one]) => <Time at={one.oldest} /> },
          {
            title: 'Where',
            look: 'mono small',
            cell: ([, one]) => <Text text={[...one.urls].slice(0, 3).join(' ')} />,
          },
        ]}
      />
      {registers && areRead(list) && (
        <section class="stack" aria-label="Registered">
          <h2>Registered</h2>
          <ListState
            list={registry}
            count={registered.length}
            empty="Nobody is registered"
            about="Launches and definitions may say where participants are; one that is registered here is known to all of them by its name."
          />
          <Table
            rows={registered}
            keyOf={(one) => textOf(one['name'])}
            columns={[
              {
                title: 'Name',
                cell: (one) => (
                  <a href={link(`/participants/${encodeURIComponent(textOf(one['name']))}`)}>
                    <Text text={textOf(one['name'])} />
                  </a>
                ),
              },
              { title: 'Kind', cell: (one) => <Text text={textOf(one['kind'])} /> },
              {
                title: 'State',
                cell: (one) =>
                  one['enabled'] === false ? (
                    <Chip state="paused" word="switched off" />
                  ) : (
                    <Chip state="delivered" word="on" />
                  ),
              },
              { title: 'Where', look: 'mono small', cell: (one) => <Text text={textOf(one['url'])} /> },
              { title: 'What it is', cell: (one) => <Text text={textOf(one['description'])} /> },
              { title: 'Changed', cell: (one) => <Time at={textOrNull(one['updated_at'])} /> },
            ]}
          />
        </section>
      )}
    </>
  );
}
