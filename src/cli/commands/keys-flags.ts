import { remoteFlags } from '../remote/remote.ts';
import { settingFlags } from '../settings.ts';

export const keysFlags = {
  ...settingFlags,
  name: { type: 'string' },
  scopes: { type: 'string' },
  expires: { type: 'string' },
  overlap: { type: 'string' },
  ...remoteFlags,
} as const;
