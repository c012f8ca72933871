import { makeKey } from '../../src/identity/key-text.ts';
import { type Bench, fine, onFreshServer, type Result, whole } from '../support/bench.ts';
import { median } from '../support/statistics.ts';
import { costOf, inTurns, middleOf, ratios, roundsOf, type Side, sideAt } from '../support/turns.ts';

/*
 * `--secure`: what a step costs on a server that strangers may call: with keys, tokens in proceed_url, signatures, rates and somebody who scrapes
 * its figures, in turns with one that has nothing of that, on one cluster.
 */

const SCRAPE_MS = 5_000;

export async function secureResults(bench: Bench): Promise<readonly Result[]> {
  const admin = makeKey().text;
  const guarded = { ADMIN_KEY: admin, RATE_LIMIT_KEY: '1000000/60', RATE_LIMIT_ADDRESS: '1000000/60' };
  return onFreshServer(bench, (plain) =>
    onFreshServer(
      bench,
      async (secure) => {
        // The first key of a tenant brings the secret with it that callbacks are signed with.
        const key = await makeKeyAt(secure.rota.url, admin);
        const sides = [sideAt(plain), sideAt(secure, `Bearer ${key}`)] as const;
        const scraping = setInterval(() => {
          fetch(`${secure.rota.url}/metrics`, { headers: { Authorization: `Bearer ${admin}` } })
            .then((response) => response.text())
            // A scrape that fails tells nothing of what a step costs.
            .catch(() => {});
        }, SCRAPE_MS);
        try {
          await inTurns(bench, sides);
        } finally {
          clearInterval(scraping);
        }
        return resultsOf(...sides);
      },
      guarded,
    ),
  );
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

function resultsOf(plain: Side, secure: Side): readonly Result[] {
  const more = median(ratios(plain, secure)) - 1;
  const wal = middleOf(secure, ({ walBytes }) => walBytes);
  const refused = secure.costs.reduce((sum, { seen }) => sum + seen.refused, 0);
  return [
    {
      goal: 13,
      what: 'CPU of a step with keys, tokens, signatures, rates and figures, against one without',
      figure: `+ ${fine(more * 100, 1)} %: ${costOf(plain)} → ${costOf(secure)}`,
      wanted: '≤ 10 %, then 5 %',
      met: refused > 0 ? false : more <= 0.1,
      note: `${refused} refused; rounds: ${roundsOf(plain, secure)}`,
    },
    {
      goal: 13,
      what: 'WAL of a step with all that',
      figure: `${whole(wal)} bytes (without: ${whole(middleOf(plain, ({ walBytes }) => walBytes))})`,
      wanted: '≤ 3,072 bytes',
      met: Number.isNaN(wal) ? null : wal <= 3_072,
    },
    {
      goal: 13,
      what: 'proceed sent → next callback here with all that, one in flight',
      figure: `p50 ${fine(secure.hopP50)} ms (without: ${fine(plain.hopP50)} ms)`,
      wanted: 'within 3 %',
      met: secure.hopP50 <= plain.hopP50 * 1.03,
    },
  ];
}
