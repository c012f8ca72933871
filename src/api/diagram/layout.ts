import type { Json } from '../../model/json.ts';
import { isObject } from '../../model/json.ts';
import type { Tree } from '../../model/tree.ts';

/*
 * Where a file says nothing: layers from left to right by the longest way from the start, edges at right angles. Boundary events sit on
 * the lower border of their activity.
 */

export type Shape = {
  readonly id: string;
  readonly type: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly label: string;
  readonly mark: { readonly [key: string]: Json };
};
export type Edge = {
  readonly id: string;
  readonly type: string;
  readonly points: readonly number[];
  readonly label: string;
};
export type Drawing = { readonly shapes: readonly Shape[]; readonly edges: readonly Edge[] };

const GAP_X = 60;
const GAP_Y = 40;
const PAD = 40;
const EVENT = 36;
const GATEWAY = 50;
const TASK = { width: 100, height: 80 };

const text = (tree: Tree, key: string): string => {
  const value = tree.attributes.get(key);
  return typeof value === 'string' ? value : '';
};
const list = (tree: Tree, key: string): readonly Json[] => {
  const value = tree.attributes.get(key);
  return Array.isArray(value) ? (value as readonly Json[]) : [];
};

/** Where the flows of an element lead: their ids, and the indexes of those behind. */
const flowsFrom = (tree: Tree): readonly { readonly id: string; readonly to: number }[] =>
  list(tree, 'to').flatMap((flow) => {
    const [id, to] = Array.isArray(flow) ? (flow as readonly Json[]) : [];
    return typeof id === 'string' && typeof to === 'number' ? [{ id, to }] : [];
  });

/** The drawing of a process: its own, or one that is made here. */
export function drawingFor(process: Tree): Drawing {
  const own = process.attributes.get('drawing');
  if (isObject(own)) {
    const shapes = (
      own['shapes'] as readonly (readonly [string, string, number, number, number, number, string, Json])[]
    ).map(
      ([id, type, x, y, width, height, label, mark]): Shape => ({
        id,
        type,
        x,
        y,
        width,
        height,
        label,
        mark: isObject(mark) ? mark : {},
      }),
    );
    const edges = (own['edges'] as readonly (readonly [string, string, readonly number[], string])[]).map(
      ([id, type, points, label]): Edge => ({ id, type, points, label }),
    );
    return { shapes, edges };
  }
  const placed = placeScope(process, PAD, PAD);
  return { shapes: placed.shapes, edges: placed.edges };
}

type Placed = Drawing & { readonly width: number; readonly height: number };
type Box = { readonly width: number; readonly height: number; readonly inner: Placed | null };

function boxOf(tree: Tree): Box {
  const type = text(tree, 'type');
  if (type.endsWith('Event')) return { width: EVENT, height: EVENT, inner: null };
  if (type.endsWith('Gateway')) return { width: GATEWAY, height: GATEWAY, inner: null };
  if (tree.children.length === 0) return { ...TASK, inner: null };
  const inner = placeScope(tree, 0, 0);
  return { width: inner.width + 2 * PAD, height: inner.height + 2 * PAD, inner };
}

/** The layer of each child: one more than the furthest of those before it; ways back do not count. */
function layersOf(children: readonly Tree[]): readonly number[] {
  const layers = children.map(() => 0);
  const behind = children.map((tree): readonly number[] => [
    ...flowsFrom(tree).map(({ to }) => to),
    ...(list(tree, 'boundary') as readonly number[]).flatMap((index) =>
      flowsFrom(children[index] ?? tree).map(({ to }) => to),
    ),
  ]);
  const state = children.map(() => 0);
  const order: number[] = [];
  const back = new Set<string>();
  for (const root of children.keys()) {
    const open: [number, number][] = [[root, 0]];
    while (open.length > 0) {
      const top = open.at(-1) as [number, number];
      const [at, next] = top;
      if (state[at] === 2) {
        open.pop();
        continue;
      }
      state[at] = 1;
      const after = behind[at] as readonly number[];
      if (next < after.length) {
        top[1]++;
        const to = after[next] as number;
        if (state[to] === 1) back.add(`${at} ${to}`);
        else if (state[to] === 0) open.push([to, 0]);
      } else {
        state[at] = 2;
        order.push(at);
        open.pop();
      }
    }
  }
  for (const at of order.reverse())
    for (const to of behind[at] as readonly number[])
      if (!back.has(`${at} ${to}`)) layers[to] = Math.max(layers[to] as number, (layers[at] as number) + 1);
  return layers;
}

function placeScope(scope: Tree, left: number, top: number): Placed {
  const children = scope.children.filter(({ name }) => name !== 'bpmn:process');
  const layers = layersOf(children);
  const boxes = children.map(boxOf);
  const columns = new Map<number, number[]>();
  for (const [i, child] of children.entries())
    if (text(child, 'type') !== 'boundaryEvent')
      columns.set(layers[i] as number, [...(columns.get(layers[i] as number) ?? []), i]);
  const places: { x: number; y: number; width: number; height: number }[] = boxes.map(({ width, height }) => ({
    x: 0,
    y: 0,
    width,
    height,
  }));
  let x = left;
  let bottom = top;
  for (const layer of [...columns.keys()].sort((a, b) => a - b)) {
    const column = columns.get(layer) ?? [];
    const width = Math.max(...column.map((i) => (boxes[i] as Box).width));
    let y = top;
    for (const i of column) {
      const box = boxes[i] as Box;
      const row = Math.max(box.height, TASK.height);
      places[i] = {
        x: x + (width - box.width) / 2,
        y: y + (row - box.height) / 2,
        width: box.width,
        height: box.height,
      };
      y += row + GAP_Y;
    }
    bottom = Math.max(bottom, y - GAP_Y);
    x += width + GAP_X;
  }
  const shapes: Shape[] = [];
  const edges: Edge[] = [];
  for (const [i, child] of children.entries()) {
    const on = child.attributes.get('on');
    if (typeof on === 'number') {
      const host = places[on];
      const siblings = list(children[on] ?? child, 'boundary') as readonly number[];
      if (host !== undefined)
        places[i] = {
          x: host.x + 10 + siblings.indexOf(i) * (EVENT + 8),
          y: host.y + host.height - EVENT / 2,
          width: EVENT,
          height: EVENT,
        };
    }
    const place = places[i] as { x: number; y: number; width: number; height: number };
    shapes.push({
      id: text(child, 'id'),
      type: text(child, 'type'),
      ...place,
      label: text(child, 'name'),
      mark: markOf(child),
    });
    const { inner } = boxes[i] as Box;
    if (inner === null) continue;
    const moved = (value: number, by: number): number => value + by;
    for (const shape of inner.shapes)
      shapes.push({ ...shape, x: moved(shape.x, place.x + PAD), y: moved(shape.y, place.y + PAD) });
    for (const edge of inner.edges)
      edges.push({ ...edge, points: edge.points.map((value, at) => value + (at % 2 === 0 ? place.x : place.y) + PAD) });
  }
  for (const [i, child] of children.entries())
    for (const { id, to } of flowsFrom(child)) {
      const from = places[i];
      const target = places[to];
      if (from !== undefined && target !== undefined)
        edges.push({ id, type: 'sequenceFlow', points: way(from, target), label: '' });
    }
  return { shapes, edges, width: Math.max(0, x - GAP_X - left), height: Math.max(0, bottom - top) };
}

type Place = { readonly x: number; readonly y: number; readonly width: number; readonly height: number };

function way(from: Place, to: Place): readonly number[] {
  const [x1, y1, x2, y2] = [from.x + from.width, from.y + from.height / 2, to.x, to.y + to.height / 2];
  if (x2 >= x1) {
    if (Math.abs(y1 - y2) < 1) return [x1, y1, x2, y2];
    const middle = x2 - GAP_X / 2;
    return [x1, y1, middle, y1, middle, y2, x2, y2];
  }
  const below = Math.max(from.y + from.height, to.y + to.height) + GAP_Y / 2;
  return [
    from.x + from.width / 2,
    from.y + from.height,
    from.x + from.width / 2,
    below,
    to.x + to.width / 2,
    below,
    to.x + to.width / 2,
    to.y + to.height,
  ];
}

function markOf(tree: Tree): { readonly [key: string]: Json } {
  const mark: { [key: string]: Json } = {};
  const event = tree.attributes.get('event');
  if (isObject(event)) mark['event'] = event['kind'] as Json;
  const loop = tree.attributes.get('loop');
  if (isObject(loop)) mark['loop'] = loop['kind'] as Json;
  if (tree.attributes.get('interrupting') === false) mark['beside'] = true;
  if (tree.attributes.get('eventSub') === true) mark['eventSub'] = true;
  if (tree.children.length > 0) mark['open'] = true;
  return mark;
}
