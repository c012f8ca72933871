import { describe, expect, test } from 'vitest';
import type { Fields } from '../../src/model/json.ts';
import { type Play, play } from './play.ts';

/*
 * What small definitions do, as a table: the text, what is seen (participants in order, notices as `cancel sp`), and what comes out.
 * Participants whose name begins with `sp` wait, all others answer at once. `/` ends a line, `»` is one step of indentation.
 */

type Row = Play & {
  readonly about: string;
  readonly text: string;
  readonly seen: string;
  /** Fields at the end, or as they stand: those that are named here are compared. */
  readonly out?: Fields;
  /** Fields that must not be there. */
  readonly without?: readonly string[];
  readonly status?: string;
  /** Part of the one error that waits. */
  readonly error?: string;
};

const rows: readonly Row[] = [
  { about: '1', text: 'define / » alpha / » bravo', seen: 'alpha bravo' },
  { about: '2', text: 'sequence / » alpha', seen: 'alpha' },
  { about: '3', text: 'define', seen: '' },
  { about: '4 definitions are hoisted', text: 'define main / » s / » alpha / » define s / »» bravo', seen: 'bravo alpha' },
  { about: '5 but only those of a define', text: 'define / » sequence / »» s / »» define s / »»» bravo', seen: 's' },
  { about: '6 a definition calls itself', text: "define name: main / » inc 'v:/n' / » main if: '${v:/n} < 3' / » participant 'n${v:/n}'", seen: 'n3 n3 n3' },
  { about: '7 attributes of a call', text: "define / » s a: A, 'f:b': B, 'v:c': C / » define s / »» participant '${v:a}${b}${v:c}${v:ref}'", seen: 'ABCs', out: { b: 'B' } },
  { about: '8 scopes of sub-processes', text: "define / » set 'v:x': 1 / » s / » participant 'x${v:x}y${v:y}' / » define s / »» set 'v:x': 2 / »» set 'v:/y': 3", seen: 'x1y3' },
  { about: '9 apply runs the first child', text: 'define / » s / »» alpha / »» bravo / » define s / »» apply / »» apply', seen: 'alpha alpha' },
  { about: '10 an alias', text: "define / » set 'v:tom': alpha / » tom / » participant tom", seen: 'alpha tom' },
  { about: '11 a head with a field', text: '["define",{},[["p_${x}",{},[]]]]', fields: { x: 'alpha' }, seen: 'p_alpha' },
  { about: '12 if and unless', text: "define / » alpha if: '${a}' / » bravo unless: '${a}' / » charly if: '${b}' / » doug unless: '${b}'", fields: { a: '1' }, seen: 'alpha doug' },
  { about: '13 if, true', text: "define / » if '${a} == 1' / »» alpha / »» bravo", fields: { a: 1 }, seen: 'alpha' },
  { about: '13 if, false', text: "define / » if '${a} == 1' / »» alpha / »» bravo", fields: { a: 2 }, seen: 'bravo' },
  { about: '14 equals, typed', text: 'define / » if / »» equals f: a, other_value: 1 / »» alpha / »» bravo', fields: { a: 1 }, seen: 'alpha' },
  { about: '14 equals, another type', text: "define / » if / »» equals f: a, other_value: '1' / »» alpha / »» bravo", fields: { a: 1 }, seen: 'bravo' },
  { about: '15 an empty condition is false', text: "define / » if '${a}' / »» alpha / »» bravo / »» charly", seen: 'bravo' },
  { about: '16 given', text: "define / » given '${a}' / »» of x / »»» alpha / »» of y / »»» bravo / »»» charly / »» doug", fields: { a: 'y' }, seen: 'bravo charly', without: ['__given__', '__result__'] },
  { about: '17 given, else', text: "define / » given '${a}' / »» of x / »»» alpha / »» doug", fields: { a: 'z' }, seen: 'doug', without: ['__given__'] },
  { about: '18 of a regex', text: "define / » given '${a}' / »» of '/^y/' / »»» alpha / »» doug", fields: { a: 'yes' }, seen: 'alpha' },
  { about: '19 of a text with a blank', text: "define / » given '${a}' / »» of 'New York' / »»» alpha / »» doug", fields: { a: 'New York' }, seen: 'alpha' },
  { about: '20 a dotted name without a container', text: "define / » set 'a.b': 1", seen: '', out: { 'a.b': 1 } },
  { about: '20 a dotted name with one', text: "define / » set 'a.b': 1", fields: { a: {} }, seen: '', out: { a: { b: 1 } } },
  { about: '21 an index past the end', text: "define / » set 'l.5': 9", fields: { l: [1, 2] }, seen: '', out: { l: [1, 2, null, null, null, 9] } },
  { about: '21 an index from the end', text: '["define",{},[["set",{"l.-1":7},[]]]]', fields: { l: [1, 2] }, seen: '', out: { l: [1, 7] } },
  { about: '22 a value from children', text: 'define / » set a / »» set __result__: 5', seen: '', out: { a: 5 } },
  { about: '23 typed and as text', text: "define / » set f: b, f_val: c / » set d: '${c}'", fields: { c: [1] }, seen: '', out: { b: [1], d: '[1]' } },
  { about: '24 override', text: "define / » set 'v:x': 1 / » let / »» set 'v:x': 2, override: true / » participant 'x${v:x}'", seen: 'x2' },
  { about: '25 unset inside', text: 'define / » unset f: h.k', fields: { h: { k: 1, l: 2 } }, seen: '', out: { h: { l: 2 }, __result__: 1 } },
  { about: '26 no engine variables', text: "define / » set 'v://e': 1 / » alpha if: '${v://e} == 1'", seen: '' },
  { about: '27 inc', text: "define / » inc 'v:x' / » inc 'v:x': 3 / » participant 'x${v:x}'", seen: 'x4' },
  { about: '28 a numeric text', text: "define / » inc m, val: '4'", seen: '', out: { m: 4 } },
  { about: '29 a text is no number', text: 'define / » inc s', fields: { s: '1' }, seen: '', error: 'TypeError' },
  { about: '30 dec of a list', text: 'define / » dec l', fields: { l: ['a', 'b'] }, seen: '', out: { l: ['a'], __result__: 'b' } },
  { about: '30 dec at its head', text: 'define / » dec l, pos: head', fields: { l: ['a', 'b'] }, seen: '', out: { l: ['b'], __result__: 'a' } },
  { about: '31 push and pop', text: 'define / » push y: a / » push y: b / » pop nada', seen: '', out: { y: ['a', 'b'], nada: [] } },
  { about: '32 break', text: 'define / » cursor / »» alpha / »» break / »» bravo / » charly', seen: 'alpha charly' },
  { about: '33 back', text: "define / » cursor / »» alpha / »» inc n / »» back 3, if: '${n} < 3' / »» bravo", seen: 'alpha alpha alpha bravo', out: { n: 3 } },
  { about: '33 back, counted from the command', text: "define / » cursor / »» alpha / »» inc n / »» back 2, if: '${n} < 3' / »» bravo", seen: 'alpha bravo', out: { n: 3 } },
  { about: '34 jump to a ref', text: 'define / » cursor / »» jump to: bravo / »» participant alpha / »» participant ref: bravo', seen: 'bravo' },
  { about: '35 jump past the end', text: 'define / » cursor / »» alpha / »» jump to: 10 / »» bravo', seen: 'alpha' },
  { about: '35 jump nowhere', text: 'define / » cursor / »» alpha / »» jump to: nada / »» bravo', seen: 'alpha bravo' },
  { about: '36 break_if', text: "define / » cursor break_if: '${b}' / »» alpha / »» set b: 1 / »» bravo", seen: 'alpha' },
  { about: '37 repeat', text: "define / » repeat / »» alpha / »» inc n / »» break if: '${n} == 3'", seen: 'alpha alpha alpha' },
  { about: '38 a command in a field', text: '["define",{},[["cursor",{},[["alpha",{},[]],["set",{"__command__":["jump","charly"]},[]],["bravo",{},[]],["charly",{},[]]]]]]', seen: 'alpha charly' },
  { about: '39 iterator', text: "define / » iterator on: 'a, b' / »» participant '${v:i}${v:ii}' / » participant 'after ${v:i}'", seen: 'a0 b1 after b' },
  { about: '40 stops at null', text: 'define / » iterator on_f: l / »» participant \'p${v:i}\'', fields: { l: ['a', null, 'b'] }, seen: 'pa' },
  { about: '41 skip', text: "define / » iterator on: 'a,b,c,d' / »» participant '${v:i}' / »» skip 1, if: '${v:i} == a'", seen: 'a c d' },
  { about: '41 jump to the last', text: "define / » iterator on: 'a,b,c,d' / »» participant '${v:i}' / »» jump to: '-1', if: '${v:i} == a'", seen: 'a d' },
  { about: '42 isolate', text: "define / » citerator on: 'a,b', to: x, merge_type: isolate / »» noop", seen: '', out: { 0: { x: 'a' }, 1: { x: 'b' } } },
  { about: '43 add_branches', text: "define / » citerator on: 'a,b' / »» sequence / »»» participant '${v:i}' / »»» add_branches 'c,d', if: '${v:i} == a'", seen: 'a b c d' },
  { about: '44 count', text: 'define / » concurrence count: 1 / »» sp / »» bravo / » charly', seen: 'sp bravo cancel sp charly' },
  { about: '45 a count that is none', text: 'define / » concurrence count: abc / »» alpha / »» bravo / » charly', seen: 'alpha bravo charly' },
  { about: '46 wait_for', text: "define / » concurrence wait_for: 'a, b' / »» alpha tag: a / »» bravo tag: b / »» sp tag: c / » charly", seen: 'alpha bravo sp cancel sp charly' },
  { about: '48 concat', text: "define / » concurrence merge_type: concat / »» alpha / »» bravo", fields: { l: ['q'] }, answers: { alpha: [{ l: ['q', 'a'], x: 'A' }], bravo: [{ l: ['q', 'b'], x: 'B' }] }, seen: 'alpha bravo', out: { l: ['q', 'a', 'q', 'b'], x: 'B' } },
  { about: '48 union', text: "define / » concurrence merge_type: union / »» alpha / »» bravo", answers: { alpha: [{ l: ['q', 'a'] }], bravo: [{ l: ['q', 'b'] }] }, seen: 'alpha bravo', out: { l: ['q', 'a', 'b'] } },
  { about: '49 over_if', text: "define / » concurrence over_if: '${over}' / »» sp / »» bravo", answers: { bravo: [{ over: true, x: 1 }] }, seen: 'sp bravo cancel sp', out: { over: true, x: 1 } },
  { about: '50 variables are shared', text: "define / » set 'v:x': 1 / » concurrence / »» inc 'v:x' / »» inc 'v:x' / » participant 'x${v:x}'", seen: 'x3' },
  { about: '51 flank', text: 'define / » sequence / »» sp flank: true / »» alpha', seen: 'sp alpha cancel sp' },
  { about: '52 forget', text: "define / » set 'v:x': 1 / » sequence forget: true / »» set 'v:x': 2 / » participant 'x${v:x}'", seen: 'x1' },
  { about: '53 timeout', text: 'define / » sp timeout: 1s / » charly', seen: 'sp timeout sp charly', status: 'completed' },
  { about: 'a stack of nobody has its attributes', text: "define / » sequence timeout: 1s / »» concurrence merge_type: stack / »»» sp", seen: 'sp timeout sp', out: { stack_attributes: { merge_type: 'stack' } }, without: ['stack'] },
  { about: '54 on_timeout, the inner first', text: 'define / » sequence timeout: 1s, on_timeout: alpha / »» sp on_timeout: bravo', seen: 'sp timeout sp bravo alpha' },
  { about: '55 timers', text: "define / » sp timers: '1s: alpha, 2s: timeout'", seen: 'sp alpha timeout sp' },
  { about: '56 a timer that raises', text: "define / » sp timers: '1s: error ouch'", seen: 'sp cancel sp', error: 'ForcedError: ouch' },
  { about: '57 pass', text: "define / » sequence on_error: pass / »» set a: 1 / »» error boo / »» bravo / » charly", seen: 'charly', out: { a: 1 }, without: ['__error__x'] },
  { about: '58 a handler', text: 'define / » sequence on_error: alpha / »» error boo / » bravo', seen: 'alpha bravo' },
  { about: '59 the search ends', text: "define on_error: alpha / » sequence on_error: '' / »» error boo", seen: '', error: 'boo' },
  { about: '60 retries', text: "define / » sequence on_error: 'retry * 2, pass' / »» alpha / »» error boo / » bravo", seen: 'alpha alpha alpha bravo' },
  { about: '61 jump', text: "define / » cursor on_error: 'jump charly' / »» alpha / »» error boo / »» bravo / »» charly", seen: 'alpha charly' },
  { about: '63 undo runs on_cancel', text: 'define / » concurrence / »» sequence tag: x, on_cancel: alpha / »»» sp / »» sequence / »»» bravo / »»» undo x', seen: 'sp bravo cancel sp alpha' },
  { about: '63 kill does not', text: 'define / » concurrence / »» sequence tag: x, on_cancel: alpha / »»» sp / »» sequence / »»» bravo / »»» kill x', seen: 'sp bravo cancel sp' },
  { about: '64 take', text: 'define / » sequence take: a / »» set a: 1 / »» set b: 2', seen: '', out: { a: 1 }, without: ['b'] },
  { about: '64 discard', text: 'define / » sequence discard: true / »» set a: 1', seen: '', without: ['a'] },
  { about: '65 filter, or', text: 'define / » filter x, type: string, or: missing', fields: { x: 1 }, seen: '', out: { x: 'missing' } },
  { about: '65 filter', text: 'define / » filter x, type: string', fields: { x: 1 }, seen: '', error: 'Ruote::ValidationError' },
  { about: '65 filter, record', text: 'define / » filter x, type: string, record: true', fields: { x: 1 }, seen: '', out: { x: 1 } },
]; // biome-ignore format: a table

const written = (text: string): string =>
  text.startsWith('[')
    ? text
    : `${text
        .replaceAll(/ ?\/ /g, '\n')
        .replaceAll('»', '  ')
        .replaceAll(/^( +) /gm, '$1')}\n`;

describe('small definitions', () => {
  test.each(rows)('$about: $text', ({ text, seen, out, without = [], status, error, ...how }) => {
    const result = play(written(text), how);
    expect(result.seen.join(' ')).toBe(seen);
    if (error === undefined) expect(result.errors).toEqual([]);
    else expect(result.errors.join()).toContain(error);
    if (status !== undefined) expect(result.status).toBe(status);
    if (out !== undefined) expect(result.fields).toMatchObject(out);
    for (const name of without) expect(Object.keys(result.fields)).not.toContain(name);
  });
});
