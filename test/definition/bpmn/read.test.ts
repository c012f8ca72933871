import { expect, test } from 'vitest';
import { type ReadOptions, readDefinition } from '../../../src/definition/read.ts';
import { readCases } from '../../bpmn/cases.ts';

const open =
  '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0">';
const file = (inside: string, more = ''): string =>
  `${open}\n<message id="m" name="paid"/><message id="nameless"/><signal id="s" name="alarm"/><error id="e" errorCode="E1"/>${more}\n<process id="p" isExecutable="true">\n${inside}\n</process></definitions>`;

function complaints(text: string, options: ReadOptions = {}): readonly string[] {
  const read = readDefinition(text, options);
  return read.ok ? [] : read.errors.map(({ element, line, message }) => `${element ?? '-'}:${line}: ${message}`);
}

test.each(readCases().map((one) => [`${one.group}/${one.name}`, one] as const))(
  '%s is read or refused as it says',
  (_, one) => {
    const read = readDefinition(one.text, { process: one.process });
    const { refused = [] } = one.expect;
    if (refused.length === 0) {
      expect(read).toMatchObject({ ok: true, format: 'bpmn' });
      return;
    }
    const errors = read.ok ? [] : read.errors;
    for (const wanted of refused)
      expect(errors).toContainEqual(
        expect.objectContaining({
          ...(wanted.element !== '*' && { element: wanted.element }),
          ...(wanted.line !== undefined && { line: wanted.line }),
          message: expect.stringContaining(wanted.message),
        }),
      );
  },
);

const task = '<task id="a"/>';
const flow = (id: string, from: string, to: string, inside = ''): string =>
  `<sequenceFlow id="${id}" sourceRef="${from}" targetRef="${to}">${inside}</sequenceFlow>`;
const catching = (id: string, inside: string): string =>
  `<intermediateCatchEvent id="${id}">${inside}</intermediateCatchEvent>`;
const timer = (inside: string): string => `<timerEventDefinition>${inside}</timerEventDefinition>`;
const condition = (text: string, attributes = ''): string =>
  `<conditionExpression${attributes}>${text}</conditionExpression>`;
const mi = (inside: string): string =>
  `<task id="a"><multiInstanceLoopCharacteristics>${inside}</multiInstanceLoopCharacteristics></task>`;
const boundary = (inside: string, attributes = ''): string =>
  `${task}<boundaryEvent id="b" attachedToRef="a"${attributes}>${inside}</boundaryEvent>`;
const eventSub = (inside: string): string => `<subProcess id="sub" triggeredByEvent="true">${inside}</subProcess>`;

const BAD: readonly (readonly [what: string, inside: string, element: string, message: string])[] = [
  ...['complexGateway', 'adHocSubProcess', 'transaction', 'choreographyTask'].map(
    (type) => [type, `<${type} id="a"/>`, 'a', `${type} "a" is not supported`] as const,
  ),
  ['an id twice', `${task}${task}`, 'a', 'the id "a" is there twice'],
  ['no id', '<task/>', '<task> without id', '<task> has no id'],
  [
    'a source that is not there',
    `${task}${flow('f', 'gone', 'a')}`,
    'f',
    'sourceRef of flow "f" names "gone", which is not there',
  ],
  [
    'a target that is not there',
    `${task}${flow('f', 'a', 'gone')}`,
    'f',
    'targetRef of flow "f" names "gone", which is not there',
  ],
  ['no target', `${task}<sequenceFlow id="f" sourceRef="a"/>`, 'f', 'has no targetRef'],
  [
    'a flow across a border',
    `${task}<subProcess id="sub"><task id="in"/></subProcess>${flow('f', 'a', 'in')}`,
    'f',
    'not in the same scope',
  ],
  ['a flow into a start event', `${task}<startEvent id="st"/>${flow('f', 'a', 'st')}`, 'f', 'leads into a start event'],
  ['a flow out of an end event', `${task}<endEvent id="end"/>${flow('f', 'end', 'a')}`, 'f', 'leaves an end event'],
  [
    'a flow into a boundary event',
    `${boundary(timer('<timeDuration>PT1S</timeDuration>'))}${flow('f', 'a', 'b')}`,
    'f',
    'leads into a boundary event',
  ],
  [
    'an exclusive gateway that cannot decide',
    `<exclusiveGateway id="g"/>${task}${flow('f', 'g', 'a')}${flow('h', 'g', 'a')}`,
    'g',
    '2 flows without a condition',
  ],
  [
    'a condition on the default',
    `<exclusiveGateway id="g" default="f"/>${task}${flow('f', 'g', 'a', condition('true'))}${flow('h', 'g', 'a', condition('x'))}`,
    'g',
    'the default flow "f" has a condition',
  ],
  [
    'a default of another',
    `<exclusiveGateway id="g" default="x"/>${task}${flow('f', 'g', 'a')}`,
    'g',
    'default of "g" names "x"',
  ],
  ['JUEL', `${task}<task id="c"/>${flow('f', 'a', 'c', condition('${x}'))}`, 'f', 'is not FEEL'],
  [
    'another language',
    `${task}<task id="c"/>${flow('f', 'a', 'c', condition('x', ' language="groovy"'))}`,
    'f',
    'the language "groovy"',
  ],
  [
    'an expression that cannot be read',
    `${task}<task id="c"/>${flow('f', 'a', 'c', condition('=x >'))}`,
    'f',
    'cannot be read',
  ],
  [
    'a function that is not there',
    `${task}<task id="c"/>${flow('f', 'a', 'c', condition('=evil(1)'))}`,
    'f',
    'there is no function "evil"',
  ],
  ['an empty condition', `${task}<task id="c"/>${flow('f', 'a', 'c', condition(' '))}`, 'f', 'the condition is empty'],
  ['a timer without a time', catching('t', timer('')), 't', 'has no time'],
  [
    'a timer with two times',
    catching('t', timer('<timeDuration>PT1S</timeDuration><timeDate>2026-01-01</timeDate>')),
    't',
    'has two times',
  ],
  ['a timer that cannot be read', catching('t', timer('<timeDuration>soon</timeDuration>')), 't', '"soon"'],
  [
    'a timer of ten thousand digits',
    catching('t', timer(`<timeDuration>PT${'9'.repeat(10_000)}S</timeDuration>`)),
    't',
    'cannot be read',
  ],
  [
    'a timer beyond a thousand years',
    catching('t', timer('<timeDuration>P1001Y</timeDuration>')),
    't',
    'cannot be read',
  ],
  ['a cycle that happens once', catching('t', timer('<timeCycle>R/PT1S</timeCycle>')), 't', 'happens only once'],
  [
    'a cycle without a pause',
    boundary(timer('<timeCycle>R/PT0S</timeCycle>'), ' cancelActivity="false"'),
    'b',
    'cannot be read',
  ],
  [
    'a cycle of millions',
    boundary(timer('<timeCycle>R1000001/PT1S</timeCycle>'), ' cancelActivity="false"'),
    'b',
    'cannot be read',
  ],
  [
    'a cron line that never comes',
    boundary(timer('<timeCycle>0 0 30 2 *</timeCycle>'), ' cancelActivity="false"'),
    'b',
    'cannot be read',
  ],
  ['a message event without message', catching('t', '<messageEventDefinition/>'), 't', 'has no message'],
  ['a message without a name', catching('t', '<messageEventDefinition messageRef="nameless"/>'), 't', 'has no name'],
  [
    'a message that is not there',
    catching('t', '<messageEventDefinition messageRef="gone"/>'),
    't',
    'messageRef of "t" names "gone"',
  ],
  ['a message that is a signal', catching('t', '<messageEventDefinition messageRef="s"/>'), 't', 'which is no message'],
  ['a signal without a name', catching('t', '<signalEventDefinition/>'), 't', 'no signal with a name'],
  [
    'a signal that is not there',
    catching('t', '<signalEventDefinition signalRef="gone"/>'),
    't',
    'signalRef of "t" names "gone"',
  ],
  [
    'an error that is not there',
    boundary('<errorEventDefinition errorRef="gone"/>'),
    'b',
    'errorRef of "b" names "gone"',
  ],
  [
    'an escalation that is not there',
    boundary('<escalationEventDefinition escalationRef="gone"/>'),
    'b',
    'escalationRef of "b" names "gone"',
  ],
  [
    'an error that does not interrupt',
    boundary('<errorEventDefinition errorRef="e"/>', ' cancelActivity="false"'),
    'b',
    'always interrupts',
  ],
  ['a catch event without event', '<intermediateCatchEvent id="t"/>', 't', 'has no event definition'],
  [
    'two events in one',
    catching('t', `${timer('<timeDuration>PT1S</timeDuration>')}<signalEventDefinition signalRef="s"/>`),
    't',
    'several event definitions',
  ],
  ['a condition event without condition', catching('t', '<conditionalEventDefinition/>'), 't', 'conditional event "t"'],
  [
    'a condition event with a condition that cannot be read',
    catching('t', '<conditionalEventDefinition><condition>n &gt;</condition></conditionalEventDefinition>'),
    't',
    'cannot be read',
  ],
  [
    'a condition that starts a process',
    '<startEvent id="t"><conditionalEventDefinition><condition>n = 1</condition></conditionalEventDefinition></startEvent>',
    't',
    'conditional event "t" (startEvent) is not supported',
  ],
  [
    'JUEL in a mapping',
    '<serviceTask id="a"><extensionElements><c:inputOutput xmlns:c="http://camunda.org/schema/1.0/bpmn"><c:inputParameter name="x">${y}</c:inputParameter></c:inputOutput></extensionElements></serviceTask>',
    'a',
    'is not FEEL',
  ],
  [
    'a collection in JUEL',
    '<task id="a"><multiInstanceLoopCharacteristics xmlns:c="http://camunda.org/schema/1.0/bpmn" c:collection="${all}"/></task>',
    'a',
    'is not FEEL',
  ],
  [
    'an inclusive join of very many flows',
    `${task}<inclusiveGateway id="j"/>${Array.from({ length: 31 }, (_, i) => flow(`j${i}`, 'a', 'j')).join('')}`,
    'j',
    'more than 30 flows into it',
  ],
  [
    'very many inclusive joins',
    `${task}${Array.from({ length: 51 }, (_, i) => `<inclusiveGateway id="j${i}"/>${flow(`x${i}`, 'a', `j${i}`)}${flow(`y${i}`, 'a', `j${i}`)}`).join('')}`,
    'j1',
    'more than 50 inclusive gateways',
  ],
  [
    'inclusive joins among very many elements',
    `${task}${Array.from({ length: 20 }, (_, i) => `<inclusiveGateway id="j${i}"/>${flow(`x${i}`, 'a', `j${i}`)}${flow(`y${i}`, 'a', `j${i}`)}`).join('')}${Array.from({ length: 2_500 }, (_, i) => `<task id="t${i}"/>`).join('')}`,
    'j1',
    'are too many',
  ],
  ['a cancel event', boundary('<cancelEventDefinition/>'), 'b', 'cancel event "b"'],
  [
    'a boundary event of nothing',
    '<boundaryEvent id="b" attachedToRef="gone"><signalEventDefinition signalRef="s"/></boundaryEvent>',
    'b',
    'attachedToRef of "b" names "gone"',
  ],
  [
    'a boundary event of a gateway',
    '<parallelGateway id="g"/><boundaryEvent id="b" attachedToRef="g"><signalEventDefinition signalRef="s"/></boundaryEvent>',
    'b',
    'which is no activity',
  ],
  [
    'an event-based gateway with one way',
    `<eventBasedGateway id="g"/>${catching('t', '<signalEventDefinition signalRef="s"/>')}${flow('f', 'g', 't')}`,
    'g',
    'fewer than two ways',
  ],
  [
    'a task behind an event-based gateway',
    `<eventBasedGateway id="g"/>${catching('t', '<signalEventDefinition signalRef="s"/>')}${task}${flow('f', 'g', 't')}${flow('h', 'g', 'a')}`,
    'g',
    'task "a"',
  ],
  ['a gateway that starts', '<eventBasedGateway id="g" instantiate="true"/>', 'g', 'that starts a process'],
  [
    'a link without partner',
    '<intermediateThrowEvent id="t"><linkEventDefinition name="L"/></intermediateThrowEvent>',
    't',
    'no catch event of this name',
  ],
  ['a link nobody takes', catching('t', '<linkEventDefinition name="L"/>'), 't', 'no throw event of this name'],
  ['an event sub-process without a start', eventSub(task), 'sub', 'exactly one start event'],
  ['an event sub-process with a plain start', eventSub('<startEvent id="st"/>'), 'sub', 'exactly one start event'],
  [
    'two handlers of one error',
    `${eventSub('<startEvent id="st"><errorEventDefinition errorRef="e"/></startEvent>')}<subProcess id="sub2" triggeredByEvent="true"><startEvent id="st2"><errorEventDefinition errorRef="e"/></startEvent></subProcess>`,
    'sub2',
    'two event sub-processes',
  ],
  [
    'a start that waits in a sub-process',
    '<subProcess id="sub"><startEvent id="st"><signalEventDefinition signalRef="s"/></startEvent></subProcess>',
    'st',
    'cannot wait',
  ],
  ['a receive task without message', '<receiveTask id="a"/>', 'a', 'has no message'],
  ['a call of nothing', '<callActivity id="a"/>', 'a', 'calls nothing'],
  ['many instances of nothing', mi(''), 'a', 'neither a collection nor a count'],
  [
    'an element without collection',
    mi(
      '<extensionElements><zeebe:loopCharacteristics inputElement="x"/></extensionElements><loopCardinality>3</loopCardinality>',
    ),
    'a',
    'no inputCollection',
  ],
  ['a count that cannot be read', mi('<loopCardinality>3 +</loopCardinality>'), 'a', 'cannot be read'],
  [
    'a mapping that cannot be read',
    '<serviceTask id="a"><extensionElements><zeebe:ioMapping><zeebe:input source="=1 +" target="x"/></zeebe:ioMapping></extensionElements></serviceTask>',
    'a',
    'cannot be read',
  ],
  [
    'a mapping to nowhere',
    '<serviceTask id="a"><extensionElements><zeebe:ioMapping><zeebe:input source="=1" target=""/></zeebe:ioMapping></extensionElements></serviceTask>',
    'a',
    'has no target',
  ],
  [
    'a handler with flows',
    `<task id="a" isForCompensation="true"/><task id="c"/>${flow('f', 'a', 'c')}`,
    'a',
    'of a compensation has flows',
  ],
  ['compensation without handler', boundary('<compensateEventDefinition/>'), 'b', 'no association with a handler'],
  [
    'compensation of nothing',
    '<intermediateThrowEvent id="t"><compensateEventDefinition activityRef="gone"/></intermediateThrowEvent>',
    't',
    'activityRef of "t" names "gone"',
  ],
  ['an error end event without error', '<endEvent id="t"><errorEventDefinition/></endEvent>', 't', 'throws no error'],
  ['an id of thousands of letters', `<task id="${'x'.repeat(10_000)}"/>`, 'x'.repeat(10_000), 'longer than'],
];

test.each(BAD)('%s is refused with element and line', (_, inside, element, message) => {
  const found = complaints(file(inside));
  expect(
    found.some((each) => each.startsWith(`${element}:`) && each.includes(message)),
    found.join('\n'),
  ).toBe(true);
});

/** Every place where an expression may stand, with the element that is named. */
const PLACES: readonly (readonly [place: string, element: string, inside: (expression: string) => string])[] = [
  ['a condition', 'f', (text) => `${task}<task id="c"/>${flow('f', 'a', 'c', condition(text))}`],
  ['a duration', 't', (text) => catching('t', timer(`<timeDuration>${text}</timeDuration>`))],
  ['a date', 't', (text) => catching('t', timer(`<timeDate>${text}</timeDate>`))],
  ['a date at a border', 'b', (text) => boundary(timer(`<timeDate>${text}</timeDate>`))],
  ['a cycle', 'b', (text) => boundary(timer(`<timeCycle>${text}</timeCycle>`), ' cancelActivity="false"')],
  [
    'an input',
    'a',
    (text) =>
      `<serviceTask id="a"><extensionElements><zeebe:ioMapping><zeebe:input source="${text}" target="x"/></zeebe:ioMapping></extensionElements></serviceTask>`,
  ],
  [
    'an output',
    'a',
    (text) =>
      `<serviceTask id="a"><extensionElements><zeebe:ioMapping><zeebe:output source="${text}" target="x"/></zeebe:ioMapping></extensionElements></serviceTask>`,
  ],
  ['a count', 'a', (text) => mi(`<loopCardinality>${text}</loopCardinality>`)],
  [
    'a collection',
    'a',
    (text) => mi(`<extensionElements><zeebe:loopCharacteristics inputCollection="${text}"/></extensionElements>`),
  ],
  [
    'when enough are done',
    'a',
    (text) => mi(`<loopCardinality>3</loopCardinality><completionCondition>${text}</completionCondition>`),
  ],
];
const BAD_TEXTS: readonly (readonly [what: string, text: string, message: string])[] = [
  ['ends too early', '=1 +', 'cannot be read'],
  ['names no function', '=evil(1)', 'there is no function "evil"'],
  ['is not closed', '=[1, 2', 'cannot be read'],
  ['is too long', `=1${' + 1'.repeat(1_100)}`, 'longer than 4000 characters'],
];

test.each(
  PLACES.flatMap(([place, element, inside]) =>
    BAD_TEXTS.map(([what, text, message]) => [`${place} that ${what}`, inside(text), element, message] as const),
  ),
)('%s is refused with element and line', (_, inside, element, message) => {
  const found = complaints(file(inside));
  expect(
    found.some((each) => each.startsWith(`${element}:`) && each.includes(message)),
    found.join('\n'),
  ).toBe(true);
});

test('which process runs is said by its id, or there is only one', () => {
  const two = `${open}<process id="a"/><process id="b"/></definitions>`;
  expect(complaints(two)[0]).toContain('there are several executable processes; name one in "process": "a", "b"');
  expect(complaints(two, { process: 'b' })).toEqual([]);
  expect(complaints(two, { process: 'c' })[0]).toContain('there is no process "c"; there is "a", "b"');
  expect(complaints(`${open}</definitions>`)[0]).toContain('there is no process');
  expect(complaints(file(task), { start: 'x' })[0]).toContain('there is no start event "x"');
});

test('prefixes are whatever they are bound to, anywhere', () => {
  const rebound = `<x:definitions xmlns:x="http://www.omg.org/spec/BPMN/20100524/MODEL"><y:process xmlns:y="http://www.omg.org/spec/BPMN/20100524/MODEL" id="p"><y:task xmlns:x="urn:other" id="a"/><x:thing/></y:process></x:definitions>`;
  expect(complaints(rebound)).toEqual([]);
  expect(
    complaints(
      '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"><q:process/></bpmn:definitions>',
    )[0],
  ).toContain('the prefix "q" is bound to no namespace');
  expect(readDefinition('<definitions><alice/></definitions>')).toMatchObject({ ok: true, format: 'xml' });
});

test('the language of a whole file counts for conditions that do not say they are FEEL', () => {
  const said = (text: string, language: string): readonly string[] =>
    complaints(
      file(`${task}<task id="c"/>${flow('f', 'a', 'c', condition(text))}`).replace(
        '<definitions ',
        `<definitions expressionLanguage="${language}" `,
      ),
    );
  expect(said('n &gt; 1', 'http://www.w3.org/1999/XPath')[0]).toContain('the language "http://www.w3.org/1999/XPath"');
  expect(said('=n &gt; 1', 'http://www.w3.org/1999/XPath')).toEqual([]);
  expect(said('n &gt; 1', 'https://www.omg.org/spec/DMN/20191111/FEEL/')).toEqual([]);
});

test('an id that is there twice is told at the second place, with the line of the first', () => {
  expect(complaints(file(`${task}\n\n${task}`))).toContain('a:6: the id "a" is there twice, on line 4 too');
});

test('the expressions of one definition have a bound together, whatever it holds else', () => {
  const mapping = (i: number): string => `<zeebe:input source="=${'1 + '.repeat(240)}${i}" target="x${i}"/>`;
  const tasks = (count: number): string =>
    Array.from(
      { length: count },
      (_, i) =>
        `<serviceTask id="t${i}"><extensionElements><zeebe:ioMapping>${mapping(i)}</zeebe:ioMapping></extensionElements></serviceTask>`,
    ).join('');
  expect(complaints(file(tasks(250)))).toEqual([]);
  expect(complaints(file(tasks(300)))).toEqual([expect.stringContaining('more than 250000 characters in all')]);
});

test('a version of a call, and the resource of a potential owner, are in the tree', () => {
  const read = readDefinition(
    file(
      `<callActivity id="c"><extensionElements><zeebe:calledElement processId="q" bindingType="version" version="=v"/></extensionElements></callActivity><callActivity id="d" xmlns:camunda="http://camunda.org/schema/1.0/bpmn" calledElement="q" camunda:calledElementBinding="version" camunda:calledElementVersion="3"/><userTask id="u"><potentialOwner><resourceRef>r</resourceRef></potentialOwner></userTask>`,
      '<resource id="r" name="clerks"/>',
    ),
  );
  const [c, d, u] = read.ok ? read.tree.children : [];
  expect(c?.attributes.get('call')).toMatchObject({ name: 'q', version: '=v' });
  expect(d?.attributes.get('call')).toMatchObject({ name: 'q', version: '3' });
  expect(u?.attributes.get('names')).toEqual(['clerks']);
});

test('parts of BPMN cannot be written in another notation', () => {
  expect(complaints('["bpmn:process", {}, []]')[0]).toContain('is part of a BPMN file');
});

test('large and hostile files are refused or read without a stop', () => {
  const nested = `${open}<process id="p">${Array.from({ length: 90 }, (_, i) => `<subProcess id="s${i}">`).join('')}${'</subProcess>'.repeat(90)}</process></definitions>`;
  expect(complaints(nested)[0]).toContain('nested more than 50 deep');
  expect(complaints(`${open}<process id="p">${'<subProcess>'.repeat(20_000)}`)[0]).toContain('nested more than');
  const many = Array.from({ length: 5_000 }, (_, i) => flow(`f${i}`, 'a', 'c')).join('');
  expect(complaints(file(`${task}<task id="c"/>${many}`))).toEqual([]);
  expect(complaints(file('<task id="__proto__"/><task id="constructor"/>'))).toEqual([]);
});
