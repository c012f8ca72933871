import { useState } from 'preact/hooks';
import { isObject, type Json, type JsonObject } from '../../../src/model/json.ts';
import { go, link } from '../../address/router.ts';
import { part } from '../../api/calls.ts';
import { ActButton, type Asked, Button, Dialog, JsonField, jsonOf, useAction, wrongJson } from '../../parts/action.tsx';
import { ProblemNote } from '../../parts/problem.tsx';
import { Text } from '../../parts/said.tsx';
import { type EditedTree, TreeField } from '../../parts/tree-field.tsx';
import { isOver, objectsOf, textOf } from '../../picture/standing.ts';

/* What can be done to a whole workflow. */

export function Actions({
  id,
  shown,
  again,
}: {
  readonly id: string;
  readonly shown: JsonObject;
  readonly again: () => Promise<void>;
}) {
  const [asking, ask] = useState<'cancel' | 'kill' | null>(null);
  const status = textOf(shown['status']);
  const over = isOver(status) ? `is over: ${status}` : null;
  const path = `v1/workflows/${part(id)}`;
  return (
    <>
      {status === 'paused' ? (
        <ActButton asked={{ path: `${path}/resume` }} done={again}>
          ▶ Resume
        </ActButton>
      ) : (
        <ActButton asked={{ path: `${path}/pause` }} done={again} why={over}>
          ‖ Pause
        </ActButton>
      )}
      <Button needs="operate" onPress={() => ask('cancel')} why={over}>
        ⊘ Cancel…
      </Button>
      <Button needs="operate" onPress={() => ask('kill')} why={over} look="danger">
        Kill…
      </Button>
      <a class="button" href={link(`/workflows/new?from=${encodeURIComponent(id)}`)}>
        Launch again…
      </a>
      {asking !== null && <EndDialog id={id} how={asking} shown={shown} close={() => ask(null)} again={again} />}
    </>
  );
}

function EndDialog({
  id,
  how,
  shown,
  close,
  again,
}: {
  readonly id: string;
  readonly how: 'cancel' | 'kill';
  readonly shown: JsonObject;
  readonly close: () => void;
  readonly again: () => Promise<void>;
}) {
  const [reason, setReason] = useState('');
  const action = useAction(async () => {
    await again();
    close();
  });
  const told = [...new Set(objectsOf(shown['workitems']).map((one) => textOf(one['participant'])))];
  const missing = how === 'kill' && reason.trim() === '' ? 'say why' : null;
  return (
    <Dialog title={`${how === 'kill' ? 'Kill' : 'Cancel'} ${textOf(shown['name']) || 'this workflow'}`} close={close}>
      <p>
        {told.length === 0 ? 'Nobody is at work now. ' : 'Told to stop: '}
        {told.length > 0 && (
          <Text text={`${told.slice(0, 8).join(', ')}${told.length > 8 ? ` and ${told.length - 8} more` : ''}. `} />
        )}
        {how === 'kill' ? 'No handlers run; it is over at once.' : 'Its on_cancel handlers run, then it is over.'}
      </p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (missing !== null) return;
          void action.act({
            path: `v1/workflows/${part(id)}/${how}`,
            ...(reason.trim() === '' ? {} : { body: { reason: reason.trim() } }),
          });
        }}
      >
        <label class="field">
          <span class="label">Reason{how === 'kill' ? '' : ' (optional)'}</span>
          <input value={reason} maxLength={1000} onInput={(event) => setReason(event.currentTarget.value)} />
        </label>
        {action.problem !== null && <ProblemNote problem={action.problem} />}
        <div class="row">
          <Button type="submit" look={how === 'kill' ? 'danger' : 'primary'} busy={action.busy} why={missing}>
            {how === 'kill' ? 'Kill it' : 'Cancel it'}
          </Button>
          <Button onPress={close}>Leave it</Button>
        </div>
      </form>
    </Dialog>
  );
}

/** A dialog for what takes fields, and a tree where it says so. `make`: the request of what was written. */
export function FieldsDialog({
  title,
  about,
  fields,
  tree,
  fail = false,
  withReason = true,
  verb,
  make,
  close,
  done,
}: {
  readonly title: string;
  readonly about: string;
  readonly fields: Json;
  /** Null: no tree is asked for. */
  readonly tree: Json | null;
  /** Asks for a message instead of fields. */
  readonly fail?: boolean;
  /** Whether the interface takes a reason for it. */
  readonly withReason?: boolean;
  readonly verb: string;
  readonly make: (given: { readonly fields?: Json; readonly tree?: Json; readonly message: string }) => Asked;
  readonly close: () => void;
  readonly done: () => Promise<void>;
}) {
  const before = JSON.stringify(fields, null, 2);
  const [text, setText] = useState(before);
  const [edited, setEdited] = useState<EditedTree>(undefined);
  const [reason, setReason] = useState('');
  const [message, setMessage] = useState('');
  const action = useAction(async () => {
    await done();
    close();
  });
  const wrong = fail
    ? message.trim() === ''
      ? 'say what went wrong'
      : null
    : (wrongJson(text, 'object') ?? (edited === null ? 'the tree cannot be read yet' : null));
  return (
    <Dialog title={title} close={close}>
      <p>{about}</p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (wrong !== null) return;
          const given = jsonOf(text);
          const { body, ...asked } = make({
            message: message.trim(),
            ...(fail || given === undefined || text === before ? {} : { fields: given }),
            ...(edited === undefined || edited === null ? {} : { tree: edited }),
          });
          const why = reason.trim() === '' || !withReason ? {} : { reason: reason.trim() };
          void action.act({ ...asked, body: { ...(isObject(body ?? null) ? (body as JsonObject) : {}), ...why } });
        }}
      >
        {fail ? (
          <label class="field">
            <span class="label">What went wrong</span>
            <input value={message} onInput={(event) => setMessage(event.currentTarget.value)} />
          </label>
        ) : (
          <JsonField
            label="Fields"
            text={text}
            set={setText}
            rows={8}
            hint={text === before ? 'As they are: nothing is sent' : 'Changed'}
          />
        )}
        {tree !== null && <TreeField tree={tree} set={setEdited} />}
        {withReason && (
          <label class="field">
            <span class="label">Reason (optional)</span>
            <input value={reason} maxLength={500} onInput={(event) => setReason(event.currentTarget.value)} />
          </label>
        )}
        {action.problem !== null && <ProblemNote problem={action.problem} />}
        <div class="row">
          <Button type="submit" look="primary" busy={action.busy} why={wrong}>
            {verb}
          </Button>
          <Button onPress={close}>Close</Button>
        </div>
      </form>
    </Dialog>
  );
}

/** Goes to a workflow that was just made. */
export const goToWorkflow = (id: string): void => go(`/workflows/${id}`);
