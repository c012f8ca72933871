import { useEffect, useId, useState } from 'preact/hooks';
import { isObject, type Json } from '../../src/model/json.ts';
import { call } from '../api/calls.ts';
import { textOf } from '../picture/standing.ts';
import { diffOf } from './diff.ts';
import { useChecked } from './preview.tsx';
import { Text } from './said.tsx';

/** Undefined: as it was. Null: it cannot be read yet. */
export type EditedTree = Json | undefined | null;

/** Lines around a change that are shown with it. */
const AROUND = 1;

/** A part of a tree as text: in Radial where that can say it, with what changes below it as one types. */
export function TreeField({ tree, set }: { readonly tree: Json; readonly set: (edited: EditedTree) => void }) {
  const id = useId();
  const [first, setFirst] = useState<string | null>(null);
  const [text, setText] = useState('');
  const { checked, problem } = useChecked(text);
  useEffect(() => {
    const json = JSON.stringify(tree, null, 2);
    void call('v1/definitions/convert', {
      method: 'POST',
      body: { definition: json, from: 'json', to: 'radial' },
    }).then((answer) => {
      const found = answer.ok && isObject(answer.value) ? textOf(answer.value['definition']) : json;
      setFirst(found);
      setText(found);
    });
  }, [JSON.stringify(tree)]);
  const changed = first !== null && text !== first;
  useEffect(() => {
    set(!changed ? undefined : checked?.valid === true ? (checked.tree ?? null) : null);
  }, [changed, checked]);
  if (first === null) return <div class="skeleton" />;
  const lines = changed ? diffOf(first, text) : [];
  const near = lines.filter((_, i) =>
    lines.slice(Math.max(0, i - AROUND), i + AROUND + 1).some(({ kind }) => kind !== ' '),
  );
  const wrong = changed && checked?.valid === false ? checked.errors : [];
  return (
    <div class="field">
      <label for={id}>Tree</label>
      <p class="hint">{changed ? 'Changed: it runs with this tree' : 'As it is: nothing is sent'}</p>
      <textarea
        id={id}
        rows={Math.max(4, Math.min(16, text.split('\n').length + 1))}
        spellcheck={false}
        value={text}
        aria-invalid={wrong.length > 0 ? 'true' : undefined}
        aria-describedby={`${id}-wrong`}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <div id={`${id}-wrong`}>
        {wrong.slice(0, 5).map((one) => (
          <p class="wrong" key={String(one['message'])}>
            line {String(one['line'])}: <Text text={textOf(one['message'])} />
          </p>
        ))}
        {problem !== null && <p class="wrong">{problem.detail}</p>}
      </div>
      {near.length > 0 && (
        <pre class="block">
          {near.map(({ kind, text: line }, i) => (
            <div key={i} class={kind === '+' ? 'diff-added' : kind === '-' ? 'diff-gone' : ''}>
              {kind} <Text text={line} />
            </div>
          ))}
        </pre>
      )}
    </div>
  );
}
