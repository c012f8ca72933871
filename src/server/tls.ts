import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { Server } from 'node:https';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { Log } from '../runtime/log.ts';
import type { ProcessTime } from '../runtime/process-time.ts';
import { type Config, ConfigError } from './config.ts';

/* Certificate and key: read at the start, and again when their files have changed. What cannot serve never takes the place of what does. */

/** How often it is looked at whether the files have changed. */
export const LOOK_EVERY_MS = 30_000;

export type TlsFiles = {
  readonly cert: string;
  readonly key: string;
  /** Whose clients' certificates are good; null: nobody's. */
  readonly clientCa: string | null;
  readonly clientAuth: 'off' | 'optional' | 'required';
};

/** What TLS_* say; null: plain http. */
export function tlsFilesOf({ tlsCert, tlsKey, tlsClientCa, tlsClientAuth }: Config): TlsFiles | null {
  return tlsCert === null || tlsKey === null
    ? null
    : { cert: tlsCert, key: tlsKey, clientCa: tlsClientCa, clientAuth: tlsClientAuth };
}

/** What a server of TLS is made with, and when its certificate ends. @throws Error, in a sentence, for what cannot serve */
export function readTls(
  files: TlsFiles,
  now: number,
): { readonly options: SecureContextOptions; readonly endsAt: number } {
  const options: SecureContextOptions = {
    cert: read(files.cert),
    key: read(files.key),
    minVersion: 'TLSv1.2',
    ...(files.clientCa === null ? {} : { ca: read(files.clientCa) }),
  };
  const certificate = ofFile(files.cert, () => new X509Certificate(options.cert as Buffer));
  const key = ofFile(files.key, () => createPrivateKey(options.key as Buffer));
  if (!certificate.checkPrivateKey(key)) throw new Error(`${files.key} is not the key of ${files.cert}`);
  const endsAt = Date.parse(certificate.validTo);
  if (endsAt <= now) throw new Error(`${files.cert} ended at ${new Date(endsAt).toISOString()}`);
  ofFile(files.cert, () => createSecureContext(options));
  // Node takes a file without a certificate for roots of nobody: no client could connect.
  if (files.clientCa !== null) ofFile(files.clientCa, () => new X509Certificate(options.ca as Buffer));
  return { options, endsAt };
}

function read(path: string): Buffer {
  return ofFile(path, () => readFileSync(path));
}
function ofFile<Value>(path: string, make: () => Value): Value {
  try {
    return make();
  } catch (error) {
    throw new Error(`${path} cannot be used: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** For the start. @throws ConfigError */
export function tlsAtStart(files: TlsFiles): ReturnType<typeof readTls> {
  try {
    return readTls(files, Date.now());
  } catch (error) {
    throw new ConfigError([`TLS_CERT and TLS_KEY: ${(error as Error).message}`]);
  }
}

export type TlsReload = {
  /** Reads the files now, whether they have changed or not. False: they cannot serve, and what was read before does. */
  reload(): boolean;
  /** When what is shown ends, and how often what was read anew could not serve. */
  figures(): { readonly endsAt: number; readonly failures: number };
  stop(): void;
};

/** Has a server use other files without a connection being lost. */
export function reloadTls(
  server: Pick<Server, 'setSecureContext'>,
  files: TlsFiles,
  {
    time,
    log,
    wall = Date.now,
    ...first
  }: { readonly time: ProcessTime; readonly log: Log; readonly wall?: () => number; readonly endsAt: number },
): TlsReload {
  let { endsAt: shownUntil } = first;
  let failures = 0;
  const paths = [files.cert, files.key, ...(files.clientCa === null ? [] : [files.clientCa])];
  const changedAt = (): string => paths.map((path) => mtimeOf(path)).join(' ');
  let seen = changedAt();

  function reload(): boolean {
    seen = changedAt();
    try {
      const { options, endsAt } = readTls(files, wall());
      server.setSecureContext(options);
      shownUntil = endsAt;
      log.info('the certificate was read anew', { event: 'tls.reloaded', ends_at: new Date(endsAt).toISOString() });
      return true;
    } catch (err) {
      failures += 1;
      log.error('the certificate cannot be read anew; the one before serves on', { event: 'tls.reload_failed', err });
      return false;
    }
  }
  const look = (): void => {
    if (changedAt() !== seen) reload();
    cancel = time.after(LOOK_EVERY_MS, look);
  };
  let cancel = time.after(LOOK_EVERY_MS, look);
  return { reload, figures: () => ({ endsAt: shownUntil, failures }), stop: () => cancel() };
}

/** 0: it is not there just now, as while it is being replaced. */
function mtimeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
