import { expect, test } from 'vitest';
import { unpackHistory } from '../../src/model/history.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { LIMITS } from '../../src/model/stimulus.ts';
import type { Behaviour, Case, ScriptStep } from './cases.ts';
import { bpmnInProcess } from './in-process.ts';
import { replayBpmn } from './replay.ts';

/* Rules that no recorded case asks for, each on a small diagram of its own. */

const file = (inside: string): string =>
  `<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"><message id="m" name="paid"/><signal id="s" name="alarm"/><error id="e1" errorCode="E1"/><error id="e2" errorCode="E2"/><escalation id="esc" escalationCode="X"/><process id="p">${inside}</process></definitions>`;
let flows = 0;
const path = (...ids: readonly string[]): string =>
  ids
    .slice(1)
    .map((to, i) => `<sequenceFlow id="f${++flows}" sourceRef="${ids[i]}" targetRef="${to}"/>`)
    .join('');
const io = (inside: string): string =>
  `<extensionElements><zeebe:ioMapping>${inside}</zeebe:ioMapping></extensionElements>`;
const ask = (id: string, inside = ''): string => `<serviceTask id="${id}">${inside}</serviceTask>`;
const end = (id: string, inside = ''): string => `<endEvent id="${id}">${inside}</endEvent>`;
const start = '<startEvent id="st"/>';

type More = {
  readonly fields?: JsonObject;
  readonly participants?: { readonly [name: string]: readonly Behaviour[] };
  readonly script?: readonly ScriptStep[];
  readonly callbacks?: readonly string[];
};
const caseOf = (inside: string, wanted: Case['expect'], more: More = {}): Case => ({
  name: 'rule',
  about: '',
  group: 'rules',
  file: '',
  text: file(inside),
  also: [],
  process: null,
  validate: false,
  fields: more.fields ?? {},
  callbacks: more.callbacks ?? null,
  participants: more.participants ?? {},
  script: more.script ?? [],
  expect: wanted,
});
async function plays(inside: string, wanted: Case['expect'], more: More = {}): Promise<void> {
  const one = caseOf(inside, wanted, more);
  expect(await replayBpmn(one, bpmnInProcess())).toEqual([]);
  // The same with a step that stops after every message.
  expect(await replayBpmn(one, bpmnInProcess({ ...LIMITS, messages: 1 }))).toEqual([]);
}
const when = (text: string): string =>
  `<conditionalEventDefinition><condition>${text}</condition></conditionalEventDefinition>`;
const dispatches = (...ids: readonly string[]) => ids.map((id) => ({ participant: id, element: id }));
const hold = [{ hold: true }] as const;

test('a signal thrown in one branch is caught at the boundary of another', () =>
  plays(
    `${start}<parallelGateway id="g"/>${ask('a')}${ask('b')}<boundaryEvent id="bs" attachedToRef="b"><signalEventDefinition signalRef="s"/></boundaryEvent><intermediateThrowEvent id="th"><signalEventDefinition signalRef="s"/></intermediateThrowEvent>${end('e')}${end('x')}${end('y')}${path('st', 'g', 'a', 'th', 'e')}${path('g', 'b', 'y')}${path('bs', 'x')}`,
    {
      outcome: 'completed',
      order: 'total',
      dispatches: dispatches('a', 'b'),
      cancels: [{ participant: 'b', element: 'b', status: 'cancel' }],
      ends: ['e', 'x'],
      errors: [],
    },
    { participants: { b: hold } },
  ));

test('an escalation beside goes on, and starts what catches it', () =>
  plays(
    `${start}<subProcess id="sub"><startEvent id="s1"/><intermediateThrowEvent id="th"><escalationEventDefinition escalationRef="esc"/></intermediateThrowEvent>${ask('in')}${end('ie')}${path('s1', 'th', 'in', 'ie')}</subProcess><boundaryEvent id="b" attachedToRef="sub" cancelActivity="false"><escalationEventDefinition escalationRef="esc"/></boundaryEvent>${ask('told')}${end('te')}${end('e')}${path('st', 'sub', 'e')}${path('b', 'told', 'te')}`,
    {
      outcome: 'completed',
      order: 'partial',
      dispatches: dispatches('in', 'told'),
      ends: ['ie', 'te', 'e'],
      errors: [],
    },
  ));

test('an error goes outwards to the scope that names it', () =>
  plays(
    `${start}<subProcess id="outer"><startEvent id="s1"/><subProcess id="inner"><startEvent id="s2"/>${end('boom', '<errorEventDefinition errorRef="e1"/>')}${path('s2', 'boom')}</subProcess><boundaryEvent id="b2" attachedToRef="inner"><errorEventDefinition errorRef="e2"/></boundaryEvent>${end('no')}${end('ie')}${path('s1', 'inner', 'ie')}${path('b2', 'no')}</subProcess><boundaryEvent id="b1" attachedToRef="outer"><errorEventDefinition errorRef="e1"/></boundaryEvent>${ask('repair')}${end('re')}${end('e')}${path('st', 'outer', 'e')}${path('b1', 'repair', 're')}`,
    { outcome: 'completed', order: 'total', dispatches: dispatches('repair'), ends: ['boom', 're'], errors: [] },
  ));

test('a sub-process is done once per item, and its outputs are gathered', () =>
  plays(
    `${start}<subProcess id="each"><startEvent id="s1"/>${ask('w')}${end('ie')}${path('s1', 'w', 'ie')}<multiInstanceLoopCharacteristics><extensionElements><zeebe:loopCharacteristics inputCollection="=[1, 2]" inputElement="n" outputCollection="all" outputElement="=n * factor"/></extensionElements></multiInstanceLoopCharacteristics></subProcess>${end('e')}${path('st', 'each', 'e')}`,
    {
      outcome: 'completed',
      order: 'total',
      dispatches: dispatches('w', 'w'),
      ends: ['ie', 'ie', 'e'],
      final_fields: { all: [10, 20] },
      errors: [],
    },
    { participants: { w: [{ reply: { factor: 10 } }] } },
  ));

test('a standard loop goes on while its condition is true', () =>
  plays(
    `${start}<serviceTask id="a"><standardLoopCharacteristics loopMaximum="5"><loopCondition>=again</loopCondition></standardLoopCharacteristics></serviceTask>${end('e')}${path('st', 'a', 'e')}`,
    { outcome: 'completed', order: 'total', dispatches: dispatches('a', 'a', 'a'), ends: ['e'], errors: [] },
    { participants: { a: [{ reply: { again: true } }, { reply: { again: true } }, { reply: { again: false } }] } },
  ));

test('handlers run the latest first, each once', () =>
  plays(
    `${start}${ask('a')}${ask('b')}<serviceTask id="ua" isForCompensation="true"/><serviceTask id="ub" isForCompensation="true"/><boundaryEvent id="ca" attachedToRef="a"><compensateEventDefinition/></boundaryEvent><boundaryEvent id="cb" attachedToRef="b"><compensateEventDefinition/></boundaryEvent><association id="x1" sourceRef="ca" targetRef="ua"/><association id="x2" sourceRef="cb" targetRef="ub"/><intermediateThrowEvent id="t1"><compensateEventDefinition/></intermediateThrowEvent><intermediateThrowEvent id="t2"><compensateEventDefinition/></intermediateThrowEvent>${end('e')}${path('st', 'a', 'b', 't1', 't2', 'e')}`,
    { outcome: 'completed', order: 'total', dispatches: dispatches('a', 'b', 'ub', 'ua'), ends: ['e'], errors: [] },
  ));

test('a completed sub-process is undone by the handlers in it', () =>
  plays(
    `${start}<subProcess id="sub"><startEvent id="s1"/>${ask('a')}<serviceTask id="ua" isForCompensation="true"/><boundaryEvent id="ca" attachedToRef="a"><compensateEventDefinition/></boundaryEvent><association id="x1" sourceRef="ca" targetRef="ua"/>${end('ie')}${path('s1', 'a', 'ie')}</subProcess>${end('e', '<compensateEventDefinition/>')}${path('st', 'sub', 'e')}`,
    { outcome: 'completed', order: 'total', dispatches: dispatches('a', 'ua'), ends: ['ie', 'e'], errors: [] },
  ));

test('an event sub-process with a timer interrupts its scope', () =>
  plays(
    `${start}${ask('slow')}${end('e')}${path('st', 'slow', 'e')}<subProcess id="late" triggeredByEvent="true"><startEvent id="ts"><timerEventDefinition><timeDuration>PT1M</timeDuration></timerEventDefinition></startEvent>${ask('hurry')}${end('le')}${path('ts', 'hurry', 'le')}</subProcess>`,
    {
      outcome: 'completed',
      order: 'total',
      dispatches: dispatches('slow', 'hurry'),
      cancels: [{ participant: 'slow', element: 'slow', status: 'timeout' }],
      ends: ['le'],
      errors: [],
    },
    { participants: { slow: hold }, script: [{ do: 'advance', seconds: 60 }] },
  ));

test('a message that comes too early is kept for the event that waits later', () =>
  plays(
    `${start}${ask('a')}<intermediateCatchEvent id="c"><messageEventDefinition messageRef="m"/></intermediateCatchEvent>${end('e')}${path('st', 'a', 'c', 'e')}`,
    {
      outcome: 'completed',
      order: 'total',
      dispatches: dispatches('a'),
      ends: ['e'],
      final_fields: { amount: 3 },
      errors: [],
    },
    {
      participants: { a: hold },
      script: [
        { do: 'message', name: 'paid', fields: { amount: 3 } },
        { after_dispatch: 'a', do: 'proceed', fields: {} },
      ],
    },
  ));

test('a message thrown inside goes to whoever waits for it', () =>
  plays(
    `${start}<parallelGateway id="g"/><receiveTask id="r" messageRef="m"/><intermediateThrowEvent id="th">${io('<zeebe:input source="=1 + 1" target="amount"/>')}<messageEventDefinition messageRef="m"/></intermediateThrowEvent>${end('e')}${end('x')}${path('st', 'g', 'r', 'e')}${path('g', 'th', 'x')}`,
    { outcome: 'completed', order: 'total', dispatches: [], ends: ['e', 'x'], final_fields: { amount: 2 }, errors: [] },
  ));

test('a call of a process of the same file sees a copy and gives its variables back', () => {
  const inner = `<process id="q" isExecutable="false"><startEvent id="qs"/>${ask('w')}${end('qe')}${path('qs', 'w', 'qe')}</process>`;
  const text = file(`${start}<callActivity id="c" calledElement="q"/>${end('e')}${path('st', 'c', 'e')}`).replace(
    '</definitions>',
    `${inner}</definitions>`,
  );
  const one: Case = {
    name: 'call',
    about: '',
    group: 'rules',
    file: '',
    text,
    also: [],
    process: null,
    validate: false,
    fields: { a: 1 },
    callbacks: null,
    participants: { w: [{ reply: { b: 2 } }] },
    script: [],
    expect: {
      outcome: 'completed',
      order: 'total',
      dispatches: [{ participant: 'w', element: 'w', fields: { a: 1 } }],
      ends: ['qe', 'e'],
      final_fields: { a: 1, b: 2 },
      errors: [],
    },
  };
  return expect(replayBpmn(one, bpmnInProcess())).resolves.toEqual([]);
});

test('cancelling the workflow ends what runs in every scope', () =>
  plays(
    `${start}<subProcess id="sub"><startEvent id="s1"/><parallelGateway id="g"/>${ask('a')}${ask('b')}${end('ie')}${path('s1', 'g', 'a', 'ie')}${path('g', 'b', 'ie')}</subProcess>${end('e')}${path('st', 'sub', 'e')}`,
    {
      outcome: 'cancelled',
      order: 'total',
      dispatches: dispatches('a', 'b'),
      cancels: [
        { participant: 'a', element: 'a', status: 'cancel' },
        { participant: 'b', element: 'b', status: 'cancel' },
      ],
      ends: [],
      errors: [],
    },
    { participants: { a: hold, b: hold }, script: [{ do: 'cancel_workflow' }] },
  ));

test('a loop of gateways takes turns and is ended by a cancel', () =>
  plays(
    `${start}<exclusiveGateway id="g"/><exclusiveGateway id="h"/>${ask('a')}${path('st', 'a', 'g')}${path('g', 'h')}${path('h', 'a')}${end('e')}`,
    {
      outcome: 'cancelled',
      order: 'total',
      dispatches: dispatches('a', 'a'),
      cancels: [{ participant: 'a', element: 'a', status: 'cancel' }],
      ends: [],
      errors: [],
    },
    { participants: { a: [{ reply: {} }, { hold: true }] }, script: [{ do: 'cancel_workflow' }] },
  ));

test('every instance that was completed is undone', () =>
  plays(
    `${start}<serviceTask id="a"><multiInstanceLoopCharacteristics><loopCardinality>2</loopCardinality></multiInstanceLoopCharacteristics></serviceTask><boundaryEvent id="ca" attachedToRef="a"><compensateEventDefinition/></boundaryEvent><serviceTask id="ua" isForCompensation="true"/><association id="x" sourceRef="ca" targetRef="ua"/><intermediateThrowEvent id="t"><compensateEventDefinition activityRef="a"/></intermediateThrowEvent>${end('e')}${path('st', 'a', 't', 'e')}`,
    { outcome: 'completed', order: 'total', dispatches: dispatches('a', 'a', 'ua', 'ua'), ends: ['e'], errors: [] },
  ));

test('a failure without a code is caught by no boundary event', () =>
  plays(
    `${start}${ask('a')}<boundaryEvent id="b" attachedToRef="a"><errorEventDefinition/></boundaryEvent>${end('e')}${end('x')}${path('st', 'a', 'e')}${path('b', 'x')}`,
    {
      outcome: 'error',
      order: 'total',
      dispatches: dispatches('a'),
      ends: [],
      errors: [{ element: 'a', class: 'RuntimeError', message: 'no' }],
      remaining: ['a'],
    },
    { participants: { a: [{ fail: 'no' }] } },
  ));

test('a boundary event for failures takes a failure without a code, and an expression that cannot be computed', async () => {
  const takes = `<errorEventDefinition xmlns:rota="urn:rota:bpmn:1" rota:catches="failures"/>`;
  const inside = (task: string): string =>
    `${start}${task}<boundaryEvent id="b" attachedToRef="a">${takes}</boundaryEvent>${end('e')}${end('x')}${path('st', 'a', 'e')}${path('b', 'x')}`;
  await plays(
    inside(ask('a')),
    { outcome: 'completed', order: 'total', dispatches: dispatches('a'), ends: ['x'], errors: [] },
    { participants: { a: [{ fail: 'no' }] } },
  );
  await plays(inside(ask('a', io('<zeebe:input source="=1 / 0" target="n"/>'))), {
    outcome: 'completed',
    order: 'total',
    dispatches: [],
    ends: ['x'],
    errors: [],
  });
});

test('a condition in the notation of definitions reads the variables of the process', () =>
  plays(
    `${start}<exclusiveGateway id="g" default="no"/>${end('dear')}${end('cheap')}${path('st', 'g')}<sequenceFlow id="yes" sourceRef="g" targetRef="dear"><conditionExpression language="rota">\${f:order.total} &gt; 100</conditionExpression></sequenceFlow><sequenceFlow id="no" sourceRef="g" targetRef="cheap"/>`,
    { outcome: 'completed', order: 'total', dispatches: [], ends: ['dear'], errors: [] },
    { fields: { order: { total: 120 } } },
  ));

test('both ends of a link have output mappings', () =>
  plays(
    `${start}<intermediateThrowEvent id="th">${io('<zeebe:output source="=1" target="a"/>')}<linkEventDefinition name="l"/></intermediateThrowEvent><intermediateCatchEvent id="ca">${io('<zeebe:output source="=a + 1" target="b"/>')}<linkEventDefinition name="l"/></intermediateCatchEvent>${end('e')}${path('st', 'th')}${path('ca', 'e')}`,
    {
      outcome: 'completed',
      order: 'total',
      dispatches: [],
      ends: ['e'],
      final_fields: { a: 1, b: 2 },
      errors: [],
    },
  ));

test('where no flow can be taken the error tells what each condition gave', () =>
  plays(
    `${start}<exclusiveGateway id="g"/>${end('e')}${end('x')}${path('st', 'g')}<sequenceFlow id="one" sourceRef="g" targetRef="e"><conditionExpression>n &gt; 1</conditionExpression></sequenceFlow><sequenceFlow id="two" sourceRef="g" targetRef="x"><conditionExpression>n &gt; 2</conditionExpression></sequenceFlow>`,
    {
      outcome: 'error',
      order: 'total',
      dispatches: [],
      ends: [],
      errors: [{ element: 'g', class: 'NoFlow', message: 'one: n > 1 gave false; two: n > 2 gave false' }],
      remaining: ['g'],
    },
    { fields: { n: 0 } },
  ));

test('a conditional event waits until a variable makes its condition true', () =>
  plays(
    `${start}<parallelGateway id="g"/>${ask('a')}${ask('b')}<intermediateCatchEvent id="c">${when('amount &gt; 10')}</intermediateCatchEvent>${end('e')}${end('x')}${path('st', 'g', 'a', 'b', 'e')}${path('g', 'c', 'x')}`,
    {
      outcome: 'running',
      order: 'total',
      dispatches: dispatches('a', 'b'),
      ends: ['x'],
      errors: [],
      remaining: ['b'],
    },
    { participants: { a: [{ reply: { amount: 12 } }], b: hold } },
  ));

test('a conditional event that does not hold yet waits, and one that holds at once happens at once', async () => {
  const inside = `${start}<intermediateCatchEvent id="c">${when('amount &gt; 10')}</intermediateCatchEvent>${end('e')}${path('st', 'c', 'e')}`;
  await plays(
    inside,
    { outcome: 'running', order: 'total', dispatches: [], ends: [], errors: [], remaining: ['c'] },
    { fields: { amount: 3 } },
  );
  await plays(
    inside,
    { outcome: 'completed', order: 'total', dispatches: [], ends: ['e'], errors: [] },
    { fields: { amount: 11 } },
  );
});

test('a condition at the boundary interrupts its activity, and one beside happens with each change', () =>
  plays(
    `${start}<parallelGateway id="g"/>${ask('slow')}<boundaryEvent id="b" attachedToRef="slow">${when('state = "stop"')}</boundaryEvent><boundaryEvent id="n" attachedToRef="slow" cancelActivity="false">${when('count &gt; 1')}</boundaryEvent>${ask('one')}${ask('two')}${ask('three')}${end('e')}${end('x')}${end('y')}${end('z')}${path('st', 'g', 'slow', 'e')}${path('g', 'one', 'two', 'three', 'x')}${path('b', 'y')}${path('n', 'z')}`,
    {
      outcome: 'completed',
      order: 'total',
      dispatches: dispatches('slow', 'one', 'two', 'three'),
      cancels: [{ participant: 'slow', element: 'slow', status: 'cancel' }],
      ends: ['z', 'z', 'y', 'x'],
      errors: [],
    },
    {
      participants: {
        slow: hold,
        one: [{ reply: { count: 2 } }],
        two: [{ reply: { count: 3 } }],
        three: [{ reply: { state: 'stop' } }],
      },
    },
  ));

test('a condition may start an event sub-process, and be one of the ways of an event-based gateway', async () => {
  await plays(
    `${start}${ask('a')}${ask('b')}${end('e')}${path('st', 'a', 'b', 'e')}<subProcess id="sub" triggeredByEvent="true"><startEvent id="ss">${when('alarm')}</startEvent>${ask('help')}${end('se')}${path('ss', 'help', 'se')}</subProcess>`,
    {
      outcome: 'completed',
      order: 'total',
      // What follows is there for as long as the step lasts.
      dispatches: [...dispatches('a', 'help'), { participant: 'b', element: 'b', optional: true }],
      cancels: [{ participant: 'b', element: 'b', status: 'cancel', optional: true }],
      ends: ['se'],
      errors: [],
    },
    { participants: { a: [{ reply: { alarm: true } }], b: hold } },
  );
  await plays(
    `${start}<parallelGateway id="f"/>${ask('a')}<eventBasedGateway id="g"/><intermediateCatchEvent id="c">${when('paid = true')}</intermediateCatchEvent><intermediateCatchEvent id="t"><timerEventDefinition><timeDuration>P1D</timeDuration></timerEventDefinition></intermediateCatchEvent>${end('e')}${end('x')}${end('y')}${path('st', 'f', 'a', 'e')}${path('f', 'g', 'c', 'x')}${path('g', 't', 'y')}`,
    { outcome: 'completed', order: 'total', dispatches: dispatches('a'), ends: ['e', 'x'], errors: [] },
    { participants: { a: [{ reply: { paid: true } }] } },
  );
});

test('a condition sees the variables of its own scopes and no others', () =>
  plays(
    `${start}<parallelGateway id="g"/><subProcess id="sub">${io('<zeebe:input source="=1" target="n"/>')}<startEvent id="s1"/><intermediateCatchEvent id="c">${when('n = 2')}</intermediateCatchEvent>${end('ie')}${path('s1', 'c', 'ie')}</subProcess><serviceTask id="a">${io('<zeebe:input source="=2" target="n"/>')}</serviceTask>${end('e')}${end('x')}${path('st', 'g', 'sub', 'e')}${path('g', 'a', 'x')}`,
    {
      outcome: 'running',
      order: 'total',
      dispatches: dispatches('a'),
      ends: ['x'],
      errors: [],
      remaining: ['sub', 'c'],
    },
  ));

test('a condition that cannot be computed is an error of its element once its variables are there', () =>
  plays(
    `${start}<parallelGateway id="g"/>${ask('a')}<intermediateCatchEvent id="c">${when('n + 1')}</intermediateCatchEvent>${end('e')}${path('st', 'g', 'a', 'e')}${path('g', 'c', 'e')}`,
    {
      outcome: 'error',
      order: 'total',
      dispatches: dispatches('a'),
      ends: ['e'],
      errors: [{ element: 'c', class: 'ExpressionError', message: 'neither true nor false' }],
      remaining: ['c'],
    },
    { participants: { a: [{ reply: { n: 1 } }] } },
  ));

test('history tells which flow each token takes, unless it is not to', async () => {
  const inside = `${start}<parallelGateway id="g"/>${end('e')}${end('x')}<sequenceFlow id="in" sourceRef="st" targetRef="g"/><sequenceFlow id="one" sourceRef="g" targetRef="e"/><sequenceFlow id="two" sourceRef="g" targetRef="x"/>`;
  const passedIn = async (limits: typeof LIMITS) => {
    const player = bpmnInProcess(limits);
    const id = await player.launch(caseOf(inside, { outcome: 'completed' }));
    if (typeof id !== 'string') throw new Error('it was refused');
    return player.world
      .history(id)
      .flatMap((row) => unpackHistory(row.entries, id))
      .flatMap((entry) => (entry.kind === 'token.passed' ? [`${entry.element} ${entry.flow ?? '-'}`] : []));
  };
  expect(await passedIn(LIMITS)).toEqual(['st in', 'g one', 'g two', 'e -', 'x -']);
  expect(await passedIn({ ...LIMITS, flowEntries: 0 })).toEqual([]);
});

test('a name that is a key is asked before a pattern that another name fits', async () => {
  const inside = `${start}<serviceTask id="a"><extensionElements><zeebe:taskDefinition type="bill"/></extensionElements></serviceTask>${end('e')}${path('st', 'a', 'e')}`;
  const asked = (participant: string): Case['expect'] => ({
    outcome: 'completed',
    order: 'total',
    dispatches: [{ participant, element: 'a' }],
    ends: ['e'],
    errors: [],
  });
  await plays(inside, asked('bill'), { callbacks: ['/.*/', 'bill'] });
  await plays(inside, asked('a'), { callbacks: ['/.*/', 'b'] });
  await plays(inside, asked('bill'), { callbacks: ['/^bi/'] });
});

test('a dotted target of a mapping makes the objects it needs, and leaves what else is in them', () =>
  plays(
    `${start}<serviceTask id="a">${io('<zeebe:input source="=1" target="box.deep.n"/><zeebe:input source="two" target="box.text"/><zeebe:output source="=box.deep.n + 1" target="out.list.n"/><zeebe:output source="=9" target="known.b"/>')}</serviceTask>${end('e')}${path('st', 'a', 'e')}`,
    {
      outcome: 'completed',
      order: 'total',
      dispatches: [
        {
          ...{ participant: 'a', element: 'a' },
          fields: { known: { a: 1, b: 2 }, box: { deep: { n: 1 }, text: 'two' } },
        },
      ],
      ends: ['e'],
      final_fields: { known: { a: 1, b: 9 }, out: { list: { n: 2 } } },
      errors: [],
    },
    { fields: { known: { a: 1, b: 2 } } },
  ));
