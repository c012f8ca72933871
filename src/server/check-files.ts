import { readFileSync } from 'node:fs';
import { isObject, type Json } from '../model/json.ts';
import { type Config, ConfigError } from './config.ts';
import { tlsAtStart, tlsFilesOf } from './tls.ts';

/** Looks at the files that settings name, as a start would: certificate, key, keys of issuers. @throws ConfigError with every complaint */
export function checkFiles(config: Config): void {
  const complaints: string[] = [];
  const files = tlsFilesOf(config);
  if (files !== null)
    try {
      tlsAtStart(files);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      complaints.push(...error.complaints);
    }
  for (const { issuer, keys } of config.issuers) {
    const trouble = keys.kind === 'file' ? keysTrouble(keys.path) : null;
    if (trouble !== null) complaints.push(`The keys of the issuer ${issuer} cannot be used: ${trouble}`);
  }
  if (complaints.length > 0) throw new ConfigError(complaints);
}

/** Why a file holds no keys; null: it does. */
function keysTrouble(path: string): string | null {
  try {
    const set = JSON.parse(readFileSync(path, 'utf8')) as Json;
    return isObject(set) && Array.isArray(set['keys']) && set['keys'].length > 0 ? null : `${path} has no list of keys`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
