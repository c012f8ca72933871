// Loaded into the server before its own first line: answers questions about the process that only the process can answer. It costs
// nothing until it is asked.
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Milliseconds between two looks at the event loop; what is measured includes them. */
const RESOLUTION_MS = 5;
/** Microseconds between two samples of a profile. */
const SAMPLE_US = 500;

let delay = null;
let session = null;

const post = (method, given = {}) =>
  new Promise((resolve, reject) => {
    session.post(method, given, (error, result) => (error === null ? resolve(result) : reject(error)));
  });

const handlers = {
  watch: () => {
    delay?.disable();
    delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    delay.enable();
  },
  watched: () => {
    const ms = (ns) => Math.max(0, ns / 1e6 - RESOLUTION_MS);
    const seen = { max: ms(delay.max), p99: ms(delay.percentile(99)), mean: ms(delay.mean) };
    delay.disable();
    return seen;
  },
  profile: async () => {
    session = new Session();
    session.connect();
    await post('Profiler.enable');
    await post('Profiler.setSamplingInterval', { interval: SAMPLE_US });
    await post('Profiler.start');
  },
  profiled: async ({ file }) => {
    const { profile } = await post('Profiler.stop');
    session.disconnect();
    writeFileSync(file, JSON.stringify(profile));
  },
};

process.on('message', async ({ id, what, order }) => {
  try {
    process.send({ id, answer: await handlers[what](order) });
  } catch (error) {
    process.send({ id, error: String(error) });
  }
});
// Whoever measures is gone: so is the reason to run.
process.on('disconnect', () => process.exit(1));
process.channel.unref();
