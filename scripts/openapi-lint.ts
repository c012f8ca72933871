import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readConfig } from '../src/server/config.ts';
import { start } from '../src/server/start.ts';

/* `npm run openapi:lint`: starts a server that keeps nothing, and has what it says of itself looked at by redocly. Exit code 1: it found something. */

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = mkdtempSync(join(tmpdir(), 'rota-openapi-'));
const server = await start(
  readConfig({ DATA_DIR: 'memory:', PORT: '0', LOG_LEVEL: 'silent', TEST_CLOCK: '1', PLAYGROUND: '1' }),
);
try {
  const file = join(folder, 'openapi.json');
  writeFileSync(file, await (await fetch(`${server.url}/openapi.json`)).text());
  const { status } = spawnSync(
    process.execPath,
    [join(root, 'node_modules/@redocly/cli/bin/cli.js'), 'lint', file, '--config', join(root, 'redocly.yaml')],
    {
      stdio: 'inherit',
      // Nothing is sent and no newer version is looked for.
      env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
    },
  );
  process.exitCode = status ?? 1;
} finally {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}
