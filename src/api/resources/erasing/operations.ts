import { createHash } from 'node:crypto';
import { Fault } from '../../../model/fault.ts';
import type { Erasing } from '../../../store/store.ts';
import { answers } from '../../answers.ts';
import { noSuchWorkflow, workflowIdOf } from '../../ids.ts';
import { jsonReply, type Operation } from '../../operation.ts';
import { cursorFor, cursorOf } from '../../page.ts';
import type { Parts } from '../../parts.ts';
import { Problem } from '../../problem.ts';
import { Reasoned } from '../../schema-parts.ts';
import { Erase, ErasedValue, ErasedWorkflowTold } from './schemas.ts';

/** What stands elsewhere, and is told with every erasure. */
const NOT_REACHED: readonly string[] = [
  'Participants, subscribers and services have what they were sent.',
  'Logs of servers, of proxies and of Postgres.',
  'Backups, standbys and write-ahead logs of the database, until they are thrown away.',
  'Rows that were changed or deleted stay in the files of the database until it has vacuumed them.',
  'What nodes hold in memory for streams of events goes as newer events come, or at their next start.',
];
const OF_A_VALUE: readonly string[] = [
  'Business keys, keys of events and names of things: `kept` counts those that hold it.',
  'Texts of definitions, whoever launched them, and the audit.',
  'Values that are written in another way: other letters, as a number, encoded.',
];
const REPLACEMENT = '[erased]';
/** Workflows one call looks through. */
const LOOKED_AT = 200;

/** What should not have been kept, or not any more. */
export function erasingOperations({ store }: Parts): readonly Operation[] {
  const erasing = (): Erasing => {
    if (store.erasing === null)
      throw new Problem(
        'not_supported',
        'Nothing can be erased in a database that is many machines (DATABASE_PROFILE)',
      );
    return store.erasing;
  };
  return [
    {
      id: 'eraseWorkflow',
      method: 'post',
      path: '/v1/workflows/:workflow_id/erase',
      summary: 'Erase a workflow that is over, with its history and everything else of it',
      access: 'admin',
      audit: { action: 'workflow.erase' },
      body: { schema: Reasoned, checked: 'here' },
      answers: answers(200, 'What went, and what cannot be reached', ErasedWorkflowTold, 404, 409, 501),
      handle: async (call) => {
        const id = workflowIdOf(call);
        const erased = await erasing().workflow(call.principal.tenant, id);
        if (erased === 'unknown') throw noSuchWorkflow(id);
        if (erased === 'running')
          throw new Fault('conflict', `The workflow ${id} is not over: cancel or kill it first`);
        return jsonReply(200, { workflow_id: id, erased: { ...erased.counts }, not_reached: [...NOT_REACHED] });
      },
    },
    {
      id: 'eraseValue',
      method: 'post',
      path: '/v1/erasures',
      summary:
        'Erase a value, such as an address of a person, wherever workflows keep it; some of the workflows in each call',
      access: 'admin',
      // The value itself is what nobody is to keep.
      audit: {
        action: 'value.erase',
        details: ({ body }) => ({
          sha256: createHash('sha256').update(String(body['value'])).digest('hex'),
          within: body['within'] === true,
          dry_run: body['dry_run'] === true,
        }),
      },
      body: { schema: Erase, checked: 'here' },
      answers: answers(200, 'Where it stood, and what cannot be reached', ErasedValue, 400, 422, 501),
      handle: async ({ principal, body }) => {
        const given = typeof body['cursor'] === 'string' ? { cursor: body['cursor'] } : {};
        const cursor = cursorOf('erasures', new URLSearchParams(given));
        const [shard, id] = (cursor ?? '').split(' ');
        const erased = await erasing().value({
          tenant: principal.tenant,
          value: String(body['value']),
          replacement: typeof body['replacement'] === 'string' ? body['replacement'] : REPLACEMENT,
          within: body['within'] === true,
          isRehearsal: body['dry_run'] === true,
          limit: typeof body['limit'] === 'number' ? body['limit'] : LOOKED_AT,
          after: cursor === null || shard === undefined || id === undefined ? null : { shard: Number(shard), id },
        });
        const { workflows, counts, kept, next } = erased;
        return jsonReply(200, {
          ...{ workflows: [...workflows], erased: { ...counts }, kept: { ...kept } },
          not_reached: next === null ? [...OF_A_VALUE, ...NOT_REACHED] : [],
          next_cursor: next === null ? null : cursorFor('erasures', `${next.shard} ${next.id}`),
        });
      },
    },
  ];
}
