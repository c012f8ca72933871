import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Json } from '../../src/model/json.ts';
import type { Scope } from '../api/session.ts';
import { Button, Dialog, useAction } from './action.tsx';
import { ProblemNote } from './problem.tsx';
import { Copy, Text } from './said.tsx';
import { visible } from './texts.ts';

/** Whether a name was typed as it is or as it is shown: some of a stranger's letters nobody can type. */
export const isTyped = (typed: string, word: string): boolean =>
  [word.trim(), visible(word).trim()].includes(typed.trim());

/** Something that others depend on is ended or exchanged: its name is typed first. */
export function TypedDialog({
  title,
  word,
  verb,
  path,
  method = 'POST',
  needs = 'admin',
  children,
  close,
  done,
}: {
  readonly title: string;
  readonly word: string;
  readonly verb: string;
  readonly path: string;
  /** A DELETE takes no reason. */
  readonly method?: 'POST' | 'DELETE';
  readonly needs?: Scope;
  /** What is lost, and who depends on it. */
  readonly children: ComponentChildren;
  readonly close: () => void;
  /** With what the server answered. */
  readonly done: (answer: Json) => void | Promise<void>;
}) {
  const [typed, setTyped] = useState('');
  const [reason, setReason] = useState('');
  const action = useAction((answer) => done(answer.value));
  const why = isTyped(typed, word) ? null : `type ${visible(word)} first`;
  return (
    <Dialog title={title} close={close}>
      {children}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (why !== null) return;
          const body = reason.trim() === '' ? {} : { reason: reason.trim() };
          void action.act(method === 'DELETE' ? { path, method } : { path, body });
        }}
      >
        <label class="field">
          <span class="label">
            Type <Text text={word} /> to go on
          </span>
          <input value={typed} autocomplete="off" onInput={(event) => setTyped(event.currentTarget.value)} />
        </label>
        {method !== 'DELETE' && (
          <label class="field">
            <span class="label">Reason (optional)</span>
            <input value={reason} maxLength={500} onInput={(event) => setReason(event.currentTarget.value)} />
          </label>
        )}
        {action.problem !== null && <ProblemNote problem={action.problem} />}
        <div class="row">
          <Button type="submit" look="danger" needs={needs} busy={action.busy} why={why}>
            {verb}
          </Button>
          <Button onPress={close}>Leave it</Button>
        </div>
      </form>
    </Dialog>
  );
}

/** Something that is shown this once. */
export function ShownOnce({
  title,
  text,
  close,
}: {
  readonly title: string;
  readonly text: string;
  readonly close: () => void;
}) {
  return (
    <Dialog title={title} close={close}>
      <p>It is shown this once. Copy it to where it is kept.</p>
      <pre class="block">{text}</pre>
      <div class="row">
        <Copy what="Copy" text={text} />
        <Button look="primary" onPress={close}>
          It is stored
        </Button>
      </div>
    </Dialog>
  );
}
