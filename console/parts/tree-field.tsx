import { useEffect, useId, useMemo, useRef, useState } from 'preact/hooks';
import { isObject, type Json, type JsonObject } from '../../src/model/json.ts';
import { workflow } from '../address/pages.ts';
import { call } from '../api/calls.ts';
import { draftOf, keepDraft } from '../app/settings.ts';
import { Diagram } from '../pages/workflow/diagram.tsx';
import { figureOf, placeAt } from '../picture/figure.ts';
import { textOf } from '../picture/standing.ts';
import type { Seen } from '../picture/states.ts';
import {
  begin,
  type Doings,
  differences,
  isTree,
  mergedOf,
  nodeAt,
  take,
  treeOfWord,
  wordOf,
} from '../picture/tree-edit.ts';
import { Button } from './action.tsx';
import { useChecked } from './preview.tsx';
import { Text } from './said.tsx';
import { doneByKey, Structure } from './structure.tsx';

/** Undefined: as it was. Null: it cannot be read yet. */
export type EditedTree = Json | undefined | null;

const FORMATS = ['radial', 'json', 'xml'] as const;
type Format = (typeof FORMATS)[number];

/** A tree as text; null: that format cannot say it. */
async function textIn(tree: Json, to: Format): Promise<string | null> {
  const json = JSON.stringify(tree, null, 2);
  if (to === 'json') return json;
  const word = to === 'radial' ? wordOf(tree) : null;
  if (word !== null) return `${word}\n`;
  const answer = await call('v1/definitions/convert', { method: 'POST', body: { definition: json, from: 'json', to } });
  return answer.ok && isObject(answer.value) ? textOf(answer.value['definition']) : null;
}

/** What was edited before and not sent, where it was an edit of the very same tree. */
function draftFor(name: string | undefined, tree: Json): Json | null {
  const kept = name === undefined ? null : draftOf(name);
  if (kept === null) return null;
  const read = JSON.parse(kept) as Json;
  const now = isObject(read) && read['before'] === JSON.stringify(tree) ? read['now'] : undefined;
  return now !== undefined && isTree(now) ? now : null;
}

/**
 * A part of a tree, edited as text (in Radial where that can say it) and by its structure, with a picture of what changes.
 *
 * @param start what it begins with instead of the tree as it is. `draft`: where what is edited is kept on this device
 */
export function TreeField({
  tree,
  start,
  draft,
  set,
}: {
  readonly tree: Json;
  readonly start?: Json;
  readonly draft?: string;
  readonly set: (edited: EditedTree) => void;
}) {
  const id = useId();
  const [format, setFormat] = useState<Format>('radial');
  const [first, setFirst] = useState<string | null>(null);
  const [text, setText] = useState('');
  const [kept] = useState(() => draftFor(draft, tree));
  const [doings, setDoings] = useState<Doings>(() => {
    const before = begin(tree);
    const given = start ?? kept;
    return given === undefined || given === null ? before : take(before, { tree: given, at: [] });
  });
  // A word alone is a place, and no definition that the server would read.
  const word = useMemo(() => treeOfWord(text), [text]);
  const { checked: read, problem } = useChecked(word === null ? text : '');
  const checked = useMemo(
    () => (word === null ? read : { valid: true, tree: word, errors: [] as readonly JsonObject[] }),
    [read, word],
  );
  const [unsaid, setUnsaid] = useState<Format | null>(null);
  // The text that says the tree as it is now: another one was typed.
  const told = useRef('');
  const tell = async (value: Json, to: Format): Promise<void> => {
    const said = await textIn(value, to);
    setUnsaid(said === null ? to : null);
    if (said === null) setFormat('json');
    told.current = said ?? JSON.stringify(value, null, 2);
    setText(told.current);
  };
  useEffect(() => {
    void textIn(tree, 'radial').then((said) => {
      setFirst(said ?? JSON.stringify(tree, null, 2));
      return tell(doings.now.tree, 'radial');
    });
  }, [JSON.stringify(tree)]);
  const isTyped = text !== told.current;
  useEffect(() => {
    if (checked?.valid !== true || checked.tree === null || !isTyped) return;
    const { tree: typed } = checked;
    setDoings((before) =>
      take(before, { tree: typed, at: nodeAt(typed, before.now.at) === null ? [] : before.now.at }),
    );
    told.current = text;
  }, [checked]);
  const { now } = doings;
  const changed = JSON.stringify(now.tree) !== JSON.stringify(tree);
  useEffect(() => {
    set(isTyped ? null : changed ? now.tree : undefined);
    if (draft !== undefined && first !== null)
      keepDraft(draft, changed ? JSON.stringify({ before: JSON.stringify(tree), now: now.tree }) : null);
  }, [isTyped, doings, first]);
  const rows = useMemo(() => differences(tree, now.tree), [doings, JSON.stringify(tree)]);
  if (first === null) return <div class="skeleton" />;
  const wrong = isTyped && checked?.valid === false ? checked.errors : [];
  const doStructure = (next: Doings): void => {
    setDoings(next);
    void tell(next.now.tree, format);
  };
  return (
    <div class="field">
      <div class="row">
        <label for={id}>Tree</label>
        {FORMATS.map((one) => (
          <Button
            key={one}
            look="tiny"
            pressed={format === one}
            onPress={() => {
              setFormat(one);
              void tell(now.tree, one);
            }}
          >
            {one === 'radial' ? 'Radial' : one.toUpperCase()}
          </Button>
        ))}
      </div>
      <p class="hint">
        {changed || isTyped ? 'Changed: it runs with this tree' : 'As it is: nothing is sent'}
        {kept !== null && start === undefined && changed && ' · this is your draft of it'}
      </p>
      {unsaid !== null && (
        <p class="note warn small">
          {unsaid === 'radial' ? 'Radial' : 'XML'} cannot say this tree: here it is as JSON.
        </p>
      )}
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
      <details open={changed || doings.undone.length > 0}>
        <summary>By structure, with what changes</summary>
        <Structure doings={doings} rows={rows} set={doStructure} />
        <OnPicture doings={doings} rows={rows} set={doStructure} />
      </details>
    </div>
  );
}

const NOTHING_SEEN: ReadonlyMap<string, Seen> = new Map();

/** The edited tree as it is drawn, with what was added, what is gone and what was changed. What is chosen in it is what the buttons and keys act on. */
function OnPicture({
  doings,
  rows,
  set,
}: {
  readonly doings: Doings;
  readonly rows: ReturnType<typeof differences>;
  readonly set: (doings: Doings) => void;
}) {
  const [state, setState] = useState(workflow.read('').state);
  const { figure, marks, ways } = useMemo(() => {
    const merged = mergedOf(rows);
    return { figure: figureOf(merged.tree), marks: merged.marks, ways: merged.ways };
  }, [rows]);
  if (figure === null) return null;
  const here = doings.now.at.join('_');
  const chosen = [...ways].find(([, way]) => way.join('_') === here)?.[0] ?? '';
  return (
    <section
      aria-label="Picture of what changes"
      class="looking alone"
      onKeyDownCapture={(event) => {
        const done = doneByKey(event, doings);
        if (done === null) return;
        event.preventDefault();
        event.stopPropagation();
        const picture = event.currentTarget;
        set(done);
        // What was meant has the focus wherever it stands now.
        requestAnimationFrame(() => picture.querySelector<HTMLElement>('[aria-pressed="true"]')?.focus());
      }}
    >
      <Diagram
        figure={figure}
        seen={NOTHING_SEEN}
        marks={marks}
        state={state}
        set={(change) => {
          const way = change.sel === undefined ? undefined : ways.get(change.sel);
          if (way !== undefined) set({ ...doings, now: { ...doings.now, at: way } });
          setState((one) => ({ ...one, ...change }));
        }}
        chosen={placeAt(figure, chosen)}
      />
    </section>
  );
}
