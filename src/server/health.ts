import { get } from 'node:http';
import { get as getSecurely } from 'node:https';
import { type Config, isAnyAddress } from './config.ts';

/** How long an answer is waited for. */
const HEALTH_MS_MAX = 4_000;

/**
 * Whether the server of these settings answers at its own port of this machine, as a container asks. Its certificate names no loopback
 * address, so it is not looked at.
 *
 * @returns null: it does; else why not
 */
export function healthComplaint({
  host,
  port,
  tlsCert,
}: Pick<Config, 'host' | 'port' | 'tlsCert'>): Promise<string | null> {
  const options = {
    host: isAnyAddress(host) || host === '' ? '127.0.0.1' : host,
    port,
    path: '/livez',
    timeout: HEALTH_MS_MAX,
    agent: false,
  } as const;
  return new Promise((resolve) => {
    const request = (tlsCert === null ? get : getSecurely)({ ...options, rejectUnauthorized: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200 ? null : `/livez answered ${response.statusCode}`);
    });
    request.once('timeout', () =>
      request.destroy(new Error(`there was no answer within ${HEALTH_MS_MAX / 1000} seconds`)),
    );
    request.once('error', (error) => resolve(`${options.host}:${port} cannot be asked: ${error.message}`));
  });
}
