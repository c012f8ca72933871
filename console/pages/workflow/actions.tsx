import { type ComponentChildren, Fragment } from 'preact';
import { useState } from 'preact/hooks';
import { isObject, type Json, type JsonObject } from '../../../src/model/json.ts';
import { apiRoot, link } from '../../address/router.ts';
import { part } from '../../api/calls.ts';
import { curlOf } from '../../api/curl.ts';
import { keepDraft } from '../../app/settings.ts';
import { ActButton, type Asked, Button, Dialog, JsonField, jsonOf, useAction, wrongJson } from '../../parts/action.tsx';
import { fieldChanges } from '../../parts/diff.ts';
import { Effects } from '../../parts/effects.tsx';
import { Menu } from '../../parts/menu.tsx';
import { ProblemNote } from '../../parts/problem.tsx';
import { Copy, Text } from '../../parts/said.tsx';
import { say, type Toast } from '../../parts/toast.tsx';
import type { EditedTree } from '../../parts/tree-field.tsx';
import { TreeFieldLater } from '../../parts/tree-field-later.tsx';
import { isOver, textOf } from '../../picture/standing.ts';

/* What can be done to a whole workflow. */

export function Actions({
  id,
  shown,
  isPast,
  again,
}: {
  readonly id: string;
  readonly shown: JsonObject;
  /** Whether a moment of the past is looked at: then nothing acts on now. */
  readonly isPast: boolean;
  readonly again: () => Promise<void>;
}) {
  const [asking, ask] = useState<'cancel' | 'kill' | null>(null);
  const status = textOf(shown['status']);
  const past = isPast ? 'acts on now: go back to Live' : null;
  const over = isOver(status) ? `is over: ${status}` : past;
  const path = `v1/workflows/${part(id)}`;
  const history = `/workflows/${id}?view=history`;
  return (
    <>
      <span data-key="p">
        {status === 'paused' ? (
          <ActButton
            asked={{ path: `${path}/resume` }}
            done={again}
            why={past}
            leads={{ words: 'Resumed', to: history }}
          >
            ▶ Resume
          </ActButton>
        ) : (
          <ActButton asked={{ path: `${path}/pause` }} done={again} why={over} leads={{ words: 'Paused', to: history }}>
            ‖ Pause
          </ActButton>
        )}
      </span>
      <Button needs="operate" onPress={() => ask('cancel')} why={over}>
        ⊘ Cancel…
      </Button>
      <a class="button" href={link(`/workflows/new?from=${encodeURIComponent(id)}`)}>
        Launch again…
      </a>
      <Menu label="More about this workflow">
        <Button needs="operate" onPress={() => ask('kill')} why={over} look="danger">
          Kill…
        </Button>
        <a class="button" href={link(`/workflows/${id}/compare`)}>
          Compare two moments
        </a>
        <Copy what="Copy link" text={window.location.href} />
        <Copy what="Copy as curl" text={curlOf('GET', new URL(path, apiRoot).href)} />
        <a class="button" href={new URL(path, apiRoot).href} download={`${id}.json`}>
          Take away as JSON
        </a>
        <a class="button" href={new URL(`${path}/definition`, apiRoot).href} download={`${id}.definition`}>
          Take away the definition
        </a>
      </Menu>
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
  const missing = how === 'kill' && reason.trim() === '' ? 'say why' : null;
  return (
    <Dialog title={`${how === 'kill' ? 'Kill' : 'Cancel'} ${textOf(shown['name']) || 'this workflow'}`} close={close}>
      <p>{how === 'kill' ? 'No handlers run; it is over at once.' : 'Its on_cancel handlers run, then it is over.'}</p>
      <Effects asked={{ path: `v1/workflows/${part(id)}/${how}` }} />
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
          <Button
            type="submit"
            look={how === 'kill' ? 'danger' : 'primary'}
            needs="operate"
            busy={action.busy}
            why={missing}
          >
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
  merges = false,
  foretold = false,
  start,
  draft,
  gone,
  conflict,
  verb,
  leads,
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
  /** Whether the fields are merged over those that are there: what is left out stays. */
  readonly merges?: boolean;
  /** Whether the server can say what would come of it. */
  readonly foretold?: boolean;
  /** The tree it begins with instead of its own; where what is edited of it is kept. */
  readonly start?: Json;
  readonly draft?: string;
  /** What is offered when it is gone meanwhile, with the edited tree. */
  readonly gone?: (tree: EditedTree) => ComponentChildren;
  /** What is shown when somebody else has changed the fields meanwhile, with those that were written; `take`: goes on with others. */
  readonly conflict?: (mine: JsonObject, take: (fields: JsonObject) => void) => ComponentChildren;
  readonly verb: string;
  /** What is said once it is done, and where what came of it stands. */
  readonly leads?: Toast;
  readonly make: (given: {
    readonly fields?: Json;
    readonly tree?: Json;
    readonly message: string;
    readonly class?: string;
  }) => Asked;
  readonly close: () => void;
  /** Given what the server answered. */
  readonly done: (answer: Json) => Promise<void>;
}) {
  // What it was opened with: the page goes on meanwhile.
  const [before] = useState(() => JSON.stringify(fields, null, 2));
  const [text, setText] = useState(before);
  const [edited, setEdited] = useState<EditedTree>(undefined);
  const [reason, setReason] = useState('');
  const [message, setMessage] = useState('');
  const [kind, setKind] = useState('');
  const action = useAction(async (answer) => {
    if (draft !== undefined) keepDraft(draft, null);
    await done(answer.value);
    close();
    if (leads !== undefined) say(leads);
  });
  const isGone = action.problem?.status === 404 && gone !== undefined;
  const wrong = fail
    ? message.trim() === ''
      ? 'say what went wrong'
      : null
    : (wrongJson(text, 'object') ?? (edited === null ? 'the tree cannot be read yet' : null));
  const request = (): Asked => {
    const given = jsonOf(text);
    return make({
      message: message.trim(),
      ...(kind.trim() === '' ? {} : { class: kind.trim() }),
      ...(fail || given === undefined || text === before ? {} : { fields: given }),
      ...(edited === undefined || edited === null ? {} : { tree: edited }),
    });
  };
  return (
    <Dialog title={title} close={close}>
      <p>{about}</p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (wrong !== null) return;
          const { body, ...asked } = request();
          const why = reason.trim() === '' ? {} : { reason: reason.trim() };
          void action.act({ ...asked, body: { ...(isObject(body ?? null) ? (body as JsonObject) : {}), ...why } });
        }}
      >
        {fail ? (
          <>
            <label class="field">
              <span class="label">What went wrong</span>
              <input value={message} onInput={(event) => setMessage(event.currentTarget.value)} />
            </label>
            <label class="field">
              <span class="label">Class (optional)</span>
              <input
                value={kind}
                maxLength={200}
                placeholder="RuntimeError"
                onInput={(event) => setKind(event.currentTarget.value)}
              />
            </label>
          </>
        ) : (
          <JsonField
            label="Fields"
            text={text}
            set={setText}
            rows={8}
            hint={text === before ? 'As they are: nothing is sent' : 'Changed'}
          />
        )}
        {!fail && wrongJson(text, 'object') === null && (
          <FieldChanges before={fields} after={jsonOf(text) ?? {}} merges={merges} />
        )}
        {tree !== null && (
          <TreeFieldLater
            tree={tree}
            set={setEdited}
            {...(start === undefined ? {} : { start })}
            {...(draft === undefined ? {} : { draft })}
          />
        )}
        {/* Once it is under way there is nothing to be foretold: its expression may be gone. */}
        {foretold && <Effects asked={wrong === null && !action.busy ? request() : null} />}
        <label class="field">
          <span class="label">Reason (optional)</span>
          <input value={reason} maxLength={500} onInput={(event) => setReason(event.currentTarget.value)} />
        </label>
        {action.problem !== null && <ProblemNote problem={action.problem} />}
        {isGone && gone(edited)}
        {action.problem?.status === 412 &&
          conflict?.((jsonOf(text) ?? {}) as JsonObject, (next) => {
            setText(JSON.stringify(next, null, 2));
            action.clear();
          })}
        <div class="row">
          <Button type="submit" look="primary" needs="operate" busy={action.busy} why={wrong}>
            {verb}
          </Button>
          <Button onPress={close}>Close</Button>
        </div>
      </form>
    </Dialog>
  );
}

/** Fields of a dialog that are listed when they are changed, and characters of each of their values. */
const CHANGES_MAX = 50;
const VALUE_SHOWN = 200;

/** What is changed of the fields, as it is sent. */
function FieldChanges({
  before,
  after,
  merges,
}: {
  readonly before: Json;
  readonly after: Json;
  readonly merges: boolean;
}) {
  const [first] = useState(before);
  if (!isObject(first) || !isObject(after)) return null;
  const changes = fieldChanges(first, merges ? { ...first, ...after } : after);
  if (changes.length === 0) return null;
  const line = (name: string, value: Json | undefined, look: 'added' | 'gone') =>
    value === undefined ? null : (
      <p class={`mono small diff-${look}`}>
        {look === 'added' ? '+' : '−'} <Text text={`${name}: ${JSON.stringify(value).slice(0, VALUE_SHOWN)}`} />
      </p>
    );
  return (
    <section aria-label="What is changed of the fields">
      {changes.slice(0, CHANGES_MAX).map((one) => (
        <Fragment key={one.name}>
          {line(one.name, one.before, 'gone')}
          {line(one.name, one.after, 'added')}
        </Fragment>
      ))}
    </section>
  );
}

/** A dialog for what ends something: it says what comes of it, and takes a reason. */
export function ReasonDialog({
  title,
  about,
  verb,
  path,
  needsReason = true,
  close,
  done,
}: {
  readonly title: string;
  readonly about: string;
  readonly verb: string;
  readonly path: string;
  readonly needsReason?: boolean;
  readonly close: () => void;
  readonly done: () => Promise<void>;
}) {
  const [reason, setReason] = useState('');
  const action = useAction(async () => {
    await done();
    close();
  });
  const missing = needsReason && reason.trim() === '' ? 'say why' : null;
  return (
    <Dialog title={title} close={close}>
      <p>{about}</p>
      <Effects asked={action.busy ? null : { path }} />
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (missing === null) void action.act({ path, body: reason.trim() === '' ? {} : { reason: reason.trim() } });
        }}
      >
        <label class="field">
          <span class="label">Reason{needsReason ? '' : ' (optional)'}</span>
          <input value={reason} maxLength={500} onInput={(event) => setReason(event.currentTarget.value)} />
        </label>
        {action.problem !== null && <ProblemNote problem={action.problem} />}
        <div class="row">
          <Button type="submit" look="danger" needs="operate" busy={action.busy} why={missing}>
            {verb}
          </Button>
          <Button onPress={close}>Leave it</Button>
        </div>
      </form>
    </Dialog>
  );
}
