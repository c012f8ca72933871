import { isObject, type Json } from '../../../src/model/json.ts';
import { apiRoot } from '../../address/router.ts';
import { useResource } from '../../live/resource.ts';
import { JsonView } from '../../parts/json.tsx';
import { LICENCES } from '../../parts/licences.ts';
import { ProblemNote } from '../../parts/problem.tsx';
import { Text } from '../../parts/said.tsx';

/** What this server is. */
export function About() {
  const info = useResource('v1/info');
  const { value } = info.value;
  const at = (path: string): string => new URL(path, apiRoot).href;
  return (
    <section class="panel stack" aria-label="About">
      <h2>About</h2>
      {info.problem.value !== null && <ProblemNote problem={info.problem.value} />}
      {isObject(value) && (
        <>
          <dl class="facts">
            {Object.entries(value)
              .filter(([, one]) => typeof one !== 'object')
              .map(([name, one]) => (
                <>
                  <dt>{name.replaceAll('_', ' ')}</dt>
                  <dd>
                    <Text text={one === true ? 'yes' : one === false ? 'no' : String(one)} />
                  </dd>
                </>
              ))}
          </dl>
          {Array.isArray(value['warnings']) && value['warnings'].length > 0 && (
            <ul class="note warn">
              {(value['warnings'] as readonly Json[]).map((one) => (
                <li key={String(one)}>
                  <Text text={typeof one === 'string' ? one : JSON.stringify(one)} />
                </li>
              ))}
            </ul>
          )}
          <details>
            <summary>Licences</summary>
            <p>Rota is under the MIT licence. These pages contain, each under its own:</p>
            <ul class="mono small">
              {Object.entries(LICENCES).map(([name, licence]) => (
                <li key={name}>
                  {name}: {licence}
                </li>
              ))}
            </ul>
          </details>
          <details>
            <summary>Limits, retention and features</summary>
            <JsonView value={value} label="What the server says of itself" />
          </details>
        </>
      )}
      <p>
        <a href={at('docs/manual/index.html')}>The manual</a>; the interface: <a href={at('docs')}>/docs</a>,{' '}
        <a href={at('openapi.json')}>/openapi.json</a>
      </p>
    </section>
  );
}
