import type { JsonObject } from '../../../src/model/json.ts';
import { apiRoot } from '../../address/router.ts';
import { part } from '../../api/calls.ts';
import { Glyph } from '../../parts/glyph.tsx';
import { Text } from '../../parts/said.tsx';
import { objectsOf, textOf } from '../../picture/standing.ts';
import type { State } from './page.tsx';

/**
 * The diagram of a BPMN workflow as the server draws it, with its tokens; and its elements as a list, so that nothing is only in the picture. It
 * is a picture file: nothing in it runs, and no text of it becomes a part of this page.
 */
export function BpmnDiagram({
  id,
  shown,
  set,
}: {
  readonly id: string;
  readonly shown: JsonObject;
  readonly set: (change: Partial<State>, how?: 'push' | 'replace') => void;
}) {
  const elements = objectsOf(shown['elements']);
  // Another address whenever it has moved: the picture is loaded again.
  const url = new URL(`v1/workflows/${part(id)}/diagram.svg`, apiRoot);
  url.searchParams.set('moved', textOf(shown['updated_at']));
  const words = elements.map((one) => `${textOf(one['id'])}: ${tokensOf(one)}`).join('; ');
  const select = (element: string): void => {
    const live = objectsOf(shown['expressions']).find((one) => one['element'] === element);
    if (live !== undefined) set({ sel: textOf(live['id']), tab: 'what' });
  };
  return (
    <div class="bpmn-view">
      <div class="canvas bpmn" tabIndex={0} role="region" aria-label="Diagram">
        <img src={url.href} alt={`Diagram. ${words === '' ? 'No token is anywhere.' : words}`} />
      </div>
      <ul class="row tokens" aria-label="Where tokens are">
        {elements.map((one) => (
          <li key={textOf(one['id'])}>
            <button type="button" class="button tiny" onClick={() => select(textOf(one['id']))}>
              <Glyph name={glyphOf(one)} />
              <Text text={textOf(one['name']) || textOf(one['id'])} /> <span class="dim small">{tokensOf(one)}</span>
            </button>
          </li>
        ))}
        {elements.length === 0 && <li class="dim small">No token is anywhere.</li>}
      </ul>
    </div>
  );
}

const glyphOf = (one: JsonObject): string =>
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
