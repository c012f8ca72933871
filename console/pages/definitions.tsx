import { useEffect, useState } from 'preact/hooks';
import { isObject } from '../../src/model/json.ts';
import { link } from '../address/router.ts';
import { can } from '../api/calls.ts';
import { PageHead } from '../app/page.tsx';
import { useResource } from '../live/resource.ts';
import { EXAMPLES } from '../parts/examples.ts';
import { ListState, Table } from '../parts/list.tsx';
import { Missing } from '../parts/problem.tsx';
import type { Recipe } from '../parts/recipes.ts';
import { Text, Time } from '../parts/said.tsx';
import { objectsOf, textOf, textOrNull } from '../picture/standing.ts';

/** Workflows that are looked through for names. */
const LOOKED = 1_000;

/** Definitions: what has been launched lately, by name; stored ones where the server keeps them. */
export function Definitions() {
  const [recipes, setRecipes] = useState<readonly Recipe[]>([]);
  useEffect(() => {
    void import('../parts/recipes.ts').then(({ RECIPES }) => setRecipes(RECIPES));
  }, []);
  const there = can('GET /v1/definitions');
  const stored = useResource(there ? 'v1/definitions?limit=200' : null);
  const kept = isObject(stored.value.value) ? objectsOf(stored.value.value['definitions']) : [];
  const seen = useResource(`v1/workflows?limit=${LOOKED}`);
  const names = new Map<string, { all: number; live: number; wrong: number }>();
  for (const one of isObject(seen.value.value) ? objectsOf(seen.value.value['workflows']) : []) {
    const name = textOf(one['name']) || '(without a name)';
    const known = names.get(name) ?? { all: 0, live: 0, wrong: 0 };
    known.all += 1;
    if (one['ended_at'] === null) known.live += 1;
    if (one['status'] === 'error') known.wrong += 1;
    names.set(name, known);
  }
  return (
    <>
      <PageHead title="Definitions">
        <a class="button primary" href={link('/definitions/edit')}>
          Write one…
        </a>
      </PageHead>
      {!there && <Missing what="Stored definitions and their versions cannot be listed." call="GET /v1/definitions" />}
      {there && (
        <section class="stack" aria-label="Stored">
          <h2>Stored</h2>
          <ListState
            list={stored}
            count={kept.length}
            empty="Nothing is stored yet"
            about="A definition that is saved here has a name and versions, and is launched by its name."
          />
          <Table
            rows={kept}
            keyOf={(one) => textOf(one['name'])}
            columns={[
              {
                title: 'Name',
                cell: (one) => (
                  <a href={link(`/definitions/${textOf(one['name'])}`)}>
                    <Text text={textOf(one['name'])} />
                  </a>
                ),
              },
              { title: 'Version', look: 'number', cell: (one) => String(one['version'] ?? '') },
              { title: 'Format', cell: (one) => <Text text={textOf(one['format'])} /> },
              { title: 'What it is', cell: (one) => <Text text={textOf(one['description'])} /> },
              { title: 'Changed', cell: (one) => <Time at={textOrNull(one['updated_at'])} /> },
              {
                title: 'Do',
                look: 'act',
                cell: (one) => (
                  <a class="button tiny" href={link(`/workflows/new?definition=${textOf(one['name'])}`)}>
                    Launch…
                  </a>
                ),
              },
            ]}
          />
        </section>
      )}
      <section class="stack" aria-label="Launched lately">
        <h2>Launched lately</h2>
        <p class="small dim">Names of the last {LOOKED} workflows.</p>
        <ListState list={seen} count={names.size} empty="Nothing was launched yet" />
        <Table
          rows={[...names]}
          keyOf={([name]) => name}
          columns={[
            {
              title: 'Name',
              cell: ([name]) => (
                <a href={link(`/workflows?name=${encodeURIComponent(name)}`)}>
                  <Text text={name} />
                </a>
              ),
            },
            { title: 'Launched', look: 'number', cell: ([, count]) => count.all },
            { title: 'Live', look: 'number', cell: ([, count]) => count.live },
            { title: 'In error', look: 'number', cell: ([, count]) => count.wrong },
          ]}
        />
      </section>
      <section class="stack" aria-label="Templates">
        <h2>Templates</h2>
        <div class="row">
          {Object.keys(EXAMPLES).map((name) => (
            <a key={name} class="button tiny" href={link(`/workflows/new?example=${name}`)}>
              Launch {name}
            </a>
          ))}
        </div>
        <ul class="cards">
          {recipes.map(({ name, title, about }) => (
            <li key={name}>
              <a class="panel" href={link(`/definitions/edit?recipe=${name}`)}>
                <b>
                  <Text text={title} />
                </b>
                <p class="small dim">
                  <Text text={about} />
                </p>
              </a>
            </li>
          ))}
        </ul>
      </section>
    </>
  );
}
