import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { isObject, type Json, type JsonObject } from '../../../src/model/json.ts';
import { apiRoot } from '../../address/router.ts';
import { can, part } from '../../api/calls.ts';
import { useResource } from '../../live/resource.ts';
import { Glyph } from '../../parts/glyph.tsx';
import { Text } from '../../parts/said.tsx';
import { visible } from '../../parts/texts.ts';
import { Zoom } from '../../parts/zoom.tsx';
import { everyPlace, type Place } from '../../picture/figure.ts';
import { objectsOf, textOf } from '../../picture/standing.ts';
import { LOOKS } from './box.tsx';
import type { State } from './page.tsx';

/** What the server leaves free around the shapes of its picture, and below the small ones for their words. */
const MARGIN = 20;
const WORDS = 39;
const ZOOM_AT_FIRST_MIN = 60;

/**
 * The diagram of a BPMN workflow as the server draws it, with its tokens: each element can be chosen in it, and below it stands where tokens are,
 * as a list. It is a picture file: nothing in it runs, and no text of it becomes a part of this page.
 */
export function BpmnDiagram({
  id,
  shown,
  figure,
  set,
}: {
  readonly id: string;
  readonly shown: JsonObject;
  readonly figure: Place;
  readonly set: (change: Partial<State>, how?: 'push' | 'replace') => void;
}) {
  const elements = objectsOf(shown['elements']);
  const canvas = useRef<HTMLDivElement>(null);
  const [zoom, setZoom] = useState(100);
  const drawing = useResource(
    can('GET /v1/workflows/{}/diagram.json') ? `v1/workflows/${part(id)}/diagram.json` : null,
  );
  const frame = frameOf(drawing.value.value);
  // Another address whenever it has moved: the picture is loaded again.
  const url = new URL(`v1/workflows/${part(id)}/diagram.svg`, apiRoot);
  url.searchParams.set('moved', textOf(shown['updated_at']));
  const words = elements.map((one) => `${textOf(one['id'])}: ${tokensOf(one)}`).join('; ');
  const byId = new Map(elements.map((one) => [textOf(one['id']), one]));
  const select = (element: string): void => {
    const live = objectsOf(shown['expressions']).find((one) => one['element'] === element);
    const place =
      live === undefined
        ? [...everyPlace(figure)].find((one) =>
            one.attributes.some(([key, value]) => key === 'id' && value === element),
          )
        : undefined;
    const sel = live === undefined ? place?.expid : textOf(live['id']);
    if (sel !== undefined) set({ sel, tab: 'what' });
  };
  const fitIn = (least: number): void => {
    if (frame === null || canvas.current === null) return;
    setZoom(Math.max(least, Math.min(100, Math.floor(((canvas.current.clientWidth - 32) / frame.width) * 100))));
  };
  useLayoutEffect(() => fitIn(ZOOM_AT_FIRST_MIN), [frame?.width]);
  const scaled = (value: number): string => `${value * (zoom / 100)}px`;
  return (
    <div class="bpmn-view">
      <div class="canvas bpmn" tabIndex={0} role="region" aria-label="Diagram" ref={canvas}>
        <div
          class="bpmn-sheet"
          style={frame === null ? {} : { width: scaled(frame.width), height: scaled(frame.height) }}
        >
          <img
            src={url.href}
            alt={`Diagram. ${words === '' ? 'No token is anywhere.' : words}`}
            style={frame === null ? {} : { width: scaled(frame.width), height: scaled(frame.height) }}
          />
          {frame?.shapes.map((shape) => (
            <button
              key={shape.id}
              type="button"
              class="bpmn-shape"
              // The list below is the same for the keyboard.
              tabIndex={-1}
              aria-label={labelOf(shape, byId.get(shape.id))}
              title={labelOf(shape, byId.get(shape.id))}
              style={{
                left: scaled(shape.x - frame.left),
                top: scaled(shape.y - frame.top),
                width: scaled(shape.width),
                height: scaled(shape.height),
              }}
              onClick={() => select(shape.id)}
            />
          ))}
        </div>
      </div>
      <div class="tokens">
        <ul class="row" aria-label="Where tokens are">
          {elements.map((one) => (
            <li key={textOf(one['id'])}>
              <button type="button" class="button tiny" onClick={() => select(textOf(one['id']))}>
                <span class={`sign ${LOOKS[glyphOf(one)]}`}>
                  <Glyph name={glyphOf(one)} />
                </span>
                <Text text={nameOf(textOf(one['id']), frame?.shapes ?? [])} />{' '}
                <span class="dim small">{tokensOf(one)}</span>
              </button>
            </li>
          ))}
          {elements.length === 0 && <li class="dim small">No token is anywhere.</li>}
        </ul>
        <Zoom percent={zoom} set={setZoom} fit={() => fitIn(25)} />
      </div>
    </div>
  );
}

type Shape = {
  readonly id: string;
  readonly type: string;
  readonly label: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
};
type Frame = {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  /** Those that can be chosen, the large ones first, so that what lies in them is on top. */
  readonly shapes: readonly Shape[];
};

/** Elements that can be chosen in a picture. */
const SHAPES_MAX = 400;

/** The frame the server draws in, from the same data. */
function frameOf(value: Json | undefined): Frame | null {
  if (!isObject(value)) return null;
  const shapes = objectsOf(value['shapes']) as unknown as readonly Shape[];
  const points = objectsOf(value['edges']).flatMap((edge) => (edge['points'] as readonly number[] | undefined) ?? []);
  const isSmall = ({ type }: Shape): boolean => type.endsWith('Event') || type.endsWith('Gateway');
  const xs = [...shapes.flatMap(({ x, width }) => [x, x + width]), ...points.filter((_, i) => i % 2 === 0)];
  const ys = [
    ...shapes.flatMap((one) => [one.y, one.y + one.height + (isSmall(one) ? WORDS : 0)]),
    ...points.filter((_, i) => i % 2 === 1),
  ];
  if (xs.length === 0) return null;
  const least = (list: readonly number[]): number => list.reduce((a, b) => Math.min(a, b));
  const most = (list: readonly number[]): number => list.reduce((a, b) => Math.max(a, b));
  const [left, top] = [least(xs) - MARGIN, least(ys) - MARGIN];
  return {
    left,
    top,
    width: most(xs) + MARGIN - left,
    height: most(ys) + MARGIN - top,
    shapes: shapes
      .filter(({ type }) => type !== 'participant' && type !== 'lane' && type !== 'group')
      .sort((a, b) => b.width * b.height - a.width * a.height)
      .slice(0, SHAPES_MAX),
  };
}

const nameOf = (id: string, shapes: readonly Shape[]): string => shapes.find((one) => one.id === id)?.label || id;

const labelOf = (shape: Shape, counts: JsonObject | undefined): string =>
  [visible(shape.label || shape.id), shape.type, counts === undefined ? '' : tokensOf(counts)]
    .filter((one) => one !== '')
    .join(', ');

const glyphOf = (one: JsonObject): 'failed' | 'live' | 'waits' | 'done' =>
  Number(one['failed']) > 0
    ? 'failed'
    : Number(one['live']) > 0
      ? 'live'
      : Number(one['waiting']) > 0
        ? 'waits'
        : 'done';

const tokensOf = (one: JsonObject): string =>
  (['live', 'waiting', 'failed', 'done'] as const)
    .filter((name) => Number(one[name]) > 0)
    .map((name) => `${String(one[name])} ${name}`)
    .join(', ');
