import { useState } from 'preact/hooks';
import type { Json, JsonObject } from '../../src/model/json.ts';
import { type Asked, Button, Dialog, JsonField, jsonOf, useAction, wrongJson } from './action.tsx';
import { ProblemNote } from './problem.tsx';

/** An entry of a registry, written as JSON: the server has the last word, and says at which key something is wrong. */
export function EntryDialog({
  title,
  about,
  value,
  named = null,
  verb,
  make,
  close,
  done,
}: {
  readonly title: string;
  readonly about: string;
  readonly value: JsonObject;
  /** What the name is called, where one is asked for. */
  readonly named?: string | null;
  readonly verb: string;
  readonly make: (body: Json, name: string) => Asked;
  readonly close: () => void;
  /** With what the server answered. */
  readonly done: (answer: Json) => void | Promise<void>;
}) {
  const [text, setText] = useState(() => JSON.stringify(value, null, 2));
  const [name, setName] = useState('');
  const action = useAction(async (answer) => {
    await done(answer.value);
    close();
  });
  const wrong =
    wrongJson(text, 'object') ??
    (text.trim() === ''
      ? 'it has to be an object'
      : named !== null && name.trim() === ''
        ? 'give it a name first'
        : null);
  return (
    <Dialog title={title} close={close}>
      <p>{about}</p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (wrong === null) void action.act(make(jsonOf(text) ?? {}, name.trim()));
        }}
      >
        {named !== null && (
          <label class="field">
            <span class="label">{named}</span>
            <input value={name} maxLength={200} onInput={(event) => setName(event.currentTarget.value)} />
          </label>
        )}
        <JsonField label="Its keys" text={text} set={setText} rows={14} />
        {action.problem !== null && <ProblemNote problem={action.problem} />}
        <div class="row">
          <Button type="submit" look="primary" needs="admin" busy={action.busy} why={wrong}>
            {verb}
          </Button>
          <Button onPress={close}>Close</Button>
        </div>
      </form>
    </Dialog>
  );
}
