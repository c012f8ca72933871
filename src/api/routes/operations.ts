import type { Operation } from '../operation.ts';
import type { Parts } from '../parts.ts';
import { definitionOperations } from './definitions.ts';
import { expressionOperations } from './expressions.ts';
import { launchOperation } from './launch.ts';
import { serverOperations } from './server.ts';
import { workflowOperations } from './workflows.ts';
import { workitemOperations } from './workitems.ts';

/** Everything the API can do; a worker answers for itself only. */
export const operationsOf = (parts: Parts): readonly Operation[] =>
  parts.role === 'worker'
    ? serverOperations(parts)
    : [
        launchOperation(parts),
        ...workflowOperations(parts),
        ...workitemOperations(parts),
        ...expressionOperations(parts),
        ...definitionOperations(parts),
        ...serverOperations(parts),
      ];
