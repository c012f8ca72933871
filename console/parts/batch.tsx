import { useEffect, useState } from 'preact/hooks';
import { isObject, type Json, type JsonObject } from '../../src/model/json.ts';
import { apiRoot, go } from '../address/router.ts';
import { call, type Problem, part } from '../api/calls.ts';
import { curlOf } from '../api/curl.ts';
import { textOf } from '../picture/standing.ts';
import { Button, Dialog, JsonField, jsonOf, useAction, wrongJson } from './action.tsx';
import { fieldChanges } from './diff.ts';
import { ProblemNote } from './problem.tsx';
import { Copy, Text, WorkflowLink } from './said.tsx';
import { countText } from './texts.ts';
import type { EditedTree } from './tree-field.tsx';
import { TreeFieldLater } from './tree-field-later.tsx';

/* One action on everything that a filter means. What is confirmed is what is sent, and the server counts. */

export type BatchAction = 'cancel' | 'kill' | 'pause' | 'resume' | 'replay' | 'redeliver' | 'proceed';
/** What a batch is about: a filter of the server's, or ids. */
export type BatchOf = { readonly filter: JsonObject } | { readonly ids: readonly string[] };

/** Above so many the count is typed before it happens. */
const TYPED_ABOVE = 100;
const SAMPLE_SHOWN = 10;
/** Items in a second, at most, as the server takes it. */
const RATE_MAX = 1_000;

const DOES: { readonly [action in BatchAction]: string } = {
  cancel: 'Participants at work are told to stop, on_cancel handlers run, then each is over.',
  kill: 'No handlers run; each is over at once.',
  pause: 'Nothing moves in them until they are resumed.',
  resume: 'They go on where they were.',
  replay: 'What failed is tried again.',
  redeliver: 'Messages that are owed are tried now.',
  proceed: 'Each workflow goes on behind it, as if its participant had answered.',
};

export function BatchDialog({
  action,
  of,
  withFields = false,
  tree,
  given: before = {},
  close,
}: {
  readonly action: BatchAction;
  readonly of: BatchOf;
  /** Whether fields to merge are asked for. */
  readonly withFields?: boolean;
  /** The tree that is edited and given to all, where they have one in common. */
  readonly tree?: Json;
  /** Fields and tree that are given to each, where nothing of that is asked for. */
  readonly given?: JsonObject;
  readonly close: () => void;
}) {
  const [found, setFound] = useState<JsonObject | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [reason, setReason] = useState('');
  const [typed, setTyped] = useState('');
  const [fields, setFields] = useState('');
  const [edited, setEdited] = useState<EditedTree>(undefined);
  const [minutes, setMinutes] = useState('');
  const asked: JsonObject = { action, ...('ids' in of ? { ids: [...of.ids] } : of) };
  const text = JSON.stringify(asked);
  useEffect(() => {
    void call('v1/batches', { method: 'POST', body: { ...asked, dry_run: true } }).then((answer) => {
      setProblem(answer.ok ? null : answer.problem);
      if (answer.ok && isObject(answer.value)) setFound(answer.value);
    });
  }, [text]);
  const making = useAction((answer) => {
    if (isObject(answer.value)) go(`/batches/${textOf(answer.value['id'])}`);
  });
  const count = Number(found?.['matches'] ?? found?.['at_least'] ?? 0);
  const isMore = found !== null && found['matches'] === undefined;
  const wrong = wrongJson(fields, 'object');
  const given = wrong === null ? jsonOf(fields) : undefined;
  const params: JsonObject = {
    ...before,
    ...(given === undefined ? {} : { fields: given, ...(action === 'replay' ? { merge: true } : {}) }),
    ...(edited === undefined || edited === null ? {} : { tree: edited }),
  };
  // A rate is whole items in a second: what is spread over longer than that is done one by one.
  const over = Number(minutes);
  const rate = over > 0 ? Math.min(RATE_MAX, Math.max(1, Math.ceil(count / (over * 60)))) : null;
  const body: JsonObject = {
    ...asked,
    ...(Object.keys(params).length === 0 ? {} : { params }),
    ...(reason.trim() === '' ? {} : { reason: reason.trim() }),
    ...(rate === null ? {} : { rate }),
  };
  const isAll = 'filter' in of && of.filter['all'] === true;
  const word = isAll ? 'all' : String(count);
  const why =
    found === null
      ? 'the server is counting'
      : count === 0
        ? 'nothing matches'
        : (isAll || count > TYPED_ABOVE) && typed.trim() !== word
          ? `type ${word} first`
          : tree !== undefined && (edited === undefined || edited === null)
            ? edited === null
              ? 'the tree cannot be read yet'
              : 'change the tree first'
            : wrong;
  return (
    <Dialog
      title={`${action.charAt(0).toUpperCase()}${action.slice(1)} ${found === null ? '…' : countText(count)}`}
      close={close}
    >
      <BatchWords of={of} />
      {problem !== null && <ProblemNote problem={problem} />}
      {found !== null && (
        <p>
          {isMore && 'At least '}
          <b>
            {countText(count)}{' '}
            {action === 'replay'
              ? 'errors'
              : action === 'redeliver' || action === 'proceed'
                ? 'workitems'
                : 'workflows'}
          </b>{' '}
          as the server counts. {DOES[action]}
        </p>
      )}
      {found !== null && count > 0 && (
        <ul class="row small">
          {samples(found['sample']).map((id) => (
            <li key={id}>
              <WorkflowLink id={id} />
            </li>
          ))}
        </ul>
      )}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (why === null) void making.act({ path: 'v1/batches', body });
        }}
      >
        {withFields && (
          <JsonField
            label="Fields to merge"
            hint="An object; empty: as they were."
            text={fields}
            set={setFields}
            rows={4}
          />
        )}
        {withFields && isObject(given ?? null) && <Samples found={found?.['sample']} patch={given as JsonObject} />}
        {tree !== undefined && <TreeFieldLater tree={tree} set={setEdited} />}
        <label class="field">
          <span class="label">Reason</span>
          <input value={reason} maxLength={500} onInput={(event) => setReason(event.currentTarget.value)} />
        </label>
        <label class="field">
          <span class="label">Spread over minutes (optional)</span>
          <input
            type="number"
            min={0}
            step="any"
            value={minutes}
            onInput={(event) => setMinutes(event.currentTarget.value)}
          />
          {rate !== null && <span class="hint">At most {countText(rate)} in a second.</span>}
        </label>
        {(isAll || count > TYPED_ABOVE) && (
          <label class="field">
            <span class="label">Type {word} to go on</span>
            <input value={typed} onInput={(event) => setTyped(event.currentTarget.value)} />
          </label>
        )}
        {making.problem !== null && <ProblemNote problem={making.problem} />}
        <div class="row">
          <Button
            type="submit"
            look={action === 'kill' || action === 'cancel' ? 'danger' : 'primary'}
            needs="operate"
            busy={making.busy}
            why={why}
          >
            {action.charAt(0).toUpperCase() + action.slice(1)} {found === null ? '' : countText(count)}
          </Button>
          <Button onPress={close}>Leave it</Button>
          <Copy what="Copy as curl" text={curlOf('POST', new URL('v1/batches', apiRoot).href, body)} />
        </div>
      </form>
    </Dialog>
  );
}

/** What the fields would do to the first of them. */
function Samples({ found, patch }: { readonly found: Json | undefined; readonly patch: JsonObject }) {
  const [fields, setFields] = useState<readonly (readonly [id: string, fields: JsonObject])[]>([]);
  const objects = (Array.isArray(found) ? (found as readonly Json[]) : [])
    .filter(isObject)
    .filter((one) => textOf(one['object']) !== '')
    .slice(0, SAMPLE_SHOWN);
  useEffect(() => {
    void Promise.all(
      objects.map(async (one) => {
        const workflow = textOf(one['workflow_id']);
        const id = `${textOf(one['object'])}!${workflow}`;
        const answer = await call(`v1/workflows/${part(workflow)}/workitems/${part(id)}`);
        const value = answer.ok && isObject(answer.value) ? answer.value['fields'] : undefined;
        return isObject(value ?? null) ? ([[workflow, value as JsonObject]] as const) : [];
      }),
    ).then((all) => setFields(all.flat()));
  }, [JSON.stringify(objects)]);
  if (fields.length === 0) return null;
  return (
    <ul class="small" aria-label="What it does to the first of them">
      {fields.map(([id, before], i) => (
        <li key={`${id} ${i}`}>
          <WorkflowLink id={id} />{' '}
          {fieldChanges(before, { ...before, ...patch }).map((change) => (
            <span class="mono" key={change.name}>
              <Text text={`${change.name}: ${shortJson(change.before)} → ${shortJson(change.after)} `} />
            </span>
          ))}
        </li>
      ))}
    </ul>
  );
}
const shortJson = (value: Json | undefined): string => (value === undefined ? '–' : JSON.stringify(value).slice(0, 60));

/** A sample is workflows, or things that name theirs. */
const samples = (value: Json | undefined): readonly string[] =>
  [
    ...new Set(
      (Array.isArray(value) ? (value as readonly Json[]) : [])
        .map((one) => (typeof one === 'string' ? one : isObject(one) ? textOf(one['workflow_id'] ?? one['id']) : ''))
        .map((one) => /\d{8}-\d{4}-[a-z]+-[a-z]+/.exec(one)?.[0] ?? '')
        .filter((one) => one !== ''),
    ),
  ].slice(0, SAMPLE_SHOWN);

/** The filter exactly as it is sent. */
export function BatchWords({ of }: { readonly of: BatchOf }) {
  if ('ids' in of) return <p class="small dim">{countText(of.ids.length)} chosen one by one</p>;
  return (
    <p class="row">
      {Object.entries(of.filter).map(([name, value]) => (
        <span class="chip" key={name}>
          <Text text={`${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`} />
        </span>
      ))}
    </p>
  );
}
