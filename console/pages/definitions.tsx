import { useEffect, useState } from 'preact/hooks';
import { isObject } from '../../src/model/json.ts';
import { plain } from '../address/pages.ts';
import { link, query } from '../address/router.ts';
import { can, operations } from '../api/calls.ts';
import { PageHead } from '../app/page.tsx';
import { areRead, useResource } from '../live/resource.ts';
import { EXAMPLES } from '../parts/examples.ts';
import { Complaints, ListState, Table } from '../parts/list.tsx';
import { Missing } from '../parts/problem.tsx';
import type { Recipe } from '../parts/recipes.ts';
import { Text, Time } from '../parts/said.tsx';
import { countText } from '../parts/texts.ts';
import { objectsOf, textOf, textOrNull } from '../picture/standing.ts';

/** Definitions: those that are stored, and what was launched lately without being so. */
export function Definitions() {
  const [recipes, setRecipes] = useState<readonly Recipe[]>([]);
  useEffect(() => {
    void import('../parts/recipes.ts').then(({ RECIPES }) => setRecipes(RECIPES));
  }, []);
  const there = can('GET /v1/definitions');
  const stored = useResource(there ? 'v1/definitions?limit=200' : null);
  const kept = isObject(stored.value.value) ? objectsOf(stored.value.value['definitions']) : [];
  const seen = useResource(can('GET /v1/stats/definitions') ? 'v1/stats/definitions' : null);
  const figures = new Map(
    objectsOf(isObject(seen.value.value) ? (seen.value.value['stored'] ?? null) : null).map((one) => [
      textOf(one['name']),
      one,
    ]),
  );
  const isCounted = isObject(seen.value.value) && Array.isArray(seen.value.value['stored']);
  /** Of a definition that is not told there are none. */
  const countOf = (name: string, what: string): string =>
    isCounted ? countText(Number(figures.get(name)?.[what] ?? 0)) : '–';
  const isPart = isObject(seen.value.value) && seen.value.value['stored_complete'] === false;
  // What is stored stands above already.
  const inline = (isObject(seen.value.value) ? objectsOf(seen.value.value['definitions']) : []).filter(
    (one) => one['stored'] === null,
  );
  return (
    <>
      <PageHead title="Definitions">
        <a class="button primary" href={link('/definitions/edit')}>
          Write one…
        </a>
      </PageHead>
      <Complaints of={plain.read(query.value).complaints} />
      {operations.value !== null && !there && (
        <Missing what="Stored definitions and their versions cannot be listed." call="GET /v1/definitions" />
      )}
      {there && (
        <section class="stack" aria-label="Stored">
          <h2>Stored</h2>
          {isPart && (
            <p class="note warn small">There are more workflows than the server counts: at least so many live.</p>
          )}
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
              { title: 'Live', look: 'number', cell: (one) => countOf(textOf(one['name']), 'live') },
              { title: 'In error', look: 'number', cell: (one) => countOf(textOf(one['name']), 'failed') },
              {
                title: 'Launched in a day',
                look: 'number',
                cell: (one) => countOf(textOf(one['name']), 'launched_in_a_day'),
              },
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
      {operations.value !== null && areRead(stored) && (
        <section class="stack" aria-label="Seen inline">
          <h2>Seen inline</h2>
          <p class="small dim">
            Definitions that came with their launches in the last week. One that is kept has a name, and versions.
          </p>
          <ListState list={seen} count={inline.length} empty="Nothing was launched so in the last week" />
          <Table
            rows={inline}
            keyOf={(one) => `${textOf(one['hash'])} ${textOf(one['name'])}`}
            columns={[
              {
                title: 'Name',
                cell: (one) => (
                  <a href={link(`/workflows?definition=${textOf(one['hash']).slice(0, 16)}`)}>
                    <Text text={textOf(one['name']) || '(without a name)'} />
                  </a>
                ),
              },
              { title: 'Hash', look: 'mono small', cell: (one) => textOf(one['hash']).slice(0, 8) },
              { title: 'Launched', look: 'number', cell: (one) => countText(Number(one['launched'])) },
              { title: 'Live', look: 'number', cell: (one) => countText(Number(one['live'])) },
              { title: 'In error', look: 'number', cell: (one) => countText(Number(one['failed'])) },
              { title: 'Last', cell: (one) => <Time at={textOrNull(one['last_at'])} /> },
              {
                title: 'Do',
                look: 'act',
                cell: (one) => (
                  <span class="row">
                    <a class="button tiny" href={link(`/workflows/new?from=${textOf(one['workflow_id'])}`)}>
                      Launch…
                    </a>
                    <a class="button tiny" href={link(`/definitions/edit?from=${textOf(one['workflow_id'])}`)}>
                      Keep as…
                    </a>
                  </span>
                ),
              },
            ]}
          />
        </section>
      )}
      {operations.value !== null && areRead(stored, seen) && (
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
      )}
    </>
  );
}
