import { useMemo } from 'preact/hooks';
import { isObject } from '../../../src/model/json.ts';
import { audit as codec } from '../../address/pages.ts';
import { apiRoot, goQuery, query } from '../../address/router.ts';
import { curlOf } from '../../api/curl.ts';
import { useResource } from '../../live/resource.ts';
import { Chip } from '../../parts/glyph.tsx';
import { Complaints, Filters, ListState, Older, Table, TextFilter } from '../../parts/list.tsx';
import { Copy, Text, Time } from '../../parts/said.tsx';
import { objectsOf, textOf, textOrNull } from '../../picture/standing.ts';

const LIMIT = 200;

/** What was done to the server, and by whom. */
export function Audit() {
  const { state, complaints } = codec.read(query.value);
  const asked = useMemo(() => {
    const search = new URLSearchParams({ limit: String(LIMIT) });
    for (const name of ['action', 'actor', 'from', 'to'] as const)
      if (state[name] !== '') search.set(name, state[name]);
    if (state.cursor !== '') search.set('cursor', state.cursor);
    return `v1/audit?${search}`;
  }, [query.value]);
  const list = useResource(asked);
  const { value } = list.value;
  const rows = isObject(value) ? objectsOf(value['audit']) : [];
  const filtered = codec.write(state) !== '';
  return (
    <section class="stack" aria-label="Audit">
      <h2>Audit</h2>
      <Complaints of={complaints} />
      <Filters>
        {(['action', 'actor', 'from', 'to'] as const).map((name) => (
          <TextFilter
            key={name}
            title={name.charAt(0).toUpperCase() + name.slice(1)}
            value={state[name]}
            set={(text) => goQuery(codec.write({ ...state, cursor: '', [name]: text }))}
          />
        ))}
        <Copy
          what="Copy as curl, all of it"
          text={`${curlOf('GET', new URL(asked, apiRoot).href)} -H 'Accept: application/x-ndjson'`}
        />
      </Filters>
      <ListState
        list={list}
        count={rows.length}
        empty={filtered ? 'Nothing of that was done' : 'Nothing was done to the server yet'}
        all={filtered ? '/settings/audit' : null}
      />
      <Table
        rows={rows}
        keyOf={(one) => textOf(one['id'])}
        columns={[
          { title: 'At', hasClock: true, cell: (one) => <Time at={textOrNull(one['at'])} how="both" /> },
          { title: 'Who', look: 'mono small', cell: (one) => <Text text={textOf(one['actor']) || 'nobody'} /> },
          { title: 'From', look: 'mono small', cell: (one) => <Text text={textOf(one['address'])} /> },
          { title: 'What', cell: (one) => <Text text={textOf(one['action'])} /> },
          { title: 'To what', look: 'mono small', cell: (one) => <Text text={textOf(one['object'])} /> },
          {
            title: 'Outcome',
            cell: (one) => (
              <Chip state={one['outcome'] === 'done' ? 'delivered' : 'failed'} word={textOf(one['outcome'])} />
            ),
          },
          { title: 'Why', cell: (one) => <Text text={textOf(one['reason'])} /> },
        ]}
      />
      <Older
        value={value}
        cursor={state.cursor}
        word="Older"
        set={(cursor) => goQuery(codec.write({ ...state, cursor }))}
      />
    </section>
  );
}
