import { makeKey } from '../../src/identity/key-text.ts';
import { type Bench, fine, onFreshServer, type Result, whole } from '../support/bench.ts';
import { median } from '../support/statistics.ts';
import {
  costOf,
  hopP50,
  hopRatios,
  inTurns,
  middleOf,
  moreOf,
  ratios,
  roundsOf,
  type Sides,
  startsOf,
} from '../support/turns.ts';

/*
 * `--secure`: what a step costs on a server that strangers may call: with keys, tokens in proceed_url, signatures, rates and somebody who scrapes
 * its figures, in turns with one that has nothing of that, on one cluster.
 */

const SCRAPE_MS = 5_000;

export async function secureResults(bench: Bench): Promise<readonly Result[]> {
  const admin = makeKey().text;
  const guarded = { ADMIN_KEY: admin, RATE_LIMIT_KEY: '1000000/60', RATE_LIMIT_ADDRESS: '1000000/60' };
  const sides = await inTurns(bench, ([plain, secure], work) =>
    onFreshServer(bench, (open) =>
      onFreshServer(
        bench,
        async (guarding) => {
          // The first key of a tenant brings the secret with it that callbacks are signed with.
          const key = await makeKeyAt(guarding.rota.url, admin);
          const scraping = setInterval(() => {
            fetch(`${guarding.rota.url}/metrics`, { headers: { Authorization: `Bearer ${admin}` } })
              .then((response) => response.text())
              // A scrape that fails tells nothing of what a step costs.
              .catch(() => {});
          }, SCRAPE_MS);
          try {
            await work([
              { side: plain, place: open, authorization: null },
              { side: secure, place: guarding, authorization: `Bearer ${key}` },
            ]);
          } finally {
            clearInterval(scraping);
          }
        },
        guarded,
      ),
    ),
  );
  return resultsOf(bench, sides);
}

async function makeKeyAt(url: string, admin: string): Promise<string> {
  const response = await fetch(`${url}/v1/keys`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${admin}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ name: 'bench', scopes: ['launch', 'read'], tenant: 'default' }),
  });
  const { key } = (await response.json()) as { readonly key?: string };
  if (key === undefined) throw new Error(`The server made no key: ${response.status}`);
  return key;
}

function resultsOf(bench: Bench, sides: Sides): readonly Result[] {
  const [plain, secure] = sides;
  const more = median(ratios(sides)) - 1;
  const wal = middleOf(secure, ({ walBytes }) => walBytes);
  const refused = secure.costs.reduce((sum, { seen }) => sum + seen.refused, 0);
  // In slices the WAL of both is written at the same moments.
  const isApart = bench.slices === null;
  return [
    {
      goal: 13,
      what: 'CPU of a step with keys, tokens, signatures, rates and figures, against one without',
      figure: `${moreOf(ratios(sides))}: ${costOf(plain)} → ${costOf(secure)}`,
      wanted: '≤ 10 %, then 5 %',
      met: refused > 0 ? false : more <= 0.1,
      note: `${refused} refused; ${isApart ? '' : `starts: ${startsOf(sides)} %; `}rounds: ${roundsOf(sides)}`,
    },
    ...(isApart
      ? [
          {
            goal: 13,
            what: 'WAL of a step with all that',
            figure: `${whole(wal)} bytes (without: ${whole(middleOf(plain, ({ walBytes }) => walBytes))})`,
            wanted: '≤ 3,072 bytes',
            met: Number.isNaN(wal) ? null : wal <= 3_072,
          },
        ]
      : []),
    {
      goal: 13,
      what: 'proceed sent → next callback here with all that, one in flight',
      figure: `p50 ${fine(hopP50(secure))} ms (without: ${fine(hopP50(plain))} ms), ${moreOf(hopRatios(sides))}`,
      wanted: 'within 3 %',
      met: median(hopRatios(sides)) <= 1.03,
    },
  ];
}
