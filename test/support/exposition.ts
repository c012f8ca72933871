/* Reads what Prometheus reads, and complains of what it would complain of. */

export type Sample = {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
};

export type Exposition = {
  readonly complaints: readonly string[];
  readonly samples: readonly Sample[];
  readonly types: ReadonlyMap<string, string>;
};

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const TYPES = ['counter', 'gauge', 'histogram', 'summary', 'untyped'];
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y;

export function readExposition(text: string): Exposition {
  const complaints: string[] = [];
  const samples: Sample[] = [];
  const types = new Map<string, string>();
  const helps = new Set<string>();
  const seen = new Set<string>();
  let family = '';
  const closed = new Set<string>();
  if (!text.endsWith('\n')) complaints.push('the text does not end with a line feed');
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [, what, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) ?(.*)$/.exec(line) ?? [];
    if (what === 'HELP') {
      if (helps.has(name)) complaints.push(`${name} has two HELP lines`);
      if (rest === '') complaints.push(`${name} has an empty HELP`);
      helps.add(name);
      continue;
    }
    if (what === 'TYPE') {
      if (types.has(name)) complaints.push(`${name} has two TYPE lines`);
      if (!NAME.test(name) || !TYPES.includes(rest)) complaints.push(`not a TYPE line: ${line}`);
      if (rest === 'counter' && !name.endsWith('_total'))
        complaints.push(`the counter ${name} does not end with _total`);
      if (rest !== 'counter' && name.endsWith('_total')) complaints.push(`${name} ends with _total, but is a ${rest}`);
      if (family !== '') closed.add(family);
      family = name;
      types.set(name, rest);
      continue;
    }
    if (line.startsWith('#')) continue;
    const sample = readSample(line);
    if (sample === null) {
      complaints.push(`not a sample: ${line}`);
      continue;
    }
    const base =
      types.get(family) === 'histogram' || types.get(family) === 'summary'
        ? sample.name.replace(/_(bucket|sum|count)$/, '')
        : sample.name;
    if (base !== family) complaints.push(`${sample.name} stands among the samples of ${family}`);
    if (closed.has(base)) complaints.push(`${base} is in two places`);
    if (!helps.has(base)) complaints.push(`${base} has no HELP`);
    const key = `${sample.name} ${JSON.stringify(Object.entries(sample.labels).sort())}`;
    if (seen.has(key)) complaints.push(`twice: ${key}`);
    seen.add(key);
    if (types.get(base) === 'counter' && !(sample.value >= 0)) complaints.push(`${sample.name} is ${sample.value}`);
    samples.push(sample);
  }
  for (const [name, type] of types) if (type === 'histogram') complaints.push(...oddBuckets(name, samples));
  return { complaints, samples, types };
}

function readSample(line: string): Sample | null {
  const [, name, inner = '', number = ''] = SAMPLE.exec(line) ?? [];
  if (name === undefined) return null;
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < inner.length) {
    const found = LABEL.exec(inner);
    if (found === null || Object.hasOwn(labels, found[1] ?? '')) return null;
    labels[found[1] ?? ''] = found[2] ?? '';
  }
  const value = number === '+Inf' ? Number.POSITIVE_INFINITY : number === 'Nan' ? Number.NaN : Number(number);
  return Number.isNaN(value) && number !== 'Nan' ? null : { name, labels, value };
}

/** Buckets are cumulative, end with +Inf, and that one is the count. */
function oddBuckets(name: string, samples: readonly Sample[]): readonly string[] {
  const groups = new Map<string, Sample[]>();
  for (const sample of samples) {
    if (!sample.name.startsWith(name) || !/^_(bucket|sum|count)$/.test(sample.name.slice(name.length))) continue;
    const { le: _, ...labels } = sample.labels;
    const key = JSON.stringify(labels);
    groups.set(key, [...(groups.get(key) ?? []), sample]);
  }
  return [...groups].flatMap(([key, group]) => {
    const buckets = group.filter((sample) => sample.name.endsWith('_bucket'));
    const ends = buckets.map(({ labels }) =>
      labels['le'] === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels['le']),
    );
    const values = buckets.map(({ value }) => value);
    const count = group.find((sample) => sample.name === `${name}_count`)?.value;
    const isGood =
      ends.every((end, i) => i === 0 || end > (ends[i - 1] as number)) &&
      values.every((value, i) => i === 0 || value >= (values[i - 1] as number)) &&
      ends.at(-1) === Number.POSITIVE_INFINITY &&
      values.at(-1) === count &&
      group.some((sample) => sample.name === `${name}_sum`);
    return isGood ? [] : [`odd buckets: ${name} ${key}`];
  });
}
