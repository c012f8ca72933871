import { describe, expect, test } from 'vitest';
import type { Happening } from '../../src/model/stimulus.ts';
import { type Outcome, outcome, type Play, play } from './play.ts';

/*
 * Handlers, timers, listeners, forks and administrators in each other's way. As in the table of small definitions: participants whose
 * name begins with `sp` wait, all others answer at once.
 */

type Row = Play & { readonly text: string; readonly seen: string; readonly then?: readonly Happening['kind'][]; readonly status?: string; readonly error?: string }; // biome-ignore format: one line

const written = (text: string): string =>
  `${text
    .replaceAll(/ ?\/ /g, '\n')
    .replaceAll('»', '  ')
    .replaceAll(/^( +) /gm, '$1')}\n`;

function run({ text, then = [], ...how }: Row): Outcome {
  const { driver } = play(written(text), how);
  for (const kind of then) {
    const [open] = driver.open();
    const [error] = driver.world.whole(driver.id).errors.keys();
    if (kind === 'cancel' || kind === 'kill' || kind === 'pause' || kind === 'resume') driver.stimulate({ kind });
    else if (kind === 'proceed' && open !== undefined)
      driver.stimulate({ kind, workitem: open.id, fields: { given: 1 } });
    else if (kind === 'fail' && open !== undefined)
      driver.stimulate({ kind, workitem: open.id, class: 'RuntimeError', message: 'no' });
    else if (kind === 'replay' && error !== undefined)
      driver.stimulate({ kind, expression: error as never, fields: null, tree: null });
    driver.settle();
  }
  return outcome(driver);
}

const groups: { readonly [group: string]: readonly Row[] } = {
  timers: [
    { text: "define / » sp timers: [ [ '1s', alpha ], [ 2, timeout ] ] / » bravo", seen: 'sp alpha timeout sp bravo' },
    { text: "define / » sequence timers: '1s: pass' / »» sp / » bravo", seen: 'sp cancel sp bravo' },
    { text: "define / » sp timers: '1s: redo' / » bravo", time: 2, seen: 'sp cancel sp sp cancel sp sp' },
    { text: "define / » cursor / »» alpha / »» sp timers: '1s: skip 2' / »» bravo / »» charly / » doug", seen: 'alpha sp cancel sp doug' },
    { text: "define / » cursor / »» alpha / »» sp timers: '1s: jump to charly' / »» bravo / »» charly", seen: 'alpha sp cancel sp charly' },
    { text: "define / » sp timers: '1s: err', on_error: alpha", seen: 'sp cancel sp alpha' },
    { text: "define / » sp timers: '2030-01-01 10:00: alpha, 1s: timeout'", seen: 'sp timeout sp' },
    { text: "define / » sp timers: 'nonsense'", seen: '', error: 'has no action' },
  ],
  'on_timeout': [
    { text: 'define / » sp timeout: 1s, on_timeout: redo', time: 2, seen: 'sp timeout sp sp timeout sp sp' },
    { text: "define / » sp timeout: 1s, on_timeout: '' / » bravo", seen: 'sp timeout sp bravo' },
    { text: "define / » sp timeout: 1s, on_timeout: 'error oh no' / » bravo", seen: 'sp timeout sp', error: 'oh no' },
    { text: 'define / » sp timeout: 1s, on_timeout: cancel, on_cancel: alpha / » bravo', seen: 'sp timeout sp alpha bravo' },
    { text: 'define / » cursor / »» sp timeout: 1s, on_timeout: break / »» alpha', seen: 'sp timeout sp' },
    { text: "define / » cursor / »» sp timeout: 1s, on_timeout: 'jump to bravo' / »» alpha / »» bravo", seen: 'sp timeout sp bravo' },
    { text: 'define / » sp timeout: 1s, on_timeout: alpha / » bravo', answers: { alpha: [{ __on_timeout__: 'redo' }, {}] }, seen: 'sp timeout sp alpha sp timeout sp alpha bravo' },
  ],
  'on_error': [
    { text: "define / » sequence on_error: 'retry * 2' / »» alpha / »» error boo", seen: 'alpha alpha alpha', error: 'boo' },
    { text: "define / » sequence on_error: [ { null: 'retry * 2' } ] / »» alpha / »» error boo", seen: 'alpha alpha alpha', error: 'boo' },
    { text: "define / » sequence / »» on_error /oo/: '1s: retry * 2, bravo' / »» alpha / »» error boo", seen: 'alpha alpha alpha bravo' },
    { text: "define / » sequence on_error: '1s: retry * 2, 1m: alpha, pass' / »» doug / »» error boo / » charly", seen: 'doug doug doug alpha charly' },
    { text: "define / » sequence on_error: [ { '/x/': alpha }, { null: bravo } ] / »» error boo", seen: 'bravo' },
    { text: 'define / » sequence on_error: [ { oo: alpha } ] / »» error boo', seen: '', error: 'boo' },
    { text: "define / » sequence on_error: [ { 'Ruote::ForcedError': alpha } ] / »» error boo", seen: 'alpha' },
    { text: "define / » sequence / »» on_error 'boo' / »»» alpha / »»» bravo / »» error boo / » charly", seen: 'alpha bravo charly' },
    { text: 'define / » sequence / »» error boo / »» on_error alpha / » charly', seen: '', error: 'boo' },
    { text: 'define / » sequence on_error: alpha / »» set flank: true / »» sp / » bravo', seen: 'sp error sp alpha bravo' },
    { text: 'define / » sequence on_error: alpha / »» bravo / »» error boo / » charly', answers: { alpha: [{ __on_error__: 'pass' }] }, seen: 'bravo alpha charly' },
    { text: 'define / » sequence on_error: alpha / »» bravo / »» error boo / » charly', answers: { alpha: [{ __on_error__: 'break' }] }, seen: 'bravo alpha charly' },
    { text: 'define / » sequence on_error: alpha / »» bravo / »» error boo / » charly', answers: { alpha: [{ __on_error__: 'doug' }] }, seen: 'bravo alpha doug charly' },
  ],
  'cancelled while': [
    { text: 'define / » set', then: ['cancel'], seen: '', status: 'cancelled' },
    { text: 'define / » inc', then: ['cancel'], seen: '', status: 'cancelled' },
    { text: 'define / » sp on_cancel: 5', then: ['cancel', 'cancel'], seen: 'sp cancel sp', status: 'cancelled' },
    { text: 'define on_error: retry / » sequence / »» sp', then: ['cancel'], seen: 'sp cancel sp', status: 'cancelled' },
    { text: "define / » concurrence / »» bravo await: 'left_tag: nope' / »» charly", then: ['cancel'], seen: 'charly', status: 'cancelled' },
    { text: 'define / » sequence / »» sp lose: true / » charly', then: ['cancel'], seen: 'sp cancel sp', status: 'cancelled' },
    { text: 'define / » sp forget: true / » charly', then: ['cancel'], seen: 'sp charly cancel sp', status: 'cancelled' },
    { text: 'define / » sequence forget: true, flank: true / »» sp / » charly', then: ['cancel'], seen: 'sp charly cancel sp', status: 'cancelled' },
    { text: 'define / » lose / »» alpha / »» sp / » charly', then: ['cancel'], seen: 'alpha sp cancel sp', status: 'cancelled' },
    { text: 'define / » sequence / »» sp flank: true / »» sp2 / » charly', then: ['kill'], seen: 'sp sp2 cancel sp cancel sp2', status: 'killed' },
    { text: 'define / » sequence / »» sp flank: true, on_cancel: alpha / »» bravo / » charly', seen: 'sp bravo cancel sp charly alpha', status: 'completed' },
    { text: 'define / » concurrence / »» reserve m / »»» sp / »» reserve m, timeout: 1s / »»» alpha / » charly', then: ['proceed'], seen: 'sp charly', status: 'running' },
    { text: 'define / » every 1s / »» alpha', time: 3, then: ['cancel'], seen: 'alpha alpha alpha', status: 'cancelled' },
  ],
  'tags and commands': [
    { text: 'define / » sequence tag: x / »» sequence / »»» alpha / »»» undo x / »»» sp / » charly', seen: 'alpha sp cancel sp charly' },
    { text: "define / » sequence tag: x, on_cancel: redo / »» inc 'v:/n' / »» alpha / »» undo x, if: '${v:/n} < 3' / »» bravo", seen: 'alpha alpha alpha bravo' },
    { text: "define / » sequence tag: x / »» inc 'v:/n' / »» alpha / »» redo x, if: '${v:/n} < 3' / »» bravo", seen: 'alpha alpha alpha bravo' },
    { text: 'define / » concurrence / »» sequence tag: x / »»» sp / »» redo x / » charly', seen: 'sp cancel sp sp' },
    { text: "define / » sequence tag: a, timeout: 1s, on_timeout: alpha / »» sp / » participant 'p${v:__past_tags__.0.2}'", seen: 'sp timeout sp alpha ptimed out' },
    { text: "define / » concurrence / »» sequence tag: a / »»» sp / »» kill a / » participant 'p${v:__past_tags__.0.2}'", seen: 'sp cancel sp pkilled' },
  ],
  'await and listen': [
    { text: "define / » concurrence / »» alpha tag: x / »» bravo await: x / »» charly await: 'in_tag: x'", seen: 'alpha charly bravo' },
    { text: "define / » concurrence / »» bravo await: 'out_participants: /char/, x' / »» charly / » doug", seen: 'charly bravo doug' },
    { text: 'define / » concurrence / »» sequence tag: y / »»» bravo await: x / »» undo y / » doug', seen: 'doug' },
    { text: "define / » bravo await: 'error: x'", seen: '', error: 'await does not understand' },
    { text: 'define / » concurrence count: 1 / »» await left_tag: x / »»» alpha / »» sequence / »»» bravo tag: x / »»» bravo tag: x / »»» charly', seen: 'bravo bravo alpha charly alpha' },
    { text: "define / » concurrence count: 1 / »» listen to: errors, msg: '/bo+/' / »» error boo / » charly", seen: 'charly' },
    { text: 'define / » concurrence count: 1 / »» await error: RuntimeError / »» error boo / » charly', seen: '', error: 'boo' },
    { text: 'define / » listen to: x, upon: nada', seen: '', error: 'does not know upon' },
  ],
  concurrences: [
    { text: 'define / » concurrence remaining: wait, count: 1 / »» sp on_cancel: alpha / »» bravo / » charly', seen: 'sp bravo cancel sp alpha charly' },
    { text: 'define / » concurrence remaining: forget, count: 1 / »» sp / »» bravo / » charly', then: ['cancel'], seen: 'sp bravo charly cancel sp', status: 'cancelled' },
    { text: 'define / » concurrence remaining: wait, count: 0 / »» sp / »» sp2 / » charly', seen: 'sp cancel sp sp2 cancel sp2 charly' },
    { text: 'define / » concurrence wait_for: nope, remaining: wait / »» alpha tag: x / »» bravo / » charly', seen: 'alpha bravo charly' },
    { text: 'define / » concurrence count: 1, lose: true / »» alpha / »» sp / » charly', then: ['cancel'], seen: 'alpha sp cancel sp', status: 'cancelled' },
    { text: 'define / » sequence / »» citerator on: a, remaining: forget, flank: true / »»» sp / »» bravo / » charly', seen: 'sp bravo cancel sp charly', status: 'completed' },
    { text: "define / » concurrence / »» citerator times: 2, tag: c / »»» participant 'sp${v:i}' / »» add_branches 2, ref: c", seen: 'sp0 sp1 sp2 sp3' },
  ],
  administrators: [
    { text: 'define / » sp / » bravo', then: ['pause', 'proceed', 'proceed'], seen: 'sp', status: 'paused' },
    { text: 'define / » sp / » bravo', then: ['pause', 'proceed', 'resume'], seen: 'sp bravo', status: 'running' },
    { text: 'define / » sp / » bravo', then: ['pause', 'cancel'], seen: 'sp cancel sp', status: 'cancelled' },
    { text: 'define / » sp / » bravo', then: ['fail', 'proceed'], seen: 'sp bravo', status: 'running' },
    { text: 'define / » sp / » bravo', then: ['fail', 'replay', 'proceed'], seen: 'sp sp bravo', status: 'running' },
    { text: 'define / » sp / » bravo', then: ['fail', 'kill'], seen: 'sp', status: 'killed' },
    { text: 'define / » error boo / » sp', then: ['replay'], seen: 'sp', status: 'running' },
    { text: "define / » concurrence over_if: '1 > x' / »» alpha / »» sp", then: ['replay', 'proceed', 'replay', 'cancel'], seen: 'alpha sp', status: 'cancelled' },
  ],
}; // biome-ignore format: a table

describe.each(Object.entries(groups))('%s', (_, rows) => {
  test.each(rows)('$text', (row) => {
    const result = run(row);
    expect(result.seen.join(' ')).toBe(row.seen);
    if (row.error === undefined) expect(row.status === undefined ? result.errors : []).toEqual([]);
    else expect(result.errors.join()).toContain(row.error);
    if (row.status !== undefined) expect(result.status).toBe(row.status);
  });
});

test('a pattern that cannot be used handles nothing: the error waits where it happened, and says so', () => {
  for (const pattern of ['/(/', '/a**/', `/${'\u{1F600}'.repeat(600)}/`]) {
    const { driver } = play(`define\n  sequence on_error: [ { '${pattern}': 'alpha' } ]\n    error 'gone'\n`, {});
    const [row] = driver.world.whole(driver.id).errors.values();
    expect(row).toMatchObject({ class: expect.stringMatching(/ForcedError|RuntimeError/) });
    expect(row?.message).toMatch(/^gone \(on_error could not be asked: cannot use the regular expression/);
    driver.stimulate({ kind: 'kill' });
    expect(driver.status()).toBe('killed');
  }
});
