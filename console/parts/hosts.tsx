import type { JsonObject } from '../../src/model/json.ts';
import { link } from '../address/router.ts';
import { objectsOf, textOf, textOrNull } from '../picture/standing.ts';
import { Chip } from './glyph.tsx';
import { Table } from './list.tsx';
import { Text, Time } from './said.tsx';
import { countText } from './texts.ts';

const inMs = (value: unknown): string => (typeof value === 'number' ? `${countText(Math.round(value))} ms` : '–');

/** The hosts that one node sends to, the worst first, as `GET /v1/stats` tells them; nothing where it tells none. */
export function Hosts({ of }: { readonly of: JsonObject }) {
  const hosts = objectsOf(of['hosts'] ?? null);
  if (hosts.length === 0) return null;
  return (
    <section class="stack" aria-label="Hosts">
      <h2>Hosts this node sends to</h2>
      <Table
        rows={hosts}
        keyOf={(one) => textOf(one['host'])}
        columns={[
          {
            title: 'Host',
            look: 'mono',
            cell: (one) => (
              <a href={link(`/deliveries?host=${encodeURIComponent(textOf(one['host']))}`)}>
                <Text text={textOf(one['host'])} />
              </a>
            ),
          },
          {
            title: 'State',
            cell: (one) =>
              one['breaker'] === 'open' ? (
                <Chip state="failed" word="left alone" />
              ) : one['failing_since'] === null ? (
                <Chip state="delivered" word="answers" />
              ) : (
                <Chip state="failing" word="failing" />
              ),
          },
          { title: 'Failing since', cell: (one) => <Time at={textOrNull(one['failing_since'])} /> },
          { title: 'Tries', look: 'number', cell: (one) => countText(Number(one['tries'] ?? 0)) },
          { title: 'Under way', look: 'number', cell: (one) => countText(Number(one['in_flight'] ?? 0)) },
          {
            title: 'In a minute',
            look: 'number',
            cell: (one) => (typeof one['per_minute'] === 'number' ? countText(one['per_minute']) : '–'),
          },
          { title: 'Half within', look: 'number', cell: (one) => inMs(one['p50_ms']) },
          { title: '95 % within', look: 'number', cell: (one) => inMs(one['p95_ms']) },
        ]}
      />
    </section>
  );
}
