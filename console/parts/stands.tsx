import { useMemo } from 'preact/hooks';
import type { JsonObject } from '../../src/model/json.ts';
import { figureOf, placeAt } from '../picture/figure.ts';
import { sentenceOf } from '../picture/sentence.ts';
import { standingOf } from '../picture/standing.ts';
import { statesOf } from '../picture/states.ts';
import { Text, Time } from './said.tsx';

/** Where a workflow stands, in a sentence. `workflow`: what GET told of it. */
export function Stands({ workflow }: { readonly workflow: JsonObject }) {
  const sentence = useMemo(() => {
    const figure = figureOf(workflow['tree'] ?? null);
    const standing = standingOf(workflow);
    const seen = figure === null ? new Map() : statesOf(figure, standing, null);
    return sentenceOf(standing, figure, seen, (expid) => (figure === null ? null : placeAt(figure, expid)));
  }, [workflow]);
  return (
    <p class="small">
      {sentence.map((word, i) =>
        word.time !== undefined ? <Time key={i} at={word.time} how="both" /> : <Text key={i} text={word.text} />,
      )}
    </p>
  );
}
