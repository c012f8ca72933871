import { describe } from 'vitest';
import { describeWorkflows } from './workflows.ts';

describe('on the embedded database', () => {
  describeWorkflows(async () => ({ settings: {}, close: async () => {} }));
});
