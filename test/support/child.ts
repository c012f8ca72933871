import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The command `rota` in a process of its own. */
export type Child = {
  readonly process: ChildProcess;
  /** Everything it has written so far. */
  readonly output: () => string;
  /** Resolves with the first match once it has written it; rejects when it ends without. */
  readonly says: (pattern: RegExp) => Promise<RegExpExecArray>;
  /** Resolves when it has ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
};

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Settings of whoever runs the tests must not leak in. */
const plainEnvironment = (): Record<string, string> => ({
  PATH: process.env['PATH'] ?? '',
  HOME: process.env['HOME'] ?? '',
});

export const runRota = (
  words: readonly string[],
  settings: Readonly<Record<string, string>> = {},
  input = '',
): Child => {
  build();
  return runNode([...QUICK, 'dist/cli/main.js', ...words], settings, input);
};

/** The embedded database is a large program that is compiled at every start; compiling it badly is twice as quick. And nothing is synced. */
export const QUICK: readonly string[] = [
  '--liftoff-only',
  ...['--require', fileURLToPath(new URL('./unsynced.cjs', import.meta.url))],
];

let isBuilt = false;
/** What is built starts five times faster than the sources; `npm start` builds when it must. */
export function build(): void {
  if (isBuilt) return;
  const { status, stderr } = spawnSync(process.execPath, ['scripts/start.mjs', '--version'], { cwd: root });
  if (status !== 0) throw new Error(`Rota could not be built: ${stderr.toString('utf8')}`);
  isBuilt = true;
}

/** Node in a process of its own, started in the folder of the project. */
export const runNode = (words: readonly string[], settings: Readonly<Record<string, string>> = {}, input = ''): Child =>
  runProgram(process.execPath, words, settings, input);

/** The same of any program. */
export function runProgram(
  program: string,
  words: readonly string[],
  settings: Readonly<Record<string, string>> = {},
  input = '',
): Child {
  const child = spawn(program, [...words], {
    cwd: root,
    env: { ...plainEnvironment(), ...settings },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let output = '';
  const listeners = new Set<() => void>();
  const hear = (chunk: Buffer): void => {
    output += chunk.toString('utf8');
    for (const listener of [...listeners]) listener();
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  child.stdin.end(input);
  const ended: Child['ended'] = new Promise((resolve) =>
    child.on('close', (code, signal) => resolve({ code, signal })),
  );
  return {
    process: child,
    output: () => output,
    ended,
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = pattern.exec(output);
          if (found === null) return;
          listeners.delete(look);
          resolve(found);
        };
        listeners.add(look);
        look();
        void ended.then(() => reject(new Error(`It ended without saying ${pattern}:\n${output}`)));
      }),
  };
}

/** A server in a process of its own, once it is ready; and where it listens. */
export async function serveInChild(
  settings: Readonly<Record<string, string>>,
): Promise<Child & { readonly url: string }> {
  const child = runRota(['serve'], { PORT: '0', ...settings });
  const [, url = ''] = await child.says(/"url":"([^"]+)".*rota is ready/);
  return { ...child, url };
}
