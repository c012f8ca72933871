import { happen } from '../api/happen.ts';
import type { Call } from '../api/operation.ts';
import type { Parts } from '../api/parts.ts';
import { makeRun } from '../api/resources/definitions/running.ts';
import { type Principal, SCOPES } from '../identity/principal.ts';
import type { WorkflowId } from '../model/ids.ts';
import { isObject, type Json } from '../model/json.ts';
import type { Tenant } from '../model/tenant.ts';
import type { LaunchStored } from '../worker/schedules.ts';

/* Launches that nobody asks for by a request, on the road those take that somebody does. */

const principalOf = (tenant: Tenant): Principal => ({
  kind: 'open',
  id: 'schedule',
  tenant,
  scopes: new Set(SCOPES),
  actor: null,
});

export function launchesOf(parts: Parts): {
  readonly launch: LaunchStored;
  readonly cancel: (tenant: Tenant, workflow: WorkflowId) => Promise<void>;
} {
  const run = makeRun(parts);
  return {
    launch: async ({ tenant, definition, version, id, spec, schedule }) => {
      const call: Call = {
        principal: principalOf(tenant),
        ...{
          reason: null,
          path: '',
          params: {},
          query: new URLSearchParams(),
          header: () => null,
          body: {},
          document: null,
          raw: null,
        },
        ...{
          isForm: false,
          requestId: schedule.id,
          address: null,
          launchId: id,
          large: parts.large.begin(tenant).note,
        },
      };
      const reply = await run(call, {
        ...{ name: definition, version, body: { fields: spec.fields }, startedBy: 'schedule', start: spec.start },
        meta: { schedule: { id: schedule.id, due_at: new Date(schedule.dueAt).toISOString() } },
      });
      const answer = reply.kind === 'text' ? (JSON.parse(reply.text) as Json) : null;
      return (isObject(answer) && typeof answer['id'] === 'string' ? answer['id'] : id) as WorkflowId;
    },
    cancel: async (tenant, workflow) => {
      await happen(parts, { principal: principalOf(tenant), reason: 'its schedule launches the next' }, workflow, {
        kind: 'cancel',
      });
    },
  };
}
