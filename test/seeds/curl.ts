import { execFileSync } from 'node:child_process';
import { type Answer, send } from '../support/server.ts';

/*
 * Command lines of curl as a document prints them. A shell takes them apart, so that quotes, backslashes and ends of lines mean what they
 * mean to whoever types them; the request is made here, so that nobody needs curl to run the tests.
 */

/** What stands in the document, and what stands in its place here: hosts, ids. */
export type Names = Readonly<Record<string, string>>;

export type Asked = {
  readonly base: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
};

/**
 * What a line asks for: `-X`, `-H`, `-d` (several are joined as curl joins them) and one URL, with or without its `http://`.
 *
 * @param variables of the shell, such as `$TOKEN`
 * @throws for anything else in the line, and for a name that does not stand in it
 */
export function requestOf(line: string, names: Names = {}, variables: Names = {}): Asked {
  const named = Object.entries(names).reduce((text, [printed, ours]) => {
    if (!text.includes(printed)) throw new Error(`${printed} does not stand in ${line}`);
    return text.replaceAll(printed, ours);
  }, line.trim());
  const [program, ...words] = execFileSync('/bin/sh', ['-c', `printf '%s\\0' ${named}`], {
    encoding: 'utf8',
    env: variables,
  })
    .split('\0')
    .slice(0, -1);
  if (program !== 'curl') throw new Error(`${line} is no command line of curl`);
  const headers: Record<string, string> = { Accept: '*/*' };
  const data: string[] = [];
  let method: string | null = null;
  let address: string | null = null;
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (!word.startsWith('-') && address === null) {
      address = word;
      continue;
    }
    const value = words.shift();
    if (value === undefined) throw new Error(`${word} has nothing behind it`);
    if (word === '-X') method = value;
    else if (word === '-d') data.push(value);
    else if (word === '-H') {
      const [, name = '', text = ''] = /^([^:]+): ?(.*)$/s.exec(value) ?? [];
      headers[name] = text;
    } else throw new Error(`${word} is not understood here`);
  }
  if (address === null) throw new Error(`${line} has no URL`);
  const [, host = '', path = '/'] = /^(?:http:\/\/)?([^/]+)(\/.*)?$/.exec(address) ?? [];
  const hasType = Object.keys(headers).some((name) => name.toLowerCase() === 'content-type');
  return {
    base: `http://${host}`,
    method: method ?? (data.length > 0 ? 'POST' : 'GET'),
    path,
    headers: {
      ...headers,
      ...(data.length > 0 && !hasType && { 'Content-Type': 'application/x-www-form-urlencoded' }),
    },
    ...(data.length > 0 && { body: data.join('&') }),
  };
}

/** Asks what a line asks. */
export function curl(line: string, names: Names = {}, variables: Names = {}): Promise<Answer> {
  const { base, method, path, headers, body } = requestOf(line, names, variables);
  return send(base, method, path, { headers, ...(body !== undefined && { body }) });
}

/** The host and port of a URL, for a place where a document prints its own. */
export const hostOf = (url: string): string => new URL(url).host;
