import { readFileSync } from 'node:fs';
import { inject } from 'vitest';
import { setMemoryTemplate } from '../../src/store/memory-template.ts';
import type {} from './embedded-setup.ts';

/* Before each file: databases that keep nothing begin with a copy of the one that embedded-setup.ts made. */

const { archive } = inject('embedded');
setMemoryTemplate(() => new Blob([readFileSync(archive)]));
