import { readFileSync } from 'node:fs';
import { get } from 'node:http';
import { get as getSecurely } from 'node:https';
import { type Config, isAnyAddress } from './config.ts';

/** How long an answer is waited for. */
const HEALTH_MS_MAX = 4_000;

type Asked = Pick<Config, 'host' | 'port' | 'tlsCert'> &
  Partial<Pick<Config, 'tlsKey' | 'tlsClientAuth' | 'metricsListen'>>;

/**
 * Whether the server of these settings answers at its own port of this machine, as a container asks. Its certificate names no loopback
 * address, so it is not looked at. Where only clients with a certificate may connect it is asked at METRICS_LISTEN, which wants none; without
 * that it is shown its own.
 *
 * @returns null: it does; else why not
 */
export function healthComplaint({
  tlsCert,
  tlsKey = null,
  tlsClientAuth = 'off',
  metricsListen = null,
  ...own
}: Asked): Promise<string | null> {
  const isShut = tlsCert !== null && tlsClientAuth === 'required';
  const { host, port } = isShut && metricsListen !== null ? addressOf(metricsListen) : own;
  const isPlain = tlsCert === null || (isShut && metricsListen !== null);
  const options = {
    host: isAnyAddress(host) || host === '' ? '127.0.0.1' : host,
    port,
    path: '/livez',
    timeout: HEALTH_MS_MAX,
    agent: false,
    ...(isShut && !isPlain ? { cert: readFileSync(tlsCert), key: readFileSync(tlsKey ?? tlsCert) } : {}),
  } as const;
  const hint = isShut && !isPlain ? '; clients must show a certificate here: METRICS_LISTEN is an address without' : '';
  return new Promise((resolve) => {
    const request = (isPlain ? get : getSecurely)({ ...options, rejectUnauthorized: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200 ? null : `/livez answered ${response.statusCode}`);
    });
    request.once('timeout', () =>
      request.destroy(new Error(`there was no answer within ${HEALTH_MS_MAX / 1000} seconds`)),
    );
    request.once('error', (error) => resolve(`${options.host}:${port} cannot be asked: ${error.message}${hint}`));
  });
}

/** `host:port`, as METRICS_LISTEN has it. */
function addressOf(address: string): { readonly host: string; readonly port: number } {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon).replace(/^\[(.*)\]$/, '$1'), port: Number(address.slice(colon + 1)) };
}
