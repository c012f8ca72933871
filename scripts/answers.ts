import { readFileSync } from 'node:fs';
import { everyOperation } from '../test/support/described.ts';

/*
 * `ROTA_ANSWERS=answers.txt npm test`, then `npx tsx scripts/answers.ts answers.txt`: which answers the interface describes that no test has seen,
 * `<operation> <status>`. Every answer that a test is given by a server of its process is held against the description; with ROTA_ANSWERS it is also written down.
 */

const [, , file] = process.argv;
if (file === undefined) {
  console.error('Give the file that ROTA_ANSWERS named');
  process.exit(2);
}
const seen = new Set(readFileSync(file, 'utf8').split('\n'));
const described = everyOperation().flatMap(({ id, answers }) =>
  Object.keys(answers).map((status) => `${id} ${status}`),
);
const unseen = described.filter((answer) => !seen.has(answer));
console.log(
  `${described.length - unseen.length} of ${described.length} answers were seen; not these:\n${unseen.join('\n')}`,
);
