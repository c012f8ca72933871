import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { inject } from 'vitest';
import { setMemoryTemplate } from '../../src/store/memory-template.ts';
import type {} from './embedded-setup.ts';
import { writeSeen } from './seen.ts';

/* Before each file: databases that keep nothing begin with a copy of the one that embedded-setup.ts made, and those in a folder sync nothing; answers are
 * written down (scripts/answers.ts). */

createRequire(import.meta.url)('./unsynced.cjs');
const { archive } = inject('embedded');

/** A Blob whose bytes are at hand: Node gives those of one of its own in small pieces, which takes longer than all else of a start. */
class Archive extends Blob {
  override async arrayBuffer(): Promise<ArrayBuffer> {
    const { buffer, byteOffset, byteLength } = readFileSync(archive);
    return byteLength === buffer.byteLength
      ? (buffer as ArrayBuffer)
      : (buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer);
  }
}
setMemoryTemplate(() => new Archive([]));
writeSeen(process.env['ROTA_ANSWERS'] ?? '');
