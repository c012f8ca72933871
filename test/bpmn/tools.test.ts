import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { JsonObject } from '../../src/model/json.ts';
import type { Behaviour, Case, ScriptStep } from './cases.ts';
import { bpmnInProcess } from './in-process.ts';
import { replayBpmn } from './replay.ts';

/* Diagrams as tools write them (tools/README.md): they run, or what does not is refused by name. */

type More = {
  readonly fields?: JsonObject;
  readonly process?: string;
  readonly callbacks?: readonly string[];
  readonly participants?: { readonly [name: string]: readonly Behaviour[] };
  readonly script?: readonly ScriptStep[];
};

async function plays(file: string, wanted: Case['expect'], more: More = {}): Promise<void> {
  const text = readFileSync(new URL(`tools/${file}.bpmn`, import.meta.url), 'utf8');
  const one: Case = {
    ...{ name: file, about: '', group: 'tools', file, text, also: [], validate: false },
    ...{ process: more.process ?? null, fields: more.fields ?? {}, callbacks: more.callbacks ?? null },
    ...{ participants: more.participants ?? {}, script: more.script ?? [], expect: wanted },
  };
  expect(await replayBpmn(one, bpmnInProcess())).toEqual([]);
}
const asked = (...ids: readonly string[]) => ids.map((id) => ({ participant: id, element: id }));
const completed = (
  dispatches: Case['expect']['dispatches'],
  ends: readonly string[],
  more: Case['expect'] = {},
): Case['expect'] => ({
  ...{ outcome: 'completed', order: 'total', dispatches: dispatches ?? [], ends, errors: [] },
  ...more,
});
const hold = [{ hold: true }] as const;

test('Camunda Modeler for Camunda 8: forms, assignments, mappings, a loop back, an event sub-process', async () => {
  const fields = { amount: 10, clerk: 'anne' };
  await plays(
    'camunda-8',
    completed(
      [
        { participant: 'anne', element: 'Activity_check' },
        { participant: 'anne', element: 'Activity_check' },
        {
          ...{ participant: 'pay', element: 'Activity_pay' },
          fields: { ...fields, limit: 20, verdict: 'good', payment: { amount: 10, currency: 'EUR' } },
        },
      ],
      ['EndEvent_1'],
      { final_fields: { ...fields, limit: 20, verdict: 'good', receipt: 7 } },
    ),
    {
      fields,
      callbacks: ['boss', 'anne', 'pay'],
      participants: {
        anne: [{ reply: { verdict: 'bad' } }, { reply: { verdict: 'good' } }],
        pay: [{ reply: { receipt: { number: 7 } } }],
      },
    },
  );
  await plays(
    'camunda-8',
    completed([{ participant: 'boss', element: 'Activity_check' }], ['End_err'], {
      final_fields: { ...fields, limit: 20, why: 'REFUSED' },
    }),
    { fields, callbacks: ['boss'], participants: { boss: [{ bpmn_error: 'REFUSED' }] } },
  );
});

test('Camunda Modeler for Camunda 7: pools, lanes, listeners, delegates, groups and topics', () =>
  plays(
    'camunda-7',
    completed(
      [
        { participant: 'directors', element: 'approve' },
        { participant: 'mail', element: 'remind' },
        { participant: 'mail', element: 'remind' },
        { participant: 'store', element: 'ship' },
      ],
      ['done'],
      { final_fields: { amount: 6, twice: 11, approved: true } },
    ),
    {
      fields: { amount: 6, twice: 11 },
      callbacks: ['store', 'mail', 'directors'],
      participants: { directors: hold },
      script: [
        { do: 'advance', seconds: 10_000 },
        { do: 'proceed', after_dispatch: 'directors', fields: { approved: true } },
      ],
    },
  ));

test('Signavio: ids that begin with sid, metadata, a diverging and a converging inclusive gateway', async () => {
  await plays('signavio', completed(asked('sid-A', 'sid-C'), ['sid-E']), {
    participants: { 'sid-A': [{ reply: { phone: true, letter: true } }] },
  });
  await plays('signavio', completed([{ participant: 'Back office', element: 'sid-A' }], ['sid-E']), {
    callbacks: ['Back office'],
    participants: { 'Back office': [{ reply: { phone: false, letter: false } }] },
  });
});

test('Bizagi: an empty process beside the real one, which is named; data, groups, a loop', async () => {
  await plays('bizagi', { outcome: 'refused', refused: [{ element: '*', message: '"Id_main", "Id_real"' }] });
  await plays('bizagi', completed(asked('Id_u', 'Id_u'), ['Id_e']), {
    process: 'Id_real',
    participants: { Id_u: [{ reply: { signed: false } }, { reply: { signed: true } }] },
    script: [{ do: 'advance', seconds: 9_001 }],
  });
});

test('Flowable: its own attributes, a receive task, escalation beside and a signal at a boundary', async () => {
  await plays('flowable', completed(asked('u'), ['e3', 'ie', 'e']), {
    script: [{ do: 'message', name: 'payment', fields: {} }],
  });
  await plays(
    'flowable',
    completed(asked('u'), ['e2'], { cancels: [{ participant: 'u', element: 'u', status: 'cancel' }] }),
    { participants: { u: hold }, script: [{ do: 'signal', name: 'alarm' }] },
  );
});

test('jBPM: references with prefixes, data specifications, a potential owner that is a resource', () =>
  plays(
    'jbpm',
    completed(
      [
        { participant: 'clerks', element: '_U' },
        { participant: '_T', element: '_T' },
      ],
      ['_E'],
      { final_fields: { amount: 3 } },
    ),
    {
      callbacks: ['_T', 'clerks'],
      script: [{ do: 'message', name: 'go', fields: { amount: 3 } }],
    },
  ));

test('Trisotech: links over pages, a sub-process done several times, a loop back', () =>
  plays('trisotech', completed(asked('_order', '_order', '_order', '_order'), ['_end']), {
    fields: { wanted: ['a', 'b'], rounds: 0 },
    participants: { _order: [{ reply: { rounds: 1 } }, { reply: { rounds: 1 } }, { reply: { rounds: 2 } }] },
  }));

test('what was done in a sub-process is undone, the latest first, after an error at a boundary', () =>
  plays('undo', completed(asked('flight', 'hotel', 'pay', 'nohotel', 'noflight'), ['be', 'sorry']), {
    participants: { pay: [{ bpmn_error: 'NO' }] },
  }));

test('several pools with message flows: the one that can be executed runs, whatever the others hold', () =>
  plays('several-pools', completed([], ['Send'])));

test('a file written by hand: comments, single quotes, CDATA, flows without ids', async () => {
  await plays('by-hand', completed(asked('a'), ['out']), { fields: { n: 1 } });
  await plays('by-hand', completed([], ['out']), { fields: { n: 5 } });
  await plays(
    'by-hand',
    {
      outcome: 'error',
      order: 'total',
      dispatches: [],
      ends: [],
      errors: [{ element: 'fork', class: 'NoFlow', message: 'fork' }],
    },
    { fields: { n: 0 } },
  );
});

test('lanes in lanes: a task is for the innermost; a process without start and end events', () =>
  plays(
    'lanes',
    completed(
      [
        { participant: 'phone', element: 'call' },
        { participant: 'letters', element: 'write' },
      ],
      [],
    ),
    { callbacks: ['phone', 'letters', 'Sales'] },
  ));

test('event sub-processes beside: a message as often as it comes, a cycle, and a date at the boundary', async () => {
  const script: ScriptStep[] = [
    { do: 'message', name: 'note', fields: {} },
    { do: 'message', name: 'note', fields: {} },
  ];
  await plays('watching', completed(asked('work', 'read', 'read'), ['te', 'te', 'ke', 'ke', 'ie', 'e']), {
    fields: { order: 7 },
    participants: { work: hold },
    script: [...script, { do: 'advance', seconds: 10_000 }, { do: 'proceed', after_dispatch: 'work', fields: {} }],
  });
  await plays(
    'watching',
    completed(asked('work'), ['ke', 'ke', 'late'], {
      cancels: [{ participant: 'work', element: 'work', status: 'timeout' }],
    }),
    { participants: { work: hold }, script: [{ do: 'advance', seconds: 90_000 }] },
  );
});

test('what is not run is refused by name, all of it at once', () =>
  plays('not-run', {
    outcome: 'refused',
    refused: [
      { element: 's1', message: 'conditional event "s1"' },
      { element: 's2', message: 'several event definitions' },
      { element: 'tx', message: 'transaction "tx" is not supported' },
      { element: 'txc', message: 'cancel event "txc"' },
      { element: 'ah', message: 'adHocSubProcess "ah" is not supported' },
      { element: 'cg', message: 'complexGateway "cg" is not supported' },
      { element: 'eg', message: 'that starts a process' },
      { element: 'rt', message: 'messageRef of "rt" names "nothing"' },
      { element: 'j1', message: '${approved}' },
      { element: 'j2', message: 'the language "javascript"' },
    ],
  }));
