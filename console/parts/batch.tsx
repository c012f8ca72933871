import { useEffect, useState } from 'preact/hooks';
import { isObject, type Json, type JsonObject } from '../../src/model/json.ts';
import { apiRoot, go } from '../address/router.ts';
import { call, type Problem } from '../api/calls.ts';
import { curlOf } from '../api/curl.ts';
import { textOf } from '../picture/standing.ts';
import { Button, Dialog, JsonField, jsonOf, useAction, wrongJson } from './action.tsx';
import { ProblemNote } from './problem.tsx';
import { Copy, Text, WorkflowLink } from './said.tsx';
import { countText } from './texts.ts';

/* One action on everything that a filter means. What is confirmed is what is sent, and the server counts. */

export type BatchAction = 'cancel' | 'kill' | 'pause' | 'resume' | 'replay' | 'redeliver';
/** What a batch is about: a filter of the server's, or ids. */
export type BatchOf = { readonly filter: JsonObject } | { readonly ids: readonly string[] };

/** Above so many the count is typed before it happens. */
const TYPED_ABOVE = 100;
const SAMPLE_SHOWN = 10;

const DOES: { readonly [action in BatchAction]: string } = {
  cancel: 'Participants at work are told to stop, on_cancel handlers run, then each is over.',
  kill: 'No handlers run; each is over at once.',
  pause: 'Nothing moves in them until they are resumed.',
  resume: 'They go on where they were.',
  replay: 'What failed is tried again.',
  redeliver: 'Messages that are owed are tried now.',
};

export function BatchDialog({
  action,
  of,
  withFields = false,
  close,
}: {
  readonly action: BatchAction;
  readonly of: BatchOf;
  /** Whether fields to merge are asked for. */
  readonly withFields?: boolean;
  readonly close: () => void;
}) {
  const [found, setFound] = useState<JsonObject | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [reason, setReason] = useState('');
  const [typed, setTyped] = useState('');
  const [fields, setFields] = useState('');
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
  const body: JsonObject = {
    ...asked,
    ...(given === undefined ? {} : { params: { fields: given } }),
    ...(reason.trim() === '' ? {} : { reason: reason.trim() }),
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
            {countText(count)} {action === 'replay' ? 'errors' : action === 'redeliver' ? 'workitems' : 'workflows'}
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
        <label class="field">
          <span class="label">Reason</span>
          <input value={reason} maxLength={500} onInput={(event) => setReason(event.currentTarget.value)} />
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
