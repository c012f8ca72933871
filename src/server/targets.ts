import { BAD_PORTS, makeTargetList, readPorts } from '../outbox/target-lists.ts';
import type { TargetPolicy } from '../outbox/targets.ts';
import { makeAddressList } from '../runtime/addresses.ts';
import type { Config } from './config.ts';

/** Where callbacks may go, as the settings say. */
export function targetPolicy(config: Config): TargetPolicy {
  const { allowPrivateTargets: allowed, allowTargets, denyTargets, denyPorts } = config;
  return {
    allowPrivate: allowed === true,
    ...(typeof allowed === 'boolean' ? {} : { privateRanges: makeAddressList(allowed) }),
    ...(allowTargets.length === 0 ? {} : { allow: makeTargetList(allowTargets) }),
    ...(denyTargets.length === 0 ? {} : { deny: makeTargetList(denyTargets) }),
    // Where callbacks may go inside, whoever launches is trusted with more than a port.
    denyPorts: new Set(denyPorts === null ? (allowed === true ? [] : BAD_PORTS) : readPorts(denyPorts)),
  };
}
