import { readDefinition } from '../../src/definition/read.ts';
import { inspect } from '../../src/interpreter/inspect.ts';
import { deliveredFields } from '../../src/interpreter/state/fields.ts';
import { step } from '../../src/interpreter/step.ts';
import { reorganise } from '../../src/model/reorganise.ts';
import type { Parts } from './in-process.ts';

/** The real reader and the real interpreter. */
export const parts: Parts = { step, deliveredFields, inspect, readDefinition, reorganise };
