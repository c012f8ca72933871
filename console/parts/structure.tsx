import { useRef, useState } from 'preact/hooks';
import { isObject, type Json } from '../../src/model/json.ts';
import { call } from '../api/calls.ts';
import { lineOf } from '../picture/figure.ts';
import { objectsOf, textOf } from '../picture/standing.ts';
import {
  add,
  type Doings,
  duplicate,
  type Edited,
  move,
  moveIn,
  moveOut,
  partsOf,
  type Row,
  redo,
  remove,
  take,
  treeOfWord,
  undo,
  wrap,
} from '../picture/tree-edit.ts';
import { Button } from './action.tsx';
import { visible } from './texts.ts';

/** Lines that are listed. */
const ROWS_MAX = 500;

const WRAPS: readonly (readonly [word: string, head: string, attributes: { readonly [name: string]: Json }])[] = [
  ['sequence', 'sequence', {}],
  ['concurrence', 'concurrence', {}],
  ['sequence with a timeout', 'sequence', { timeout: '1h' }],
];
const SIGNS = { '+': '＋', '−': '−', '✎': '✎', '': ' ' } as const;
const WORDS = { '+': 'added', '−': 'gone', '✎': 'changed', '': '' } as const;

/** What a key does to the place that is chosen, in the list and on the picture alike; null: nothing. */
export function doneByKey(event: KeyboardEvent, doings: Doings): Doings | null {
  const { key, altKey, ctrlKey, metaKey, shiftKey } = event;
  const { tree, at } = doings.now;
  if ((ctrlKey || metaKey) && key.toLowerCase() === 'z') return shiftKey ? redo(doings) : undo(doings);
  if ((ctrlKey || metaKey) && key.toLowerCase() === 'y') return redo(doings);
  if (altKey && key === 'ArrowUp') return take(doings, move(tree, at, -1));
  if (altKey && key === 'ArrowDown') return take(doings, move(tree, at, 1));
  if (altKey && key === 'ArrowLeft') return take(doings, moveOut(tree, at));
  if (altKey && key === 'ArrowRight') return take(doings, moveIn(tree, at));
  return key === 'Delete' ? take(doings, remove(tree, at)) : null;
}

/** A tree a line a place: chosen with the arrows, moved with Alt and the arrows, wrapped, doubled, taken out; all of it can be undone. */
export function Structure({
  doings,
  rows,
  set,
}: {
  readonly doings: Doings;
  readonly rows: readonly Row[];
  readonly set: (doings: Doings) => void;
}) {
  const [line, setLine] = useState('');
  const [wrong, setWrong] = useState<string | null>(null);
  const list = useRef<HTMLDivElement>(null);
  const { tree, at } = doings.now;
  const here = at.join('_');
  const act = (next: Edited | null): void => {
    setWrong(null);
    if (next !== null) set(take(doings, next));
  };
  const choose = (way: readonly number[]): void => set({ ...doings, now: { tree, at: way } });
  const there = rows.filter((row) => row.way !== null);
  const keys = (event: KeyboardEvent): void => {
    const order = there.findIndex(({ way }) => way?.join('_') === here);
    const done = doneByKey(event, doings);
    if (done !== null) {
      setWrong(null);
      set(done);
    } else if (event.key === 'ArrowUp' || event.key === 'ArrowDown') {
      const to = there[order + (event.key === 'ArrowUp' ? -1 : 1)]?.way;
      if (to != null) choose(to);
    } else return;
    event.preventDefault();
    // The line that was meant has the focus wherever it stands now.
    requestAnimationFrame(() => list.current?.querySelector<HTMLElement>('[aria-pressed="true"]')?.focus());
  };
  /** What is to be added is written as a line of Radial. */
  const addLine = async (where: 'before' | 'after' | 'inside'): Promise<void> => {
    const word = treeOfWord(line);
    if (word !== null) {
      setLine('');
      act(add(tree, at, where, word));
      return;
    }
    const answer = await call('v1/definitions/validate', { method: 'POST', body: { workflow: line } });
    if (!answer.ok) {
      setWrong(answer.problem.detail);
      return;
    }
    const read = isObject(answer.value) ? answer.value : {};
    const node = read['tree'] ?? null;
    if (read['valid'] !== true || node === null)
      setWrong(textOf(objectsOf(read['errors'])[0]?.['message']) || 'cannot be read');
    else {
      setLine('');
      act(add(tree, at, where, node));
    }
  };
  const isRoot = at.length === 0;
  const empty = line.trim() === '' ? 'write the line first' : null;
  return (
    <div class="structure stack tight">
      <div class="row">
        <Button
          look="tiny"
          label="Up"
          why={move(tree, at, -1) === null ? 'it is the first' : null}
          onPress={() => act(move(tree, at, -1))}
        >
          ↑
        </Button>
        <Button
          look="tiny"
          label="Down"
          why={move(tree, at, 1) === null ? 'it is the last' : null}
          onPress={() => act(move(tree, at, 1))}
        >
          ↓
        </Button>
        <Button
          look="tiny"
          label="Out"
          why={moveOut(tree, at) === null ? 'it is as far out as it can be' : null}
          onPress={() => act(moveOut(tree, at))}
        >
          ←
        </Button>
        <Button
          look="tiny"
          label="In"
          why={moveIn(tree, at) === null ? 'nothing is before it' : null}
          onPress={() => act(moveIn(tree, at))}
        >
          →
        </Button>
        <Button look="tiny" why={isRoot ? 'it is the whole' : null} onPress={() => act(duplicate(tree, at))}>
          Double
        </Button>
        <Button look="tiny" why={isRoot ? 'it is the whole' : null} onPress={() => act(remove(tree, at))}>
          Delete
        </Button>
        <select
          class="narrow"
          aria-label="Wrap it"
          value=""
          onChange={(event) => {
            const [, head, attributes] = WRAPS.find(([word]) => word === event.currentTarget.value) ?? [];
            if (head !== undefined) act(wrap(tree, at, head, attributes));
            event.currentTarget.value = '';
          }}
        >
          <option value="">Wrap in…</option>
          {WRAPS.map(([word]) => (
            <option key={word}>{word}</option>
          ))}
        </select>
        <Button
          look="tiny"
          why={doings.done.length === 0 ? 'nothing was done' : null}
          onPress={() => set(undo(doings))}
        >
          Undo
        </Button>
        <Button
          look="tiny"
          why={doings.undone.length === 0 ? 'nothing was undone' : null}
          onPress={() => set(redo(doings))}
        >
          Redo
        </Button>
      </div>
      <div
        ref={list}
        class="structure-lines mono small"
        role="group"
        aria-label="Lines; Alt and the arrows move one"
        onKeyDown={keys}
      >
        {rows.slice(0, ROWS_MAX).map(({ node, level, mark, way }, i) => {
          const [head, attributes] = partsOf(node);
          const text = visible(lineOf({ head, attributes: Object.entries(attributes) }));
          const style = { paddingLeft: `${level * 16 + 6}px` };
          return way === null ? (
            <p key={i} class="diff-gone" style={style}>
              <span aria-hidden="true">{SIGNS[mark]}</span>{' '}
              <s>
                <bdi>{text}</bdi>
              </s>
              <span class="unseen"> gone</span>
            </p>
          ) : (
            <button
              key={i}
              type="button"
              class={mark === '' ? '' : 'diff-added'}
              style={style}
              aria-pressed={way.join('_') === here}
              tabIndex={way.join('_') === here ? 0 : -1}
              onClick={() => choose(way)}
            >
              <span aria-hidden="true">{SIGNS[mark]}</span> <bdi>{text}</bdi>
              <span class="unseen"> {WORDS[mark]}</span>
            </button>
          );
        })}
      </div>
      {rows.length > ROWS_MAX && <p class="note warn small">The first {ROWS_MAX} lines are listed.</p>}
      <div class="row">
        <label class="row">
          <span class="unseen">A new line, in Radial</span>
          <input
            class="mono"
            placeholder="alice task: 'look at it'"
            value={line}
            onInput={(event) => setLine(event.currentTarget.value)}
          />
        </label>
        <Button
          look="tiny"
          why={empty ?? (isRoot ? 'nothing stands before the whole' : null)}
          onPress={() => void addLine('before')}
        >
          Add before
        </Button>
        <Button
          look="tiny"
          why={empty ?? (isRoot ? 'nothing stands behind the whole' : null)}
          onPress={() => void addLine('after')}
        >
          Add after
        </Button>
        <Button look="tiny" why={empty} onPress={() => void addLine('inside')}>
          Add inside
        </Button>
      </div>
      {wrong !== null && <p class="wrong">{visible(wrong)}</p>}
    </div>
  );
}
