import { useState } from 'preact/hooks';
import { isObject, type Json, type JsonObject, withoutKeys } from '../../src/model/json.ts';
import { decoded, go, link, path } from '../address/router.ts';
import { can, operations, part } from '../api/calls.ts';
import { PageHead } from '../app/page.tsx';
import { areRead, useResource } from '../live/resource.ts';
import { usePolling } from '../live/stream.ts';
import { ActButton, Button, useAction } from '../parts/action.tsx';
import { EntryDialog } from '../parts/entry-dialog.tsx';
import { Chip } from '../parts/glyph.tsx';
import { JsonView } from '../parts/json.tsx';
import { ListState, Table } from '../parts/list.tsx';
import { ProblemNote } from '../parts/problem.tsx';
import { PlaceLink, Text, Time, WorkflowLink } from '../parts/said.tsx';
import { countText, spanText } from '../parts/texts.ts';
import { TypedDialog } from '../parts/typed.tsx';
import { objectsOf, textOf, textOrNull } from '../picture/standing.ts';

/** Rows of each list; the pages they lead to have the rest. */
const SHOWN = 20;
/** Keys of an entry that stand in words above the rest. */
const WORDS = ['name', 'kind', 'url', 'description', 'enabled', 'updated_at', 'created_at', 'figures'];

/** Keys that the server gives itself. */
const GIVEN = ['name', 'created_at', 'updated_at', 'created_by', 'figures'];

/** A workflow that asks it once. `url`: where it is asked already, when it is not registered. */
const testOf = (name: string, url: string | undefined): JsonObject => ({
  workflow: JSON.stringify(['define', { name: 'test callback' }, [['participant', { ref: name, task: 'a test' }, []]]]),
  ...(url === undefined ? { callbacks: {} } : { callbacks: { [name]: url } }),
});

/** One participant: where it is, what waits for it, what is not delivered to it, and what went wrong. */
export function Participant() {
  const name = decoded(path.value.slice('/participants/'.length));
  const registers = can('GET /v1/participants/{}');
  const entry = useResource(registers ? `v1/participants/${part(name)}` : null);
  const held = useResource(`v1/workitems?participant=${part(name)}&limit=${SHOWN}`);
  const owed = useResource(can('GET /v1/deliveries') ? `v1/deliveries?participant=${part(name)}&limit=${SHOWN}` : null);
  const wrong = useResource(`v1/errors?participant=${part(name)}&limit=${SHOWN}`);
  const counted = useResource(can('GET /v1/stats/participants/{}') ? `v1/stats/participants/${part(name)}` : null);
  usePolling(() => {
    for (const one of [held, owed, wrong, counted]) void one.again();
  }, 5_000);
  const figures = isObject(counted.value.value) ? counted.value.value['figures'] : null;
  const value = isObject(entry.value.value) ? entry.value.value : null;
  const rows = (of: Json | undefined, key: string): readonly JsonObject[] => (isObject(of) ? objectsOf(of[key]) : []);
  const items = rows(held.value.value, 'workitems');
  const messages = rows(owed.value.value, 'deliveries');
  const errors = rows(wrong.value.value, 'errors');
  const urls = [
    ...new Set(
      items.map((one) => (isObject(one['callback']) ? textOf(one['callback']['url']) : '')).filter((url) => url !== ''),
    ),
  ];
  const [editing, edit] = useState<'keys' | 'delete' | null>(null);
  const testing = useAction((answer) => {
    if (isObject(answer.value)) go(`/workflows/${textOf(answer.value['id'])}`);
  });
  const isOn = value === null || value['enabled'] !== false;
  const most = (list: readonly unknown[]): string =>
    `${countText(list.length)}${list.length === SHOWN ? ' or more' : ''}`;
  // Most of what is here stands below something that may be there or not.
  if (operations.value === null || !areRead(entry, held, owed, wrong, counted))
    return (
      <>
        <PageHead title={`Participant ${name}`} said={<Text text={name} />} />
        <div key="coming" class="skeleton fill" />
      </>
    );
  return (
    <>
      <PageHead
        title={`Participant ${name}`}
        said={
          <>
            <Text text={name} />{' '}
            {value === null ? null : isOn ? (
              <Chip state="delivered" word="on" />
            ) : (
              <Chip state="paused" word="switched off" />
            )}
          </>
        }
      >
        {registers && (
          <Button needs="admin" onPress={() => edit('keys')}>
            {value === null ? 'Register…' : 'Edit…'}
          </Button>
        )}
        <Button
          needs="launch"
          busy={testing.busy}
          onPress={() => void testing.act({ path: 'v1/workflows', body: testOf(name, urls[0]) })}
        >
          Send a test callback
        </Button>
        {value !== null && (
          <Button look="danger" needs="admin" onPress={() => edit('delete')}>
            Delete…
          </Button>
        )}
        {value !== null && (
          <ActButton
            needs="admin"
            asked={{
              path: `v1/participants/${part(name)}`,
              method: 'PUT',
              body: { ...withoutKeys(value, ...GIVEN), enabled: !isOn },
              ...(entry.etag.value === null ? {} : { ifMatch: entry.etag.value }),
            }}
            done={() => entry.again()}
          >
            {isOn ? '‖ Switch off' : '▶ Switch on'}
          </ActButton>
        )}
      </PageHead>
      {testing.problem !== null && <ProblemNote problem={testing.problem} />}
      {editing === 'keys' && (
        <EntryDialog
          title={value === null ? `Register ${name}` : `Edit ${name}`}
          about="kind, url, headers, secret, retry, deadline, heartbeat, input, output, form, places and others (docs/api-v1.md, Participants). *** means what is there."
          value={value === null ? { kind: 'callback', url: urls[0] ?? 'https://' } : withoutKeys(value, ...GIVEN)}
          verb={value === null ? 'Register it' : 'Save'}
          make={(body) => ({
            path: `v1/participants/${part(name)}`,
            method: 'PUT',
            body,
            ...(entry.etag.value === null ? {} : { ifMatch: entry.etag.value }),
          })}
          close={() => edit(null)}
          done={() => entry.again()}
        />
      )}
      {editing === 'delete' && (
        <TypedDialog
          title={`Delete ${name}`}
          word={name}
          verb="Delete it"
          path={`v1/participants/${part(name)}`}
          method="DELETE"
          close={() => edit(null)}
          done={() => go('/participants')}
        >
          <ul>
            <li>It is registered no more: what is sent to it by the registry alone has no address, and fails.</li>
            <li>
              {isObject(figures) ? <Depending of={figures} /> : 'Who is asked by that name now is not known here.'}
            </li>
            <li>Its headers and its secret go, too: nobody can read them back.</li>
          </ul>
        </TypedDialog>
      )}
      {entry.problem.value !== null && entry.problem.value.status !== 404 && (
        <ProblemNote problem={entry.problem.value} again={() => void entry.again()} />
      )}
      <section class="panel stack" aria-label="Where it is">
        {value !== null ? (
          <>
            {textOf(value['description']) !== '' && (
              <p>
                <Text text={textOf(value['description'])} />
              </p>
            )}
            <dl class="facts">
              <dt>Kind</dt>
              <dd>
                <Text text={textOf(value['kind'])} />
              </dd>
              <dt>Address</dt>
              <dd class="mono">
                <Text text={textOf(value['url']) || 'none: its workitems wait in the worklist'} />
              </dd>
              <dt>Changed</dt>
              <dd>
                <Time at={textOrNull(value['updated_at'])} how="both" />
              </dd>
            </dl>
            {Object.keys(withoutKeys(value, ...WORDS)).length > 0 && (
              <details>
                <summary>What else is registered: headers, retries, limits, form</summary>
                <JsonView value={withoutKeys(value, ...WORDS)} label="The other keys" />
              </details>
            )}
          </>
        ) : (
          <p>It is not registered: launches and definitions say where it is.</p>
        )}
        {urls.length > 0 && <p class="small dim">Its open workitems are sent to:</p>}
        {urls.length > 0 && (
          <ul class="mono small">
            {urls.map((url) => (
              <li key={url}>
                <Text text={url} />
              </li>
            ))}
          </ul>
        )}
      </section>
      {isObject(figures) && <Figures of={figures} />}
      <section class="stack" aria-label="What waits for it">
        <div class="row apart">
          <h2>What waits for it: {most(items)}</h2>
          <a class="button tiny" href={link(`/worklist?participant=${encodeURIComponent(name)}`)}>
            In the worklist
          </a>
        </div>
        <ListState list={held} count={items.length} empty="Nothing waits for it" />
        <Table
          rows={items}
          keyOf={(one) => textOf(one['id'])}
          columns={[
            { title: 'State', cell: (one) => <Chip state={textOf(one['status'])} /> },
            { title: 'Workflow', cell: (one) => <WorkflowLink id={textOf(one['workflow_id'])} /> },
            { title: 'Place', cell: (one) => <PlaceLink of={one} /> },
            { title: 'Since', cell: (one) => <Time at={textOrNull(one['opened_at'])} /> },
          ]}
        />
      </section>
      {messages.length > 0 && (
        <section class="stack" aria-label="What is not delivered">
          <div class="row apart">
            <h2>What is not delivered: {most(messages)}</h2>
            <a class="button tiny" href={link(`/deliveries?participant=${encodeURIComponent(name)}`)}>
              In the deliveries
            </a>
          </div>
          <Table
            rows={messages}
            keyOf={(one) => textOf(one['message_id'])}
            columns={[
              { title: 'State', cell: (one) => <Chip state={textOf(one['state'])} /> },
              {
                title: 'Message',
                cell: (one) => (
                  <a href={link(`/deliveries/${part(textOf(one['message_id']))}`)}>{textOf(one['message'])}</a>
                ),
              },
              { title: 'Host', look: 'mono small', cell: (one) => <Text text={textOf(one['host'])} /> },
              { title: 'Tries', look: 'number', cell: (one) => String(one['tries'] ?? 0) },
              { title: 'Next', cell: (one) => <Time at={textOrNull(one['next_at'])} /> },
            ]}
          />
        </section>
      )}
      {errors.length > 0 && (
        <section class="stack" aria-label="What went wrong">
          <div class="row apart">
            <h2>What went wrong: {most(errors)}</h2>
            <a class="button tiny" href={link(`/errors?participant=${encodeURIComponent(name)}`)}>
              In the errors
            </a>
          </div>
          <Table
            rows={errors}
            keyOf={(one) => `${textOf(one['workflow_id'])} ${textOf(one['expression_id'])}`}
            columns={[
              { title: 'Class', cell: (one) => <Text text={textOf(one['class'])} /> },
              { title: 'Message', cell: (one) => <Text text={textOf(one['message']).slice(0, 200)} /> },
              { title: 'Workflow', cell: (one) => <WorkflowLink id={textOf(one['workflow_id'])} /> },
              { title: 'At', cell: (one) => <Time at={textOrNull(one['at'])} /> },
            ]}
          />
        </section>
      )}
    </>
  );
}

/** What waits for a participant, and which definitions ask it. */
function Depending({ of }: { readonly of: JsonObject }) {
  const waiting = Number(of['open'] ?? 0) + Number(of['failed'] ?? 0);
  const used = objectsOf(of['definitions']).map((one) => textOf(one['name']) || '(without a name)');
  return (
    <>
      {waiting === 0
        ? 'Nothing waits for it now.'
        : `${countText(waiting)} ${waiting === 1 ? 'workitem waits' : 'workitems wait'} for it now.`}
      {used.length > 0 && (
        <>
          {' '}
          Asked by <Text text={used.join(', ')} />.
        </>
      )}
    </>
  );
}

const CLASSES = ['2xx', '3xx', '4xx', '5xx', 'none'] as const;

/** How it is doing: counted by the server, and as far back as that looked. */
function Figures({ of }: { readonly of: JsonObject }) {
  const count = (name: string): string => countText(Number(of[name] ?? 0));
  const hosts = Array.isArray(of['hosts']) ? (of['hosts'] as readonly Json[]).map(String) : [];
  const used = objectsOf(of['definitions']);
  const hours = objectsOf(of['answers']);
  return (
    <section class="panel stack" aria-label="How it is doing">
      <h2>How it is doing</h2>
      <dl class="facts">
        <dt>Waiting</dt>
        <dd>
          {count('open')} open, {count('failed')} failed, {count('failing')} being tried again
          {of['oldest_at'] ? (
            <>
              ; the oldest <Time at={textOrNull(of['oldest_at'])} />
            </>
          ) : null}
        </dd>
        {used.length > 0 && (
          <>
            <dt>Used in</dt>
            <dd class="row">
              {used.map((one) => (
                <a
                  key={textOf(one['name'])}
                  href={link(
                    `/workflows?name=${encodeURIComponent(textOf(one['name']))}&participant=${encodeURIComponent(path.value.slice('/participants/'.length))}`,
                  )}
                >
                  <Text text={textOf(one['name']) || '(without a name)'} />
                </a>
              ))}
            </dd>
          </>
        )}
        {hosts.length > 0 && (
          <>
            <dt>Hosts</dt>
            <dd class="mono">
              <Text text={hosts.join(', ')} />
            </dd>
          </>
        )}
        <Took word="Delivered after" of={of['delivered']} />
        <Took word="Proceeded after" of={of['proceeded']} />
      </dl>
      {hours.length > 0 && (
        <Table
          rows={[...hours].reverse()}
          keyOf={(one) => textOf(one['at'])}
          columns={[
            { title: 'Hour', cell: (one) => <Time at={textOrNull(one['at'])} how="time" /> },
            ...CLASSES.map((name) => ({
              title: name === 'none' ? 'No answer' : name,
              look: 'number' as const,
              cell: (one: JsonObject) => countText(Number(one[name] ?? 0)),
            })),
          ]}
        />
      )}
      {of['looked_back_to'] ? (
        <p class="small dim">
          Answers and times as far back as <Time at={textOrNull(of['looked_back_to'])} how="both" />.
        </p>
      ) : null}
    </section>
  );
}

const shortSpan = (ms: number): string => (ms < 1_000 ? `${Math.round(ms)} ms` : spanText(ms));

function Took({ word, of }: { readonly word: string; readonly of: Json | undefined }) {
  if (!isObject(of ?? null)) return null;
  const { p50_ms: half, p95_ms: most, n } = of as JsonObject;
  return (
    <>
      <dt>{word}</dt>
      <dd>
        {shortSpan(Number(half))} half of {countText(Number(n))}, {shortSpan(Number(most))} 19 of 20
      </dd>
    </>
  );
}
