// Loaded into the server before its own first line: answers questions about the process that only the process can answer. It costs
// nothing until it is asked.
import { existsSync, openSync, readSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Milliseconds between two looks at the event loop; what is measured includes them. */
const RESOLUTION_MS = 5;
/** Microseconds between two samples of a profile. */
const SAMPLE_US = 500;

let delay = null;
let session = null;
let computing = null;

/** What the event loop's own thread has computed so far, in milliseconds; null where the system does not tell. */
const THREAD = `/proc/self/task/${process.pid}/schedstat`;
const thread = existsSync(THREAD) ? { file: openSync(THREAD, 'r'), text: Buffer.alloc(100) } : null;
const computedMs = () => {
  const length = readSync(thread.file, thread.text, 0, thread.text.length, 0);
  return Number(thread.text.toString('latin1', 0, length).split(' ')[0]) / 1e6;
};

/** The most that is computed between two looks: what of a delay is ours, and not the wait for a core. */
function watchComputing() {
  clearInterval(computing?.timer);
  if (thread === null) return;
  let before = computedMs();
  const look = () => {
    const now = computedMs();
    computing.max = Math.max(computing.max, now - before);
    before = now;
  };
  computing = { max: 0, timer: setInterval(look, RESOLUTION_MS) };
}

const post = (method, given = {}) =>
  new Promise((resolve, reject) => {
    session.post(method, given, (error, result) => (error === null ? resolve(result) : reject(error)));
  });

const handlers = {
  watch: () => {
    delay?.disable();
    delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    delay.enable();
    watchComputing();
  },
  watched: () => {
    const ms = (ns) => Math.max(0, ns / 1e6 - RESOLUTION_MS);
    const seen = {
      max: ms(delay.max),
      p99: ms(delay.percentile(99)),
      mean: ms(delay.mean),
      computed: computing?.max ?? Number.NaN,
    };
    delay.disable();
    clearInterval(computing?.timer);
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
