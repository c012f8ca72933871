import type { Drawing, Edge, Shape } from './layout.ts';

/*
 * A BPMN diagram as SVG: no scripts, no fonts of its own, no styles, so that it can be opened by itself under the strictest policy. What
 * is live is told by classes, colours and badges.
 */

export type ElementState = {
  readonly live: number;
  readonly waiting: number;
  readonly failed: number;
  readonly done: number;
};

const LINE = '#3b4252';
const COLOURS: { readonly [state: string]: readonly [fill: string, line: string] } = {
  failed: ['#fdecea', '#b3261e'],
  live: ['#e6f4ea', '#1e7e34'],
  waiting: ['#fff4e0', '#b26a00'],
  done: ['#eef1f6', '#5b6577'],
};
const MARGIN = 20;
/** Estimated width of a character, height of a line; lines of one label. */
const CHARACTER = 6.2;
const LINE_HEIGHT = 13;
const LINES_MAX = 5;

const escaped = (value: string): string => value.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
const round = (value: number): number => Math.round(value * 100) / 100;

/** The whole picture. `states`: by element. */
export function svgOf(drawing: Drawing, states: ReadonlyMap<string, ElementState>): string {
  const xs = [
    ...drawing.shapes.flatMap(({ x, width }) => [x, x + width]),
    ...drawing.edges.flatMap(({ points }) => points.filter((_, i) => i % 2 === 0)),
  ];
  const ys = [
    // Labels of events and gateways stand below them.
    ...drawing.shapes.flatMap(({ y, height, type }) => [y, y + height + (isSmall(type) ? 3 * LINE_HEIGHT : 0)]),
    ...drawing.edges.flatMap(({ points }) => points.filter((_, i) => i % 2 === 1)),
  ];
  const bound = (values: readonly number[], pick: 'min' | 'max'): number =>
    values.reduce((best, value) => (pick === 'min' ? Math.min(best, value) : Math.max(best, value)), values[0] ?? 0);
  const [left, top] = [bound(xs, 'min') - MARGIN, bound(ys, 'min') - MARGIN];
  const [width, height] = [bound(xs, 'max') + MARGIN - left, bound(ys, 'max') + MARGIN - top];
  const large = drawing.shapes
    .filter(({ type, mark }) => isFrame(type) || mark['open'] === true)
    .sort((a, b) => b.width * b.height - a.width * a.height);
  const small = drawing.shapes.filter((shape) => !large.includes(shape) && shape.type !== 'boundaryEvent');
  const boundary = drawing.shapes.filter(({ type }) => type === 'boundaryEvent');
  const body = [
    ...large.map((shape) => shapeText(shape, states)),
    ...drawing.edges.map(edgeText),
    ...small.map((shape) => shapeText(shape, states)),
    ...boundary.map((shape) => shapeText(shape, states)),
  ].join('\n');
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${[left, top, width, height].map(round).join(' ')}" width="${round(width)}" height="${round(height)}" font-family="system-ui, sans-serif" font-size="11">`,
    `<defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 1 L10 5 L0 9 z" fill="${LINE}"/></marker></defs>`,
    `<rect x="${round(left)}" y="${round(top)}" width="${round(width)}" height="${round(height)}" fill="#ffffff"/>`,
    body,
    '</svg>',
  ].join('\n');
}

const isSmall = (type: string): boolean => type.endsWith('Event') || type.endsWith('Gateway');
const isFrame = (type: string): boolean => type === 'participant' || type === 'lane' || type === 'group';

function stateOf({ live, waiting, failed, done }: ElementState): string | null {
  if (failed > 0) return 'failed';
  if (live > 0) return 'live';
  if (waiting > 0) return 'waiting';
  return done > 0 ? 'done' : null;
}

function shapeText(shape: Shape, states: ReadonlyMap<string, ElementState>): string {
  const counts = states.get(shape.id);
  const state = counts === undefined ? null : stateOf(counts);
  const [fill, line] = (state === null ? undefined : COLOURS[state]) ?? ['#ffffff', LINE];
  const count = counts === undefined ? 0 : counts.failed || counts.live || counts.waiting;
  return [
    `<g data-element="${escaped(shape.id)}" class="${escaped(shape.type)}${state === null ? '' : ` ${state}`}">`,
    `<title>${escaped(shape.label === '' ? shape.id : shape.label)}</title>`,
    outline(shape, fill, line),
    inside(shape, line),
    labelText(shape),
    count > 0 ? badge(shape, count, line) : '',
    '</g>',
  ]
    .filter((part) => part !== '')
    .join('');
}

function badge({ x, y, width }: Shape, count: number, colour: string): string {
  const at = `cx="${round(x + width)}" cy="${round(y)}"`;
  return `<circle ${at} r="9" fill="${colour}"/><text x="${round(x + width)}" y="${round(y + 4)}" text-anchor="middle" fill="#ffffff" font-weight="bold">${count}</text>`;
}

function outline({ type, x, y, width, height, mark }: Shape, fill: string, line: string): string {
  const [cx, cy] = [round(x + width / 2), round(y + height / 2)];
  if (type.endsWith('Event')) {
    const r = round(Math.min(width, height) / 2);
    const dash = mark['beside'] === true ? ' stroke-dasharray="4 3"' : '';
    const isEnd = type === 'endEvent';
    const ring =
      type.startsWith('intermediate') || type === 'boundaryEvent'
        ? `<circle cx="${cx}" cy="${cy}" r="${round(Math.max(r - 3, 0))}" fill="none" stroke="${line}" stroke-width="1.2"${dash}/>`
        : '';
    return `<circle cx="${cx}" cy="${cy}" r="${r}" fill="${fill}" stroke="${line}" stroke-width="${isEnd ? 3.5 : 1.5}"${dash}/>${ring}`;
  }
  if (type.endsWith('Gateway'))
    return `<polygon points="${cx},${round(y)} ${round(x + width)},${cy} ${cx},${round(y + height)} ${round(x)},${cy}" fill="${fill}" stroke="${line}" stroke-width="1.5"/>`;
  const box = `x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}"`;
  if (type === 'participant' || type === 'lane')
    return `<rect ${box} fill="${type === 'lane' ? 'none' : '#fbfcfe'}" stroke="#8a93a5" stroke-width="1"/>`;
  if (type === 'group') return `<rect ${box} rx="8" fill="none" stroke="#8a93a5" stroke-dasharray="8 4"/>`;
  if (type === 'textAnnotation')
    return `<path d="M${round(x + 12)} ${round(y)} H${round(x)} V${round(y + height)} H${round(x + 12)}" fill="none" stroke="#8a93a5"/>`;
  if (type.startsWith('dataObject'))
    return `<path d="M${round(x)} ${round(y)} H${round(x + width - 8)} L${round(x + width)} ${round(y + 8)} V${round(y + height)} H${round(x)} Z" fill="#ffffff" stroke="#8a93a5"/>`;
  if (type.startsWith('dataStore'))
    return `<path d="M${round(x)} ${round(y + 6)} a${round(width / 2)} 6 0 0 1 ${round(width)} 0 V${round(y + height - 6)} a${round(width / 2)} 6 0 0 1 ${round(-width)} 0 Z" fill="#ffffff" stroke="#8a93a5"/>`;
  const thick = type === 'callActivity' ? 3.5 : 1.5;
  const dash = mark['eventSub'] === true ? ' stroke-dasharray="3 3"' : '';
  return `<rect ${box} rx="8" fill="${fill}" stroke="${line}" stroke-width="${thick}"${dash}/>`;
}

const EVENT_MARKS: { readonly [kind: string]: string } = {
  timer: 'M-8 0 a8 8 0 1 0 16 0 a8 8 0 1 0 -16 0 M0 -5 V0 H4',
  message: 'M-8 -5 H8 V5 H-8 Z M-8 -5 L0 1 L8 -5',
  signal: 'M0 -8 L8 5 H-8 Z',
  error: 'M-7 6 L-3 -6 L2 2 L7 -6 L4 6 L-2 -1 Z',
  escalation: 'M0 -8 L6 7 L0 1 L-6 7 Z',
  compensate: 'M0 -6 L-7 0 L0 6 Z M8 -6 L1 0 L8 6 Z',
  link: 'M-7 -3 H1 V-7 L8 0 L1 7 V3 H-7 Z',
  terminate: 'M-8 0 a8 8 0 1 0 16 0 a8 8 0 1 0 -16 0',
  conditional: 'M-6 -7 H6 V7 H-6 Z M-4 -3 H4 M-4 0 H4 M-4 3 H4',
};
const GATEWAY_MARKS: { readonly [type: string]: string } = {
  exclusiveGateway: 'M-7 -8 L7 8 M7 -8 L-7 8',
  parallelGateway: 'M0 -11 V11 M-11 0 H11',
  inclusiveGateway: 'M-10 0 a10 10 0 1 0 20 0 a10 10 0 1 0 -20 0',
  eventBasedGateway: 'M-12 0 a12 12 0 1 0 24 0 a12 12 0 1 0 -24 0 M0 -8 L7 -2 L4 7 H-4 L-7 -2 Z',
  complexGateway: 'M0 -11 V11 M-11 0 H11 M-8 -8 L8 8 M8 -8 L-8 8',
};
const TASK_MARKS: { readonly [type: string]: string } = {
  userTask: 'M-4 -3 a4 4 0 1 0 8 0 a4 4 0 1 0 -8 0 M-8 9 a8 6 0 0 1 16 0 Z',
  serviceTask: 'M-7 0 a7 7 0 1 0 14 0 a7 7 0 1 0 -14 0 M-3 0 a3 3 0 1 0 6 0 a3 3 0 1 0 -6 0',
  scriptTask: 'M-6 -7 H5 L7 7 H-4 Z M-3 -3 H4 M-2 0 H4 M-1 3 H5',
  sendTask: 'M-8 -5 H8 V5 H-8 Z M-8 -5 L0 1 L8 -5',
  receiveTask: 'M-8 -5 H8 V5 H-8 Z M-8 -5 L0 1 L8 -5',
  businessRuleTask: 'M-8 -6 H8 V6 H-8 Z M-8 -2 H8 M-3 -2 V6',
  manualTask: 'M-8 2 V-2 L0 -6 L2 -4 L-2 -2 H8 V6 H-4 Z',
};
const LOOP_MARKS: { readonly [kind: string]: string } = {
  parallel: 'M-5 -5 V5 M0 -5 V5 M5 -5 V5',
  sequential: 'M-5 -5 H5 M-5 0 H5 M-5 5 H5',
  standard: 'M4 3 a5 5 0 1 1 0 -6 M4 -6 V-2 H0',
};

function inside({ type, x, y, width, height, mark }: Shape, line: string): string {
  const [cx, cy] = [round(x + width / 2), round(y + height / 2)];
  const draw = (path: string | undefined, atX: number, atY: number, filled = false): string =>
    path === undefined
      ? ''
      : `<path transform="translate(${round(atX)} ${round(atY)})" d="${path}" fill="${filled ? line : 'none'}" stroke="${line}" stroke-width="1.3"/>`;
  if (type.endsWith('Event')) {
    const event = typeof mark['event'] === 'string' ? mark['event'] : '';
    const throws = type === 'endEvent' || type === 'intermediateThrowEvent';
    return draw(EVENT_MARKS[event], cx, cy, throws && event !== 'message');
  }
  if (type.endsWith('Gateway')) return draw(GATEWAY_MARKS[type], cx, cy);
  const loop = typeof mark['loop'] === 'string' ? LOOP_MARKS[mark['loop']] : undefined;
  const closed = type === 'subProcess' && mark['open'] !== true ? 'M-6 -6 H6 V6 H-6 Z M0 -4 V4 M-4 0 H4' : undefined;
  return `${draw(TASK_MARKS[type], x + 14, y + 14)}${draw(loop, cx - (closed === undefined ? 0 : 14), y + height - 10)}${draw(closed, cx, y + height - 9)}`;
}

/** A label in lines of about this width. */
function wrapped(label: string, width: number): readonly string[] {
  const most = Math.max(4, Math.floor(width / CHARACTER));
  const lines: string[] = [];
  let line = '';
  for (const word of label.split(/\s+/)) {
    for (let rest = word; rest !== ''; rest = rest.slice(most)) {
      const piece = rest.slice(0, most);
      if (line === '') line = piece;
      else if (line.length + 1 + piece.length <= most) line += ` ${piece}`;
      else {
        lines.push(line);
        line = piece;
      }
    }
  }
  if (line !== '') lines.push(line);
  return lines.length <= LINES_MAX
    ? lines
    : [...lines.slice(0, LINES_MAX - 1), `${lines[LINES_MAX - 1]?.slice(0, most - 1)}…`];
}

function labelText({ type, x, y, width, height, label, mark }: Shape): string {
  if (label === '') return '';
  const cx = round(x + width / 2);
  if (type === 'participant' || type === 'lane') {
    const [atX, atY] = [round(x + 16), round(y + height / 2)];
    return `<text x="${atX}" y="${atY}" text-anchor="middle" fill="${LINE}" transform="rotate(-90 ${atX} ${atY})">${escaped(label.slice(0, Math.max(4, Math.floor(height / CHARACTER))))}</text>`;
  }
  const below = isSmall(type) || type.startsWith('data');
  const lines = wrapped(label, below ? Math.max(width, 90) : width - 12);
  let first = y + height / 2 - ((lines.length - 1) * LINE_HEIGHT) / 2 + 4;
  if (below) first = y + height + LINE_HEIGHT;
  else if (mark['open'] === true) first = y + LINE_HEIGHT + 4;
  return lines
    .map(
      (line, i) =>
        `<text x="${cx}" y="${round(first + i * LINE_HEIGHT)}" text-anchor="middle" fill="${LINE}">${escaped(line)}</text>`,
    )
    .join('');
}

function edgeText({ id, type, points, label }: Edge): string {
  const pairs: string[] = [];
  for (let i = 0; i + 1 < points.length; i += 2)
    pairs.push(`${round(points[i] as number)},${round(points[i + 1] as number)}`);
  const isFlow = type === 'sequenceFlow';
  const dash = type === 'messageFlow' ? ' stroke-dasharray="6 4"' : isFlow ? '' : ' stroke-dasharray="2 3"';
  const middle = Math.floor(pairs.length / 2);
  const [ax = 0, ay = 0, bx = 0, by = 0] = points.slice(Math.max(0, middle * 2 - 2), middle * 2 + 2);
  const text =
    label === ''
      ? ''
      : wrapped(label, 90)
          .map(
            (line, i) =>
              `<text x="${round((ax + bx) / 2)}" y="${round((ay + by) / 2 - 4 + i * LINE_HEIGHT)}" text-anchor="middle" fill="#5b6577">${escaped(line)}</text>`,
          )
          .join('');
  return `<g data-element="${escaped(id)}" class="${escaped(type)}"><polyline points="${pairs.join(' ')}" fill="none" stroke="${isFlow ? LINE : '#8a93a5'}" stroke-width="1.5"${dash}${isFlow || type === 'messageFlow' ? ' marker-end="url(#arrow)"' : ''}/>${text}</g>`;
}
