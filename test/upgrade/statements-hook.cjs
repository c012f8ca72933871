// Loaded before a release by `node --require`: writes the statements it sends to Postgres into the file of STATEMENTS_TO, when it ends.
const { writeFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const { join } = require('node:path');

const { Connection } = createRequire(join(process.cwd(), 'package.json'))('pg');
const seen = new Set();
for (const [method, textOf] of [
  ['parse', (query) => query.text],
  ['query', (text) => text],
]) {
  const send = Connection.prototype[method];
  Connection.prototype[method] = function (first, ...rest) {
    seen.add(textOf(first));
    return send.call(this, first, ...rest);
  };
}
process.on('exit', () => writeFileSync(process.env.STATEMENTS_TO, JSON.stringify([...seen])));
