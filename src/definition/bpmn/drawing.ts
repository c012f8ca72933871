import type { Json } from '../../model/json.ts';
import { BPMN, BPMNDI, DC, DI, type Element } from './elements.ts';
import { attributeOf, childOf, type Definitions, type ScopeModel } from './model.ts';

/*
 * The diagram that comes with a file, as the tree keeps it: `{ shapes: [[id, type, x, y, width, height, label, mark]…],
 * edges: [[id, type, [x, y, …], label]…] }`. It is a stranger's: what is no finite number, or far away, counts as not there.
 */

/** How far from the origin a shape may be. */
const FAR = 100_000;
/** Shapes and edges of one diagram; characters of one label. */
const SHAPES_MAX = 20_000;
const LABEL_MAX = 300;

/** The drawing of a process, or null when the file has none for it. */
export function drawingOf(process: ScopeModel, { root }: Definitions): Json {
  const byId = new Map<string, Element>();
  const gather = (element: Element): void => {
    const id = attributeOf(element, 'id');
    if (element.uri === BPMN && id !== '' && !byId.has(id)) byId.set(id, element);
    for (const child of element.children) gather(child);
  };
  gather(root);
  const own = new Set(process.nodes.map(({ id }) => id));
  for (const diagram of root.children) {
    if (diagram.uri !== BPMNDI || diagram.local !== 'BPMNDiagram') continue;
    for (const plane of diagram.children) {
      if (plane.local !== 'BPMNPlane') continue;
      const shapes = plane.children.flatMap((child) => shapeOf(child, byId)).slice(0, SHAPES_MAX);
      const drawn = new Set(shapes.map(([id]) => id));
      if (![...own].some((id) => drawn.has(id)) || [...own].some((id) => !drawn.has(id))) continue;
      const edges = plane.children.flatMap((child) => edgeOf(child, byId)).slice(0, SHAPES_MAX);
      return { shapes, edges };
    }
  }
  return null;
}

const bare = (ref: string): string => ref.slice(ref.indexOf(':') + 1);
const elementIn = (di: Element, byId: ReadonlyMap<string, Element>): Element | undefined => {
  const ref = attributeOf(di, 'bpmnElement');
  return byId.get(ref) ?? byId.get(bare(ref));
};

function number(element: Element, name: string): number {
  const value = Number(attributeOf(element, name) || Number.NaN);
  return Number.isFinite(value) && Math.abs(value) <= FAR ? Math.round(value * 100) / 100 : Number.NaN;
}

type Shape = readonly [string, string, number, number, number, number, string, Json];

function shapeOf(di: Element, byId: ReadonlyMap<string, Element>): readonly Shape[] {
  if (di.uri !== BPMNDI || di.local !== 'BPMNShape') return [];
  const element = elementIn(di, byId);
  const bounds = di.children.find(({ uri, local }) => uri === DC && local === 'Bounds');
  if (element === undefined || bounds === undefined) return [];
  const [x, y, width, height] = ['x', 'y', 'width', 'height'].map((name) => number(bounds, name)) as [
    number,
    number,
    number,
    number,
  ];
  if ([x, y, width, height].some(Number.isNaN) || width < 0 || height < 0) return [];
  return [[attributeOf(element, 'id'), element.local, x, y, width, height, labelOf(element), markOf(element, di)]];
}

function labelOf(element: Element): string {
  const text =
    element.local === 'textAnnotation'
      ? (childOf(element, 'text')?.text ?? '')
      : (element.attributes.get('name') ?? '');
  return text.trim().slice(0, LABEL_MAX);
}

/** What tells shapes of one type apart: the event, the loop, open or not. */
export function markOf(element: Element, di: Element | null): Json {
  const event = element.children.find(({ uri, local }) => uri === BPMN && local.endsWith('EventDefinition'));
  const mark: { [key: string]: Json } = {};
  if (event !== undefined) mark['event'] = event.local.slice(0, -'EventDefinition'.length);
  if (attributeOf(element, 'cancelActivity') === 'false' || attributeOf(element, 'isInterrupting') === 'false')
    mark['beside'] = true;
  const multi = childOf(element, 'multiInstanceLoopCharacteristics');
  if (multi !== null) mark['loop'] = attributeOf(multi, 'isSequential') === 'true' ? 'sequential' : 'parallel';
  else if (childOf(element, 'standardLoopCharacteristics') !== null) mark['loop'] = 'standard';
  if (di !== null && attributeOf(di, 'isExpanded') === 'true') mark['open'] = true;
  if (attributeOf(element, 'triggeredByEvent') === 'true') mark['eventSub'] = true;
  if (attributeOf(element, 'isForCompensation') === 'true') mark['handler'] = true;
  return Object.keys(mark).length === 0 ? null : mark;
}

function edgeOf(di: Element, byId: ReadonlyMap<string, Element>): readonly Json[] {
  if (di.uri !== BPMNDI || di.local !== 'BPMNEdge') return [];
  const element = elementIn(di, byId);
  const points = di.children
    .filter(({ uri, local }) => uri === DI && local === 'waypoint')
    .flatMap((point) => [number(point, 'x'), number(point, 'y')]);
  if (element === undefined || points.length < 4 || points.some(Number.isNaN)) return [];
  return [[attributeOf(element, 'id'), element.local, points, labelOf(element)]];
}
