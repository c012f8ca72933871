import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { isObject, type Json, type JsonObject, withoutKeys } from '../../src/model/json.ts';
import { playground as codec, workflow as workflowCodec } from '../address/pages.ts';
import { VALUES_MAX } from '../address/query.ts';
import { apiRoot, goQuery, link, path, query } from '../address/router.ts';
import { can, operations, type Problem, part } from '../api/calls.ts';
import { curlOf } from '../api/curl.ts';
import { PageHead } from '../app/page.tsx';
import { areRead, useResource } from '../live/resource.ts';
import { usePolling, useSource } from '../live/stream.ts';
import { ActButton, Button, JsonField, jsonOf, useAction, wrongJson } from '../parts/action.tsx';
import { EXAMPLES } from '../parts/examples.ts';
import { Chip } from '../parts/glyph.tsx';
import { JsonView } from '../parts/json.tsx';
import { Empty, Missing, ProblemNote } from '../parts/problem.tsx';
import { Copy, Text, Time, WorkflowLink } from '../parts/said.tsx';
import { countText, visible } from '../parts/texts.ts';
import { placeOfChosen } from '../picture/bodies.ts';
import { figureOf, placeAt } from '../picture/figure.ts';
import { sentenceOf } from '../picture/sentence.ts';
import { expressionIn, isOver, objectsOf, standingOf, textOf, textOrNull } from '../picture/standing.ts';
import { statesOf } from '../picture/states.ts';
import { useBodies } from './workflow/bodies.ts';
import { useWorkflow } from './workflow/data.ts';
import { Diagram } from './workflow/diagram.tsx';

/** Without a stream requests are asked for this often; which of them still wait, at most so often with one; in milliseconds. */
const ASKED_EVERY_MS = 1_000;
/** Requests in this page: as many as the server keeps. */
const REQUESTS_MAX = 500;

/** What participants are sent, as it comes; where the server has no stream of it, again and again. By number. */
function useRequests(): {
  readonly all: readonly JsonObject[];
  /** Whether all that came before is there. */
  readonly isRead: boolean;
  readonly problem: Problem | null;
  again(): Promise<void>;
} {
  const streams = can('GET /v1/playground/requests/stream');
  const asks = !streams && can('GET /v1/playground/requests');
  const list = useResource(asks ? 'v1/playground/requests' : null, ASKED_EVERY_MS);
  const [come, take] = useState<ReadonlyMap<number, JsonObject>>(new Map());
  // Those that came before this page are shown together.
  const [isRead, setRead] = useState(false);
  useSource(streams ? 'v1/playground/requests/stream' : null, (kind, data) => {
    // The server counts anew.
    if (kind === 'reset') take(new Map());
    if (kind === 'live' || kind === 'lost') setRead(true);
    if (kind !== 'request') return;
    const one = jsonOf(data);
    if (!isObject(one)) return;
    take((before) => new Map([...before, [Number(one['n']), one] as const].slice(-REQUESTS_MAX)));
  });
  const listed = isObject(list.value.value) ? objectsOf(list.value.value['requests']) : [];
  return {
    all: streams ? (isRead ? [...come.values()] : []) : listed,
    isRead: streams ? isRead : areRead(list),
    problem: list.problem.value,
    again: () => list.again(),
  };
}

/** A workflow alive at the left; at the right what its participants are asked, to be answered by hand. */
export function Playground() {
  const { state } = codec.read(query.value);
  const there = can('GET /v1/playground/requests');
  const requests = useRequests();
  const held = useResource(
    there ? `v1/workitems?limit=1000${state.workflow === '' ? '' : `&workflow_id=${part(state.workflow)}`}` : null,
  );
  usePolling(() => void held.again(), ASKED_EVERY_MS, state.workflow === '' ? [] : [state.workflow]);
  const waiting = new Set(
    (isObject(held.value.value) ? objectsOf(held.value.value['workitems']) : []).map((one) => textOf(one['id'])),
  );
  const again = async (): Promise<void> => {
    await Promise.all([held.again(), requests.again()]);
  };
  const launch = useAction((answer) => {
    if (isObject(answer.value)) goQuery(codec.write({ ...state, ignored: [], workflow: textOf(answer.value['id']) }));
  });
  if (!there)
    return (
      <>
        <PageHead title="Playground" />
        {operations.value !== null && (
          <Missing
            what="The playground is for servers on this machine (PLAYGROUND=1)."
            call="GET /v1/playground/requests"
          />
        )}
      </>
    );
  const { all } = requests;
  const isReady = requests.isRead && areRead(held);
  const wanted = Number(/^\/playground\/requests\/(\d{1,15})$/.exec(path.value)?.[1] ?? 0);
  const shown = (isReady ? [...all] : [])
    .filter(
      (one) =>
        (wanted === 0 || one['n'] === wanted) &&
        (state.workflow === '' || textOf(bodyOf(one)['workflow_id']) === state.workflow) &&
        (state.participant === '' || one['participant'] === state.participant),
    )
    .reverse();
  const ignore = (item: string, isIgnored: boolean): void => {
    const others = state.ignored.filter((one) => one !== item);
    goQuery(codec.write({ ...state, ignored: isIgnored ? [...others, item].slice(-VALUES_MAX) : others }), 'replace');
  };
  const run = (): void => {
    const example = EXAMPLES['order'];
    if (example === undefined) return;
    const at = (name: string): string => new URL(`v1/playground/participants/${name}`, apiRoot).href;
    void launch.act({
      path: 'v1/workflows',
      body: {
        workflow: example.text,
        callbacks: Object.fromEntries(['stock', 'credit', 'shipping', 'sales'].map((name) => [name, at(name)])),
        fields: jsonOf(example.fields) ?? {},
      },
    });
  };
  return (
    <>
      <PageHead title="Playground">
        <Button look="primary" needs="launch" busy={launch.busy} onPress={run}>
          Run the order example
        </Button>
        <a class="button" href={link('/workflows/new')}>
          Launch your own…
        </a>
      </PageHead>
      {launch.problem !== null && <ProblemNote problem={launch.problem} />}
      {requests.problem !== null && <ProblemNote problem={requests.problem} />}
      {(wanted !== 0 || state.participant !== '') && (
        <p class="row small">
          <span>
            Only {wanted !== 0 ? `request ${countText(wanted)}` : 'what is sent to '}
            {state.participant !== '' && wanted === 0 && <Text text={state.participant} />}
          </span>
          <a class="button tiny" href={link('/playground')}>
            All requests
          </a>
        </p>
      )}
      {state.workflow === '' && (
        <p class="dim">
          Here you play the participants: launch a workflow, see what each of them is sent, and answer for it.
          Participants live at{' '}
          <span class="mono small">{new URL('v1/playground/participants/', apiRoot).href}‹name›</span>.
        </p>
      )}
      <div class={state.workflow === '' ? 'stack' : 'split'}>
        {state.workflow !== '' && <Alive id={state.workflow} />}
        <section class="stack" aria-label="Requests">
          <h2>What participants are asked</h2>
          {!isReady && <div key="coming" class="skeleton fill" />}
          {isReady &&
            shown.length === 0 &&
            (state.workflow === '' ? (
              <Empty title="Nobody has been asked for anything yet">
                <p class="dim">
                  Run the example: an order goes to stock and credit at once, then to shipping. Whoever is asked appears
                  here, and you answer.
                </p>
              </Empty>
            ) : (
              <p class="note dim">Nothing has come yet; a request takes a moment.</p>
            ))}
          <ul class="stack">
            {shown.slice(0, 50).map((one) => (
              <li key={String(one['n'])}>
                <RequestCard
                  request={one}
                  isWaiting={waiting.has(textOf(bodyOf(one)['workitem_id']))}
                  isIgnored={state.ignored.includes(itemOf(one))}
                  ignore={(isIgnored) => ignore(itemOf(one), isIgnored)}
                  again={again}
                />
              </li>
            ))}
          </ul>
          {can('PUT /v1/playground/participants/{}') && shown.length > 0 && (
            <Manners names={[...new Set(shown.map((one) => textOf(one['participant'])))].sort().slice(0, NAMES_MAX)} />
          )}
        </section>
      </div>
    </>
  );
}

/** Participants whose manner can be chosen. */
const NAMES_MAX = 20;
/** How a participant may behave: what is sent for each word. */
const MANNERS: readonly (readonly [manner: string, word: string, more: JsonObject])[] = [
  ['by_hand', 'by hand', {}],
  ['at_once', 'at once', {}],
  ['after', 'after 5 s', { seconds: 5 }],
  ['fail_first', 'the first 2 tries fail', { times: 2 }],
  ['give_up', 'gives up', { class: 'GivenUp' }],
  ['slowly', 'takes each message slowly, 5 s', { seconds: 5 }],
  ['never', 'never', {}],
];

/** Who answers by hand, and who by itself. */
function Manners({ names }: { readonly names: readonly string[] }) {
  const list = useResource('v1/playground/participants');
  const action = useAction(() => list.again());
  const set = isObject(list.value.value) ? objectsOf(list.value.value['participants']) : [];
  return (
    <details class="panel">
      <summary>How they answer</summary>
      <ul class="stack tight">
        {names.map((name) => (
          <li key={name} class="row apart">
            <label for={`manner-${name}`}>
              <Text text={name} />
            </label>
            <select
              id={`manner-${name}`}
              class="narrow"
              value={textOf(set.find((one) => one['name'] === name)?.['manner']) || 'by_hand'}
              onChange={(event) => {
                const [manner, , more] = MANNERS.find(([one]) => one === event.currentTarget.value) ?? [
                  'by_hand',
                  '',
                  {},
                ];
                void action.act({
                  path: `v1/playground/participants/${part(name)}`,
                  method: 'PUT',
                  body: { manner, ...more },
                });
              }}
            >
              {MANNERS.map(([manner, word]) => (
                <option key={manner} value={manner}>
                  {word}
                </option>
              ))}
            </select>
          </li>
        ))}
      </ul>
      {action.problem !== null && <ProblemNote problem={action.problem} />}
    </details>
  );
}

const bodyOf = (request: JsonObject): JsonObject => (isObject(request['body']) ? request['body'] : {});
/** Whose turn it is, as short as an address wants it. */
const itemOf = (request: JsonObject): string => expressionIn(textOf(bodyOf(request)['workitem_id']));

function RequestCard({
  request,
  isWaiting,
  isIgnored,
  ignore,
  again,
}: {
  readonly request: JsonObject;
  /** Whether its workitem is open, as the server says. */
  readonly isWaiting: boolean;
  /** Nobody is going to answer it: the workflow goes on waiting. */
  readonly isIgnored: boolean;
  readonly ignore: (isIgnored: boolean) => void;
  readonly again: () => Promise<void>;
}) {
  const body = bodyOf(request);
  const fields = isObject(body['fields']) ? withoutKeys(body['fields'], 'params') : {};
  const params = isObject(body['fields']) && isObject(body['fields']['params']) ? body['fields']['params'] : {};
  const [editing, edit] = useState(false);
  const [text, setText] = useState('');
  const card = useRef<HTMLElement>(null);
  // The button that was pressed is gone then; the card has the focus, and the next one is a Tab away.
  const answered = async (): Promise<void> => {
    await again();
    if (document.activeElement === document.body || card.current?.contains(document.activeElement))
      card.current?.focus();
  };
  const status = textOf(body['status']);
  const workflow = textOf(body['workflow_id']);
  const item = textOf(body['workitem_id']);
  const path = `v1/workflows/${part(workflow)}/workitems/${part(item)}`;
  const waits = status === 'active' && isWaiting;
  const wrong = wrongJson(text, 'object');
  const given = wrong === null ? jsonOf(text) : undefined;
  return (
    <article
      class="panel stack"
      ref={card}
      tabIndex={-1}
      aria-label={`${visible(textOf(request['participant']))} is asked`}
    >
      <div class="row apart">
        <h3>
          <Text text={textOf(request['participant'])} />{' '}
          {waits && isIgnored ? (
            <Chip state="paused" word="ignored" />
          ) : waits ? (
            <Chip state="open" word="waits for you" />
          ) : (
            <Chip
              state={status === 'active' ? 'delivered' : 'cancelled'}
              word={status === 'active' ? 'answered' : `told ${status}`}
            />
          )}
        </h3>
        <span class="small dim">
          <Time at={textOrNull(request['at'])} how="time" />
        </span>
      </div>
      {waits && isIgnored && (
        <p class="row small">
          <span class="dim">It gets no answer, and the workflow waits.</span>
          <Button look="tiny" onPress={() => ignore(false)}>
            Answer it after all
          </Button>
        </p>
      )}
      {textOf(params['task']) !== '' && (
        <p>
          <Text text={textOf(params['task'])} />
        </p>
      )}
      {waits && !isIgnored && (
        <>
          {editing && (
            <JsonField
              label="Fields to answer with"
              text={text}
              set={setText}
              rows={4}
              hint={`Merged over: ${JSON.stringify(fields).slice(0, 120)}`}
            />
          )}
          <div class="row">
            <ActButton
              look="primary"
              asked={{ path: `${path}/proceed`, body: given === undefined ? {} : { fields: given as Json } }}
              done={answered}
              why={wrong}
            >
              Proceed
            </ActButton>
            <Button look="tiny" pressed={editing} onPress={() => edit(!editing)}>
              With fields
            </Button>
            <ActButton
              look="tiny"
              asked={{ path: `${path}/fail`, body: { message: 'given up in the playground' } }}
              done={answered}
            >
              Give up
            </ActButton>
            <Button look="tiny" onPress={() => ignore(true)}>
              Ignore
            </Button>
          </div>
        </>
      )}
      <details>
        <summary class="small dim">
          The request as it came{SIGNED[textOf(request['signature'])] ?? ''}, and what was answered
        </summary>
        <p class="small">
          <a href={link(`/playground/requests/${String(request['n'])}`)}>Request {countText(Number(request['n']))}</a>,
          answered{' '}
          {isObject(request['answer'] ?? null) ? (
            <span class="mono">
              <Text text={answerOf(request['answer'] as JsonObject)} />
            </span>
          ) : (
            'not yet'
          )}
        </p>
        <JsonView value={request as Json} label="Request" />
      </details>
    </article>
  );
}

/** What is said of a signature. */
const SIGNED: { readonly [signature: string]: string } = { good: ', well signed', wrong: ', wrongly signed' };
const answerOf = (answer: JsonObject): string => `${String(answer['status'])} ${textOf(answer['text'])}`;

function Alive({ id }: { readonly id: string }) {
  const data = useWorkflow(id);
  const [view, setView] = useState(workflowCodec.read('').state);
  const shown = data.shown.value;
  useEffect(() => setView(workflowCodec.read('').state), [id]);
  const tree = JSON.stringify(shown?.['tree'] ?? null);
  const plain = useMemo(() => figureOf(shown?.['tree'] ?? null), [tree]);
  const standing = shown === null ? null : standingOf(shown);
  const figure = useBodies(plain, view, standing);
  if (shown === null || standing === null)
    return data.problem.value === null ? <div class="skeleton" /> : <Empty title="No such workflow" />;
  const seen =
    figure === null ? new Map() : statesOf(figure, standing, data.entries.value > 0 ? data.chronicle : null, view.sel);
  const words = sentenceOf(standing, figure, seen, (expid) => (figure === null ? null : placeAt(figure, expid)));
  const over = isOver(textOf(shown['status']));
  return (
    <section class="stack" aria-label="The workflow">
      <p class="row">
        <Chip state={textOf(shown['status'])} />
        <WorkflowLink id={id} name={textOrNull(shown['name'])} />
      </p>
      <p class={`sentence ${standing.status}`} aria-live="polite">
        {words.map((word, i) =>
          word.time === undefined ? <Text key={i} text={word.text} /> : <Time key={i} at={word.time} how="time" />,
        )}
      </p>
      {over && <Seen id={id} status={textOf(shown['status'])} />}
      {figure !== null && (
        <div class="looking alone">
          <Diagram
            figure={figure}
            seen={seen}
            state={view}
            set={(change) => setView((one) => ({ ...one, ...change }))}
            chosen={view.sel === '' ? null : placeOfChosen(figure, seen, view.sel)}
          />
        </div>
      )}
    </section>
  );
}

/** A participant in twelve lines, to be copied. */
const PARTICIPANT = `import { createServer } from 'node:http';

createServer(async (request, response) => {
  let body = '';
  for await (const part of request) body += part;
  response.end();
  const workitem = JSON.parse(body);
  console.log(workitem.participant, workitem.status, workitem.fields);
  if (workitem.status !== 'active') return;
  const fields = { answered_by: 'me' };
  await fetch(workitem.proceed_url, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ fields }) });
}).listen(1234);`;

function Seen({ id, status }: { readonly id: string; readonly status: string }) {
  const at = (path: string): string => new URL(path, apiRoot).href;
  const curl = [
    curlOf('GET', at(`v1/workflows/${id}`)),
    curlOf('GET', at(`v1/workflows/${id}/history`)),
    curlOf('GET', at('v1/workflows?status=completed')),
  ].join('\n');
  return (
    <div class="panel stack">
      <h2>What you have seen</h2>
      <ol class="numbered">
        <li>A definition was launched; two participants were asked at once.</li>
        <li>Each got a POST with its fields and a proceed_url.</li>
        <li>Both answers were merged, and a condition took one road.</li>
        <li>Every movement was saved before it was answered.</li>
        <li>
          It is {status}; all of it can be looked at: <a href={link(`/workflows/${id}?view=history`)}>its history</a>.
        </li>
      </ol>
      <div class="row">
        <a class="button" href={link('/definitions/edit?example=order')}>
          Now change the definition
        </a>
        <a class="button" href={link('/workflows/new?example=order')}>
          Now with your own participant
        </a>
      </div>
      <details>
        <summary>The same with curl</summary>
        <pre class="block">{curl}</pre>
        <Copy what="Copy" text={curl} />
      </details>
      <details>
        <summary>A participant of your own, in twelve lines</summary>
        <p class="small dim">
          Save it as participant.mjs, run it with node, and launch with the callback http://localhost:1234/.
        </p>
        <pre class="block">{PARTICIPANT}</pre>
        <Copy what="Copy" text={PARTICIPANT} />
      </details>
    </div>
  );
}
