import { isObject } from '../../src/model/json.ts';
import { link } from '../address/router.ts';
import { can } from '../api/calls.ts';
import { PageHead } from '../app/page.tsx';
import { useResource } from '../live/resource.ts';
import { EXAMPLES } from '../parts/examples.ts';
import { Empty, Missing, ProblemNote } from '../parts/problem.tsx';
import { Text } from '../parts/said.tsx';
import { objectsOf, textOf } from '../picture/standing.ts';

/** Workflows that are looked through for names. */
const LOOKED = 1_000;

/** Definitions: what has been launched lately, by name; stored ones where the server keeps them. */
export function Definitions() {
  const there = can('GET /v1/definitions');
  const stored = useResource(there ? 'v1/definitions?limit=200' : null);
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
      {stored.problem.value !== null && <ProblemNote problem={stored.problem.value} />}
      {isObject(stored.value.value) && (
        <section class="stack" aria-label="Stored">
          <h2>Stored</h2>
          <ul class="cards">
            {objectsOf(stored.value.value['definitions']).map((one) => (
              <li key={textOf(one['name'])} class="panel row apart">
                <b>
                  <Text text={textOf(one['name'])} />
                </b>
                <span class="dim small">version {String(one['version'] ?? one['latest'] ?? '')}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
      <section class="stack" aria-label="Launched lately">
        <h2>Launched lately</h2>
        <p class="small dim">Names of the last {LOOKED} workflows.</p>
        {seen.problem.value !== null && <ProblemNote problem={seen.problem.value} again={() => void seen.again()} />}
        {seen.value.value !== undefined && names.size === 0 && <Empty title="Nothing was launched yet" />}
        {names.size > 0 && (
          <div class="scroll">
            <table>
              <thead>
                <tr>
                  <th scope="col">Name</th>
                  <th scope="col">Launched</th>
                  <th scope="col">Live</th>
                  <th scope="col">In error</th>
                </tr>
              </thead>
              <tbody>
                {[...names].map(([name, count]) => (
                  <tr key={name}>
                    <td>
                      <a href={link(`/workflows?name=${encodeURIComponent(name)}`)}>
                        <Text text={name} />
                      </a>
                    </td>
                    <td class="number">{count.all}</td>
                    <td class="number">{count.live}</td>
                    <td class="number">{count.wrong}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </section>
      <section class="stack" aria-label="Examples">
        <h2>Examples</h2>
        <div class="row">
          {Object.keys(EXAMPLES).map((name) => (
            <a key={name} class="button" href={link(`/workflows/new?example=${name}`)}>
              Launch {name}
            </a>
          ))}
        </div>
      </section>
    </>
  );
}
