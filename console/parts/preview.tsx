import { useEffect, useMemo, useState } from 'preact/hooks';
import { isObject, type Json, type JsonObject } from '../../src/model/json.ts';
import { workflow } from '../address/pages.ts';
import { call, type Problem } from '../api/calls.ts';
import { useBodies } from '../pages/workflow/bodies.ts';
import type { Heat } from '../pages/workflow/box.tsx';
import { Diagram } from '../pages/workflow/diagram.tsx';
import { Outline } from '../pages/workflow/outline.tsx';
import { figureOf } from '../picture/figure.ts';
import { objectsOf } from '../picture/standing.ts';
import type { Seen } from '../picture/states.ts';
import { ProblemNote } from './problem.tsx';
import { Text } from './said.tsx';

/* A definition that is being written: what the server says of it, and its picture. */

export type Checked = {
  readonly valid: boolean;
  readonly tree: Json | null;
  readonly errors: readonly JsonObject[];
  readonly warnings: readonly JsonObject[];
  readonly participants: readonly string[];
};

/** How long nobody types before the text is looked at, in milliseconds. */
const PAUSE_MS = 200;

/** What the server says of a text; null before it has said anything. */
export function useChecked(text: string): { readonly checked: Checked | null; readonly problem: Problem | null } {
  const [checked, setChecked] = useState<Checked | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    if (text.trim() === '') {
      setChecked(null);
      return;
    }
    const abort = new AbortController();
    const timer = setTimeout(async () => {
      const answer = await call('v1/definitions/validate', {
        method: 'POST',
        body: { workflow: text },
        signal: abort.signal,
      });
      if (abort.signal.aborted) return;
      setProblem(answer.ok ? null : answer.problem);
      if (!answer.ok || !isObject(answer.value)) return;
      const { value } = answer;
      setChecked({
        valid: value['valid'] === true,
        tree: value['tree'] ?? null,
        errors: objectsOf(value['errors']),
        warnings: objectsOf(value['warnings']),
        participants: Array.isArray(value['participants'])
          ? (value['participants'] as readonly Json[]).map(String)
          : [],
      });
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [text]);
  return { checked, problem };
}

export function Preview({
  checked,
  problem,
  goTo,
  heat,
}: {
  readonly checked: Checked | null;
  readonly problem: Problem | null;
  readonly goTo?: (line: number, column: number) => void;
  readonly heat?: ReadonlyMap<string, Heat>;
}) {
  const [state, setState] = useState(workflow.read('').state);
  const [view, setView] = useState<'diagram' | 'outline'>('diagram');
  const plain = useMemo(() => (checked?.tree ? figureOf(checked.tree) : null), [checked?.tree]);
  const figure = useBodies(plain, state, null);
  const set = (change: Partial<typeof state>): void => setState((one) => ({ ...one, ...change }));
  if (problem !== null) return <ProblemNote problem={problem} />;
  if (checked === null) return <p class="note dim">Write a definition, and its picture is here.</p>;
  return (
    <div class="stack">
      <Complaints list={checked.errors} look="problem" goTo={goTo} />
      <Complaints list={checked.warnings} look="note warn" goTo={goTo} />
      {figure !== null && (
        <div class="looking alone">
          {view === 'diagram' ? (
            <Diagram
              figure={figure}
              seen={EMPTY}
              state={state}
              set={set}
              chosen={null}
              {...(heat === undefined ? {} : { heat })}
            />
          ) : (
            <Outline figure={figure} seen={EMPTY} state={state} set={set} />
          )}
        </div>
      )}
      {figure !== null && (
        <p class="row small">
          <button type="button" class="button tiny" onClick={() => setView(view === 'diagram' ? 'outline' : 'diagram')}>
            As {view === 'diagram' ? 'outline' : 'diagram'}
          </button>
          <span class="dim">
            Participants: <Text text={checked.participants.join(', ') || 'none'} />
          </span>
        </p>
      )}
    </div>
  );
}

const EMPTY: ReadonlyMap<string, Seen> = new Map();

/** Complaints of one definition that are listed. */
const LISTED_MAX = 50;
function Complaints({
  list,
  look,
  goTo,
}: {
  readonly list: readonly JsonObject[];
  readonly look: string;
  readonly goTo: ((line: number, column: number) => void) | undefined;
}) {
  if (list.length === 0) return null;
  return (
    <ul class={look} aria-live="polite">
      {list.slice(0, LISTED_MAX).map((one) => (
        <li key={`${one['line']} ${one['column']} ${one['message']}`}>
          {goTo === undefined || typeof one['line'] !== 'number' ? (
            `line ${one['line'] ?? '?'}: `
          ) : (
            <button type="button" class="more-link" onClick={() => goTo(Number(one['line']), Number(one['column']))}>
              line {one['line']}, column {String(one['column'])}
            </button>
          )}{' '}
          <Text text={String(one['message'] ?? one['detail'] ?? '')} />
        </li>
      ))}
    </ul>
  );
}
