import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import type { Json } from '../../src/model/json.ts';
import { type Answer, call, newKey, type Problem, type Request } from '../api/calls.ts';
import { lacking, type Scope } from '../api/session.ts';
import { looked } from '../live/resource.ts';
import { ProblemNote } from './problem.tsx';
import { Text } from './said.tsx';
import { visible } from './texts.ts';
import { say, type Toast } from './toast.tsx';

/* Buttons that act. Nothing is painted as done before the server said so, and a problem stands beside its button with what was typed kept. */

export type Asked = {
  readonly path: string;
  readonly method?: Request['method'];
  readonly body?: Json;
  readonly ifMatch?: string;
  readonly assignee?: string;
};

type Doing = { readonly busy: boolean; readonly problem: Problem | null; act(asked: Asked): Promise<Answer | null> };

/** How long nobody answers before it is said, and what is shown is read again, in milliseconds. */
const LATE_MS = 10_000;
const LATE: Problem = {
  status: 0,
  code: 'no_answer_yet',
  detail: 'No answer yet. It may have happened: looking…',
  requestId: null,
  retryAfterSeconds: null,
  errors: [],
};

/** One action: busy while it is under way; tried again with the same Idempotency-Key. */
export function useAction(done?: (answer: Answer & { ok: true }) => void | Promise<void>): Doing & { clear(): void } {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const key = useRef<{ readonly text: string; readonly key: string } | null>(null);
  return {
    busy,
    problem,
    clear: () => setProblem(null),
    async act(asked) {
      if (busy) return null;
      const text = JSON.stringify(asked);
      if (key.current?.text !== text) key.current = { text, key: newKey() };
      setBusy(true);
      setProblem(null);
      const { path, method = 'POST', body, ifMatch, assignee } = asked;
      const late = setTimeout(() => {
        setProblem(LATE);
        looked.value += 1;
      }, LATE_MS);
      const answer = await call(path, {
        method,
        key: key.current.key,
        ...(body === undefined ? {} : { body }),
        ...(ifMatch === undefined ? {} : { ifMatch }),
        ...(assignee === undefined ? {} : { assignee }),
      });
      clearTimeout(late);
      if (answer.ok) {
        key.current = null;
        setProblem(null);
        // What comes of it is read before anything else can be asked.
        try {
          await done?.(answer);
        } finally {
          setBusy(false);
        }
      } else {
        setBusy(false);
        setProblem(answer.problem);
        // The server has answered: the next press is another request.
        if (answer.problem.status > 0 && answer.problem.status < 500) key.current = null;
      }
      return answer;
    },
  };
}

export function Button({
  children,
  onPress,
  look = '',
  busy = false,
  why: given = null,
  needs,
  label,
  type = 'button',
  pressed,
}: {
  readonly children: ComponentChildren;
  readonly onPress?: () => void;
  readonly look?: string;
  readonly busy?: boolean;
  /** Why it cannot be used now; null: it can. */
  readonly why?: string | null;
  /** The scope it takes. */
  readonly needs?: Scope;
  readonly label?: string;
  readonly type?: 'button' | 'submit';
  readonly pressed?: boolean;
}) {
  const id = useId();
  const [told, tell] = useState(false);
  const why = (needs === undefined ? null : lacking(needs)) ?? given;
  const off = why !== null;
  return (
    <>
      <button
        type={type}
        class={`button ${look} ${busy ? 'busy' : ''}`}
        aria-disabled={off || busy ? 'true' : undefined}
        aria-describedby={off ? id : undefined}
        aria-label={label === undefined ? undefined : visible(label)}
        aria-pressed={pressed}
        title={why === null ? undefined : visible(why)}
        onClick={(event) => {
          if (off || busy) event.preventDefault();
          else onPress?.();
          // A finger cannot point at it without pressing it.
          tell(off);
        }}
      >
        {children}
      </button>
      {off && (
        <span class={told ? 'why' : 'unseen'} id={id}>
          <Text text={why} />
        </span>
      )}
    </>
  );
}

/** A button that asks nothing further. */
export function ActButton({
  asked,
  done,
  children,
  look,
  why,
  leads,
  needs = 'operate',
}: {
  readonly asked: Asked;
  readonly done?: () => void | Promise<void>;
  /** What is said once it is done, and where what came of it stands. */
  readonly leads?: Toast;
  readonly children: ComponentChildren;
  readonly look?: string;
  readonly why?: string | null;
  readonly needs?: Scope;
}) {
  const action = useAction(async () => {
    await done?.();
    if (leads !== undefined) say(leads);
  });
  return (
    <>
      <Button
        busy={action.busy}
        needs={needs}
        onPress={() => void action.act(asked)}
        {...(look === undefined ? {} : { look })}
        {...(why === undefined ? {} : { why })}
      >
        {children}
      </Button>
      {action.busy && <AskedFor>{children}</AskedFor>}
      {action.problem !== null && <ProblemNote problem={action.problem} again={() => void action.act(asked)} />}
    </>
  );
}

/** After so many milliseconds what was asked for and is not known yet says so; before that it would only flicker. */
const ASKED_AFTER_MS = 300;
function AskedFor({ children }: { readonly children: ComponentChildren }) {
  const [shown, show] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => show(true), ASKED_AFTER_MS);
    return () => clearTimeout(timer);
  }, []);
  return shown ? <span class="chip asked">asked: {children}</span> : null;
}

/** A dialog on top of the page; Escape and Close leave it, a failure never does. */
export function Dialog({
  title,
  close,
  children,
}: {
  readonly title: string;
  readonly close: () => void;
  readonly children: ComponentChildren;
}) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const before = document.activeElement;
    ref.current?.showModal();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog ref={ref} aria-labelledby={id} onClose={close}>
      <div class="body">
        <h2 id={id}>
          <Text text={title} />
        </h2>
        {children}
      </div>
    </dialog>
  );
}

/** A text area that holds JSON, checked as one types. */
export function JsonField({
  label,
  hint,
  text,
  set,
  rows = 8,
  kind = 'object',
}: {
  readonly label: string;
  readonly hint?: string;
  readonly text: string;
  readonly set: (text: string) => void;
  readonly rows?: number;
  readonly kind?: 'object' | 'tree' | 'any';
}) {
  const id = useId();
  const wrong = wrongJson(text, kind);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {hint !== undefined && <p class="hint">{hint}</p>}
      <textarea
        id={id}
        rows={rows}
        spellcheck={false}
        value={text}
        aria-invalid={wrong === null ? undefined : 'true'}
        aria-describedby={wrong === null ? undefined : `${id}-wrong`}
        onInput={(event) => set(event.currentTarget.value)}
      />
      {wrong !== null && (
        <p class="wrong" id={`${id}-wrong`}>
          {wrong}
        </p>
      )}
    </div>
  );
}

/** What is wrong with a JSON text, or null. An empty one is nothing. */
export function wrongJson(text: string, kind: 'object' | 'tree' | 'any'): string | null {
  if (text.trim() === '') return null;
  try {
    const value = JSON.parse(text) as Json;
    if (kind === 'any') return null;
    if (kind === 'object')
      return value !== null && typeof value === 'object' && !Array.isArray(value)
        ? null
        : 'It has to be an object: { … }';
    return Array.isArray(value) && value.length === 3
      ? null
      : 'It has to be a tree: ["head", { attributes }, [children]]';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

export const jsonOf = (text: string): Json | undefined => (text.trim() === '' ? undefined : (JSON.parse(text) as Json));
