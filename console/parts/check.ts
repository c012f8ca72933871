import type { Json } from '../../src/model/json.ts';
import type { Wrong } from './check-worker.ts';
import file from './check-worker.ts?worker&url';
import { startWorker } from './worker.ts';

/** A check that takes longer is given up, in milliseconds; the first one has its worker to load as well. */
const CHECK_MS = 250;
const LOAD_MS = 3_000;

export type Checked = { readonly wrong: readonly Wrong[] } | { readonly unchecked: string };

/** What is wrong with a value, or why that cannot be told here; the server has the last word anyway. */
export function checkValue(schema: Json, value: Json): Promise<Checked> {
  return new Promise((resolve) => {
    const worker = startWorker(file);
    const end = (checked: Checked): void => {
      clearTimeout(timer);
      worker.terminate();
      resolve(checked);
    };
    const timer = setTimeout(() => end({ unchecked: 'The schema takes too long to check here.' }), CHECK_MS + LOAD_MS);
    worker.onerror = () => end({ unchecked: 'The schema cannot be checked here.' });
    worker.onmessage = ({ data }: MessageEvent<{ wrong?: readonly Wrong[]; failed?: string }>) =>
      end(
        data.wrong === undefined
          ? { unchecked: data.failed ?? 'The schema cannot be checked here.' }
          : { wrong: data.wrong },
      );
    worker.postMessage({ schema, value });
  });
}
