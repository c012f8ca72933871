import type { Call } from '../api/operation.ts';
import type { Parts } from '../api/parts.ts';
import { makeRun } from '../api/resources/definitions/running.ts';
import { type Principal, SCOPES } from '../identity/principal.ts';
import { validate } from '../language/json-schema.ts';
import { ownValue } from '../model/json.ts';
import type { Tenant } from '../model/tenant.ts';
import { readKeptTrace } from '../runtime/trace-context.ts';
import type { Starter, StartLaunch } from '../signals/receiver.ts';
import { makeStarter, makeTriggers } from '../signals/triggers.ts';

/* What events start: definitions by their triggers, launched on the road that everybody takes who launches by name. */

const principalOf = (tenant: Tenant): Principal => ({
  kind: 'open',
  id: 'event',
  tenant,
  scopes: new Set(SCOPES),
  actor: null,
});

export function startsOf(parts: Parts): { readonly starter: Starter; readonly launch: StartLaunch } {
  const { definitions } = parts.registry;
  const triggers = makeTriggers((see) => definitions.watch(see));
  const run = makeRun(parts);
  return {
    starter: makeStarter({
      triggersOf: triggers.of,
      complaint: async (tenant, { definition, version }, fields) => {
        const found = await definitions.find(tenant, definition, version);
        const schema = found === null ? undefined : ownValue(found.options, 'input_schema');
        return schema === undefined || validate(schema, fields).kind === 'valid' ? null : 'input_invalid';
      },
      holder: async (tenant, key) => (await parts.store.businessKeys.get(tenant, key))?.workflow ?? null,
      freshId: () => parts.ids.workflow(parts.clock.now()),
    }),
    launch: async (
      workflow,
      { tenant, definition, version, fields, businessKey, start = null, hops, eventId, from, trace = null },
    ) => {
      const call: Call = {
        principal: principalOf(tenant),
        ...{ reason: null, path: '', params: {}, query: new URLSearchParams(), header: () => null, body: {} },
        ...{ document: null, raw: null, isForm: false, requestId: eventId, address: null, launchId: workflow },
        large: parts.large.begin(tenant).note,
        span: readKeptTrace(trace),
      };
      await run(call, {
        ...{ name: definition, version, startedBy: from === undefined ? 'event' : 'workflow', hops, start },
        body: { fields, ...(businessKey !== null && { business_key: businessKey }) },
        meta: from === undefined ? { event: { event_id: eventId } } : { workflow: { workflow_id: from } },
      });
    },
  };
}
