import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { isLoopbackPage } from '../address/router.ts';
import type { Problem } from '../api/calls.ts';
import { signIn } from '../api/session.ts';
import { Button } from '../parts/action.tsx';
import { ProblemNote } from '../parts/problem.tsx';

/** One field for a key. It goes to the server once and is nowhere kept; a cookie stands for it until it ends. */
export function SignInForm({ done }: { readonly done: () => void }) {
  const [key, setKey] = useState('');
  const [shown, show] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const field = useRef<HTMLInputElement>(null);
  const id = useId();
  useEffect(() => field.current?.focus(), []);
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (busy || key.trim() === '') return;
        setBusy(true);
        setProblem(null);
        void signIn(key.trim()).then((answer) => {
          setBusy(false);
          if (!answer.ok) {
            setProblem(answer.problem);
            field.current?.focus();
            return;
          }
          setKey('');
          done();
        });
      }}
    >
      <div class="field">
        <label for={id}>API key</label>
        <p class="hint" id={`${id}-hint`}>
          It begins with rota_ and is not kept in this page.
        </p>
        <div class="row fill">
          <input
            ref={field}
            id={id}
            name="key"
            {...(shown ? { type: 'text' as const } : { type: 'password' as const })}
            autocomplete="current-password"
            autocapitalize="off"
            spellcheck={false}
            aria-describedby={`${id}-hint`}
            value={key}
            onInput={(event) => setKey(event.currentTarget.value)}
          />
          <Button pressed={shown} onPress={() => show(!shown)}>
            {shown ? 'Hide' : 'Show'}
          </Button>
        </div>
      </div>
      {!isLoopbackPage && window.location.protocol === 'http:' && (
        <p class="note warn small">
          Signing in from another machine needs https: over plain http a browser keeps no session.
        </p>
      )}
      {problem !== null && <ProblemNote problem={problem} />}
      <div class="row">
        <Button type="submit" look="primary" busy={busy} why={key.trim() === '' ? 'the key is missing' : null}>
          Sign in
        </Button>
      </div>
    </form>
  );
}
