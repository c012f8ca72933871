import { expect, test } from 'vitest';
import { keptTrace, readKeptTrace, readTraceContext, traceHeaders } from '../../src/runtime/trace-context.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const parent = `00-${TRACE}-${SPAN}-01`;

test.each<[string, string | null, boolean]>([
  ['that of the standard', parent, true],
  ['with blanks around it', ` ${parent} `, true],
  ['that nobody records', `00-${TRACE}-${SPAN}-00`, true],
  ['of a version to come, with more in it', `01-${TRACE}-${SPAN}-01-what`, true],
  ['none', null, false],
  ['of this version, with more in it', `${parent}-what`, false],
  ['of no version', `ff-${TRACE}-${SPAN}-01`, false],
  ['in capitals', parent.toUpperCase(), false],
  ['of no trace', `00-${'0'.repeat(32)}-${SPAN}-01`, false],
  ['of no span', `00-${TRACE}-${'0'.repeat(16)}-01`, false],
  ['cut short', parent.slice(0, -1), false],
  ['something else', 'hello', false],
])('a traceparent: %s', (_, given, isGood) => {
  const context = readTraceContext(given, null);
  if (isGood) expect(context).toMatchObject({ traceId: TRACE, spanId: SPAN, state: null });
  else expect(context).toBe(null);
});

test('what vendors have added is passed on, within bounds, and survives being kept', () => {
  const context = readTraceContext(parent, 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE');
  if (context === null) throw new Error('it is good');
  expect(readKeptTrace(keptTrace(context))).toEqual(context);
  expect(traceHeaders(context, '1'.repeat(16))).toEqual({
    traceparent: `00-${TRACE}-${'1'.repeat(16)}-01`,
    tracestate: 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE',
  });
  const many = (n: number): string => Array.from({ length: n }, (_, i) => `k${i}=v`).join(',');
  for (const good of ['k=v', 'tenant@k=v', '1tenant@k=v', 'k=a b', 'k=v,,l=w', ' k=v , l=w ', 'a_-*/=v', many(32)])
    expect(readTraceContext(parent, good)?.state, good).toBe(good);
  const long = `k=${'v'.repeat(600)}`;
  for (const bad of [long, 'k=a\u0000b', '', ',', 'x', 'k=', 'k=v=w', '=v', 'K=v', '1k=v', 'k=v,k=w', 'k=ü', many(33)])
    expect(readTraceContext(parent, bad)?.state, bad).toBe(null);
  expect(readKeptTrace(null)).toBe(null);
});
