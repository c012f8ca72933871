import { answers } from '../../answers.ts';
import { shown } from '../../ids.ts';
import type { Operation } from '../../operation.ts';
import type { Parts } from '../../parts.ts';
import { Problem } from '../../problem.ts';

/** What launchers know workflows by. */
export const businessKeyOperations = ({ store }: Parts): readonly Operation[] => [
  {
    id: 'freeBusinessKey',
    method: 'delete',
    path: '/v1/business-keys/:key',
    summary: 'Free a business key: the next launch with it makes a new workflow; the one that had it goes on',
    access: 'operate',
    answers: answers(204, 'It is free', null, 404),
    handle: async ({ principal, params }) => {
      const key = params['key'] ?? '';
      if (!(await store.businessKeys.free(principal.tenant, key, null)))
        throw new Problem(
          'business_key_not_found',
          `Nothing was launched with the business key ${shown(key)}, or not any more`,
        );
      return { kind: 'empty', status: 204, headers: {} };
    },
  },
];
