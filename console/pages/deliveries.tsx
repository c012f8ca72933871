import { useMemo, useState } from 'preact/hooks';
import { isObject, type Json, type JsonObject } from '../../src/model/json.ts';
import { deliveries as codec, MESSAGES } from '../address/pages.ts';
import { rangeOf } from '../address/range.ts';
import { decoded, goQuery, link, path, query } from '../address/router.ts';
import { call, can, operations, type Problem, part } from '../api/calls.ts';
import { curlOfSent } from '../api/curl.ts';
import { PageHead } from '../app/page.tsx';
import { now } from '../live/now.ts';
import { useResource } from '../live/resource.ts';
import { usePolling } from '../live/stream.ts';
import { ActButton, Button, Dialog, useAction } from '../parts/action.tsx';
import { type BatchAction, BatchDialog, type BatchOf } from '../parts/batch.tsx';
import { Chip } from '../parts/glyph.tsx';
import { Hosts } from '../parts/hosts.tsx';
import { JsonView } from '../parts/json.tsx';
import { ChoiceFilter, Complaints, Filters, ListState, Older, Table, TextFilter } from '../parts/list.tsx';
import { Empty, Missing, ProblemNote } from '../parts/problem.tsx';
import { Copy, Text, Time, WorkflowLink } from '../parts/said.tsx';
import { bytesText, countText } from '../parts/texts.ts';
import { TryScale } from '../parts/try-scale.tsx';
import { objectsOf, textOf, textOrNull } from '../picture/standing.ts';

const LIMIT = 100;
/** Messages that are owed to participants, and one of them with every try. */
export function Deliveries() {
  const id = decoded(path.value.split('/')[2] ?? '');
  if (operations.value === null)
    return (
      <>
        <PageHead title="Deliveries" />
        <div class="skeleton" />
      </>
    );
  if (!can('GET /v1/deliveries'))
    return (
      <>
        <PageHead title="Deliveries" />
        <Missing what="Messages that are owed cannot be listed." call="GET /v1/deliveries" />
      </>
    );
  return id === '' ? <All /> : <One id={id} />;
}

function All() {
  const { state, complaints } = codec.read(query.value);
  const [asking, ask] = useState<BatchOf | null>(null);
  const [gathering, gather] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const range = state.since === '' ? null : rangeOf(state.since, now.peek());
  const isNarrowed =
    state.message !== '' || state.answer !== '' || state.workflow !== '' || state.host !== '' || range !== null;
  const asked = useMemo(() => {
    const search = new URLSearchParams({ limit: String(LIMIT) });
    for (const name of ['state', 'participant', 'host', 'message', 'answer', 'cursor'] as const)
      if (state[name] !== '') search.set(name, state[name]);
    if (state.workflow !== '') search.set('workflow_id', state.workflow);
    if (range?.from != null) search.set('opened_from', range.from);
    if (range?.to != null) search.set('opened_to', range.to);
    return `v1/deliveries?${search}`;
  }, [query.value]);
  const list = useResource(asked);
  usePolling(() => void list.again());
  const { value } = list.value;
  const rows = isObject(value) ? objectsOf(value['deliveries']) : [];
  const looked = isObject(value) && typeof value['looked_at'] === 'number' ? value['looked_at'] : null;
  const isFiltered = isNarrowed || state.state !== '' || state.participant !== '';
  const set = (change: Partial<typeof state>): void => goQuery(codec.write({ ...state, cursor: '', ...change }));
  const filter = {
    ...(state.state === '' ? {} : { state: state.state }),
    ...(state.participant === '' ? {} : { participant: state.participant }),
  };
  /** What the server has a filter of batches for is counted by it; the rest is read first, message by message. */
  const askBatch = async (): Promise<void> => {
    if (!isNarrowed) return ask({ filter });
    gather(true);
    const found = await gathered(asked);
    gather(false);
    setProblem('problem' in found ? found.problem : null);
    if ('ids' in found) ask(found);
  };
  return (
    <>
      <PageHead title="Deliveries">
        <Button
          needs="operate"
          why={
            !can('POST /v1/batches')
              ? 'this server has no batches'
              : gathering
                ? 'they are being read'
                : !isFiltered
                  ? 'choose which first'
                  : null
          }
          onPress={() => void askBatch()}
        >
          Try all that match now…
        </Button>
      </PageHead>
      {problem !== null && <ProblemNote problem={problem} again={() => void askBatch()} />}
      <p class="small dim">Messages that are not delivered. What was delivered is in the history of each workflow.</p>
      <Complaints
        of={
          state.since === '' || range !== null
            ? complaints
            : [...complaints, `since=${state.since.slice(0, 80)} is no range, such as -2h.. or 2031-01-01..: ignored`]
        }
      />
      <Filters>
        <ChoiceFilter
          title="State"
          value={state.state}
          any="any"
          choices={['owed', 'failing', 'spent']}
          set={(is) => set({ state: is })}
        />
        <TextFilter title="Participant" value={state.participant} set={(participant) => set({ participant })} />
        <TextFilter title="Host" value={state.host} set={(host) => set({ host })} />
        <ChoiceFilter
          title="Message"
          value={state.message}
          any="any"
          choices={MESSAGES}
          set={(message) => set({ message })}
        />
        <ChoiceFilter
          title="Last answer"
          value={state.answer}
          any="any"
          choices={['5xx', '4xx', '3xx', 'none']}
          set={(answer) => set({ answer })}
        />
        <TextFilter title="Since" value={state.since} set={(since) => set({ since })} />
        <TextFilter title="Workflow" value={state.workflow} set={(workflow) => set({ workflow })} />
      </Filters>
      {looked !== null && (
        <p class="small dim" role="status">
          Looked through {countText(looked)} messages, found {countText(rows.length)}.
        </p>
      )}
      <ListState
        list={list}
        count={rows.length}
        empty={isFiltered ? 'No message matches' : 'Everything is delivered'}
        about={
          isFiltered
            ? undefined
            : 'A message that a participant does not take stands here, with each try and when the next one is.'
        }
        all={isFiltered ? '/deliveries' : null}
      />
      <Table
        rows={rows}
        keyOf={(one) => textOf(one['message_id'])}
        columns={[
          { title: 'State', cell: (one) => <Chip state={textOf(one['state'])} /> },
          {
            title: 'Participant',
            cell: (one) => (
              <a href={link(`/deliveries/${part(textOf(one['message_id']))}`)}>
                <Text text={textOf(one['participant'])} />
              </a>
            ),
          },
          { title: 'Message', cell: (one) => textOf(one['message']) },
          { title: 'Host', look: 'mono small', cell: (one) => <Text text={textOf(one['host'])} /> },
          { title: 'Tries', look: 'number', cell: (one) => triesOf(one) },
          { title: 'Last answer', cell: (one) => <TryWords of={isObject(one['last']) ? one['last'] : null} /> },
          { title: 'Next', cell: (one) => <Time at={textOrNull(one['next_at'])} /> },
          { title: 'Workflow', cell: (one) => <WorkflowLink id={textOf(one['workflow_id'])} /> },
          {
            title: 'Do',
            look: 'act',
            cell: (one) => (
              <ActButton look="tiny" asked={{ path: `${pathOf(one)}/redeliver` }} done={() => list.again()}>
                Try now
              </ActButton>
            ),
          },
        ]}
      />
      <Older
        value={value}
        cursor={state.cursor}
        word={looked === null ? 'More' : 'Look further'}
        set={(cursor) => goQuery(codec.write({ ...state, cursor }))}
      />
      <ByHost />
      {asking !== null && <BatchDialog action={REDELIVER} of={asking} close={() => ask(null)} />}
    </>
  );
}

/** The workitems of all messages that a list has, as many as one batch takes. */
async function gathered(list: string): Promise<{ readonly ids: readonly string[] } | { readonly problem: Problem }> {
  const [path = '', query = ''] = list.split('?');
  const search = new URLSearchParams(query);
  search.set('limit', String(GATHERED_AT_ONCE));
  search.delete('cursor');
  const ids: string[] = [];
  for (;;) {
    const answer = await call(`${path}?${search}`);
    if (!answer.ok) return { problem: answer.problem };
    const value = isObject(answer.value) ? answer.value : {};
    ids.push(...objectsOf(value['deliveries']).map((one) => textOf(one['workitem_id'])));
    const next = textOrNull(value['next_cursor']);
    if (next === null || ids.length >= IDS_MAX) return { ids: ids.slice(0, IDS_MAX) };
    search.set('cursor', next);
  }
}
/** Ids that one batch takes; messages that are read at once for it. */
const IDS_MAX = 10_000;
const GATHERED_AT_ONCE = 1_000;

/** Where they go, and how that is going; behind a fold, for it is asked of the server. */
function ByHost() {
  const [isOpen, open] = useState(false);
  const stats = useResource(isOpen && can('GET /v1/stats') ? 'v1/stats?minutes=1' : null, HOSTS_MS);
  const value = isObject(stats.value.value) ? stats.value.value : {};
  if (!can('GET /v1/stats')) return null;
  return (
    <details onToggle={(event) => open(event.currentTarget.open)}>
      <summary>By host</summary>
      {stats.problem.value !== null && <ProblemNote problem={stats.problem.value} again={() => void stats.again()} />}
      {stats.value.value !== undefined && objectsOf(value['hosts'] ?? null).length === 0 && (
        <p class="dim">This node has sent nothing yet, or you may not look at all tenants.</p>
      )}
      <Hosts of={value} />
    </details>
  );
}
/** How often hosts are looked at while they are shown, in milliseconds. */
const HOSTS_MS = 5_000;

/** `4/12`: so many of so many at most. */
const triesOf = (message: JsonObject): string =>
  `${String(message['tries'] ?? 0)}${typeof message['tries_max'] === 'number' ? `/${message['tries_max']}` : ''}`;

const REDELIVER: BatchAction = 'redeliver';
const pathOf = (message: JsonObject): string =>
  `v1/workflows/${part(textOf(message['workflow_id']))}/workitems/${part(textOf(message['workitem_id']))}`;

const TryWords = ({ of }: { readonly of: JsonObject | null }) =>
  of === null ? (
    <span class="dim">–</span>
  ) : of['status'] === null || of['status'] === undefined ? (
    <span>
      ✖ <Text text={textOf(of['error']) || 'no answer'} />
    </span>
  ) : (
    <span>
      {Number(of['status']) < 300 ? '✓' : '✖'} {String(of['status'])}
    </span>
  );

/** A message is given up: its workitem fails in the participant's place. */
function Stop({
  of,
  close,
  done,
}: {
  readonly of: JsonObject;
  readonly close: () => void;
  readonly done: () => Promise<void>;
}) {
  const [reason, setReason] = useState('');
  const action = useAction(async () => {
    await done();
    close();
  });
  const tries = objectsOf(of['deliveries']).length;
  return (
    <Dialog title={`Try ${textOf(of['participant'])} no more`} close={close}>
      <ul>
        <li>
          <Text text={textOf(of['participant'])} /> is not told after {countText(tries)} {tries === 1 ? 'try' : 'tries'}
          : the message “{textOf(of['message'])}” is given up.
        </li>
        <li>
          Its workitem fails with what you write here. An on_error handler around it runs; where there is none, the
          workflow is in error and waits for somebody.
        </li>
      </ul>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (reason.trim() !== '') void action.act({ path: `${pathOf(of)}/fail`, body: { message: reason.trim() } });
        }}
      >
        <label class="field">
          <span class="label">Reason</span>
          <input value={reason} maxLength={500} onInput={(event) => setReason(event.currentTarget.value)} />
        </label>
        {action.problem !== null && <ProblemNote problem={action.problem} />}
        <div class="row">
          <Button
            type="submit"
            look="danger"
            needs="operate"
            busy={action.busy}
            why={reason.trim() === '' ? 'say why' : null}
          >
            Stop trying
          </Button>
          <Button onPress={close}>Leave it</Button>
        </div>
      </form>
    </Dialog>
  );
}

function One({ id }: { readonly id: string }) {
  const read = useResource(`v1/deliveries/${part(id)}`);
  const [isStopping, ask] = useState(false);
  usePolling(() => void read.again());
  const value = isObject(read.value.value) ? read.value.value : null;
  if (value === null)
    return (
      <>
        <PageHead title="Message" />
        {read.problem.value === null ? (
          <div class="skeleton" />
        ) : read.problem.value.status === 404 ? (
          <Empty title="This message is not owed any more">
            <p>It was delivered, or its workitem is over; its tries are in the history of the workflow.</p>
            <a class="button" href={link('/deliveries')}>
              All messages
            </a>
          </Empty>
        ) : (
          <ProblemNote problem={read.problem.value} again={() => void read.again()} />
        )}
      </>
    );
  const request = isObject(value['request']) ? value['request'] : {};
  const tries = [...objectsOf(value['deliveries'])].reverse();
  return (
    <>
      <PageHead
        title={`Message to ${textOf(value['participant'])}`}
        said={
          <>
            <Chip state={textOf(value['state'])} /> Message “{textOf(value['message'])}” to{' '}
            <Text text={textOf(value['participant'])} />
          </>
        }
      >
        <ActButton look="primary" asked={{ path: `${pathOf(value)}/redeliver` }} done={() => read.again()}>
          Try now
        </ActButton>
        <Button look="danger" needs="operate" onPress={() => ask(true)}>
          Stop trying…
        </Button>
      </PageHead>
      {isStopping && <Stop of={value} close={() => ask(false)} done={() => read.again()} />}
      <p class="row small dim">
        <WorkflowLink id={textOf(value['workflow_id'])} />
        <a href={link(`/workflows/${textOf(value['workflow_id'])}?sel=${textOf(value['expression_id'])}`)}>its place</a>
        <span class="mono">{textOf(value['message_id'])}</span>
        {value['next_at'] !== null && (
          <span>
            next <Time at={textOrNull(value['next_at'])} how="both" />
          </span>
        )}
      </p>
      <div class="split">
        <section class="panel stack" aria-label="The request">
          <h2>As it is asked</h2>
          <p class="mono small">
            {textOf(request['method'])} <Text text={textOf(request['url'])} />
          </p>
          <h3>Headers</h3>
          <JsonView value={(request['headers'] ?? {}) as Json} label="Headers" />
          <h3>Body</h3>
          <Body text={textOf(request['body'])} />
          <p class="row">
            <Copy what="Copy as curl (unsigned)" text={curlOfRequest(request)} />
            <span class="small dim">The address to proceed at is without its token.</span>
          </p>
          <p class={value['edited'] === true ? 'note warn small' : 'small dim'}>
            Made anew of what is kept
            {value['edited'] === true &&
              ': the workitem was changed since it was opened (its fields, or who has claimed it), so earlier tries may have said something else'}
            .
          </p>
        </section>
        <section class="panel stack" aria-label="Tries">
          <h2>Tries {triesOf(value)}</h2>
          {tries.length === 0 && <p class="dim">None so far.</p>}
          <TryScale openedAt={textOrNull(value['opened_at'])} tries={tries} nextAt={textOrNull(value['next_at'])} />
          <Table
            rows={tries}
            keyOf={(one) => `${textOf(one['message'])} ${String(one['try'])}`}
            columns={[
              { title: 'Try', look: 'number', cell: (one) => String(one['try']) },
              { title: 'Answer', cell: (one) => <TryWords of={one} /> },
              { title: 'At', hasClock: true, cell: (one) => <Time at={textOrNull(one['at'])} how="both" /> },
              { title: 'ms', look: 'number', cell: (one) => String(Math.round(Number(one['milliseconds'] ?? 0))) },
              {
                title: 'Said',
                cell: (one) => (
                  <>
                    <AnswerKind of={one} />
                    <Text
                      text={(isObject(one['answer']) ? textOf(one['answer']['excerpt']) : '') || textOf(one['error'])}
                    />
                  </>
                ),
              },
              { title: 'Next', hasClock: true, cell: (one) => <Time at={textOrNull(one['next_at'])} how="time" /> },
            ]}
          />
        </section>
      </div>
    </>
  );
}

/** Of what type and how large the answer to a try was; what was delivered keeps none. */
function AnswerKind({ of }: { readonly of: JsonObject }) {
  const answer = isObject(of['answer']) ? of['answer'] : null;
  if (answer === null) return null;
  const size = typeof answer['size'] === 'number' ? bytesText(answer['size']) : '';
  return (
    <span class="small dim">
      <Text text={[textOf(answer['content_type']), size].filter((one) => one !== '').join(', ')} />{' '}
    </span>
  );
}

/** What it says, as JSON where it is JSON. */
function Body({ text }: { readonly text: string }) {
  try {
    return <JsonView value={JSON.parse(text) as Json} label="Body" />;
  } catch {
    return (
      <pre class="block">
        <Text text={text} />
      </pre>
    );
  }
}

const curlOfRequest = (request: JsonObject): string =>
  curlOfSent(
    textOf(request['url']),
    Object.fromEntries(
      Object.entries(isObject(request['headers']) ? request['headers'] : {}).map(([name, value]) => [
        name,
        String(value),
      ]),
    ),
    textOf(request['body']),
  );
