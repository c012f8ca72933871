import { type CommandSpec, EXIT, UsageError } from '../command.ts';
import { CALLED, PLAYED } from '../conformance/cases.ts';
import { listen, play, playCall } from '../conformance/play.ts';
import { remote, remoteFlags, type There, textFlag } from './remote.ts';

/* `rota conformance`: whether a server does what the contract says, by cases that come with this package. */

export const conformanceCommands: Readonly<Record<string, CommandSpec>> = {
  conformance: {
    usage: 'rota conformance [url] [--only text] [--host name]',
    about: 'play the packaged cases against a server; --host: the name under which it reaches this machine (127.0.0.1)',
    words: [0, 1],
    flags: { ...remoteFlags, only: { type: 'string' }, host: { type: 'string' } },
    run: remote(
      (_words, there) => conformance(there),
      ([url]) => (url === undefined ? {} : { url }),
    ),
  },
};

async function conformance(there: There): Promise<number> {
  const only = textFlag(there.flags, 'only') ?? '';
  const listener = await listen(textFlag(there.flags, 'host') ?? '127.0.0.1');
  const all = [
    ...CALLED.map((one) => ({ name: one.name, run: () => playCall(one, there.rota, there.options) })),
    ...PLAYED.map((one) => ({ name: one.name, run: () => play(one, there.rota, listener, there.options) })),
  ].filter(({ name }) => name.includes(only));
  try {
    if (all.length === 0) throw new UsageError(`No case is called ${only}`);
    return await played(all, there);
  } finally {
    await listener.close();
  }
}

async function played(
  all: readonly { readonly name: string; readonly run: () => Promise<string | null> }[],
  there: There,
): Promise<number> {
  let failed = 0;
  for (const { name, run } of all) {
    const complaint = await run();
    if (complaint !== null) failed += 1;
    there.show(complaint === null ? `passed  ${name}` : `FAILED  ${name}: ${complaint}`, {
      case: name,
      passed: complaint === null,
      ...(complaint === null ? {} : { complaint }),
    });
  }
  there.note(`${all.length - failed} of ${all.length} passed`);
  return failed === 0 ? EXIT.done : EXIT.refused;
}
