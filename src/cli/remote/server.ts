import { type CommandSpec, EXIT } from '../command.ts';
import { remote, remoteFlags } from './remote.ts';

/* What a server says of itself. */

export const serverCommands: Readonly<Record<string, CommandSpec>> = {
  openapi: {
    usage: 'rota openapi [--yaml]',
    about: 'print the OpenAPI description of the server',
    words: [0, 0],
    flags: { ...remoteFlags, yaml: { type: 'boolean' } },
    run: remote(async (_words, { rota, options, flags }) => {
      console.log(
        shown(await rota.request('GET', flags['yaml'] === true ? '/openapi.yaml' : '/openapi.json', {}, options)),
      );
      return EXIT.done;
    }),
  },
};

const shown = (document: unknown): string =>
  typeof document === 'string' ? document.trimEnd() : JSON.stringify(document, null, 2);
