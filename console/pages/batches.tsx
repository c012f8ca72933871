import { useEffect, useState } from 'preact/hooks';
import { isObject, type Json, type JsonObject } from '../../src/model/json.ts';
import { batches as codec } from '../address/pages.ts';
import { decoded, goQuery, link, path, query } from '../address/router.ts';
import { call, can, operations, type Problem, part } from '../api/calls.ts';
import { PageHead } from '../app/page.tsx';
import { ahead, now } from '../live/now.ts';
import { useResource } from '../live/resource.ts';
import { usePolling } from '../live/stream.ts';
import { ActButton, Button } from '../parts/action.tsx';
import { type BatchAction, BatchDialog, BatchWords } from '../parts/batch.tsx';
import { Chip } from '../parts/glyph.tsx';
import { ChoiceFilter, Complaints, Filters, ListState, Older, Table } from '../parts/list.tsx';
import { Missing, ProblemNote } from '../parts/problem.tsx';
import { Text, Time, WorkflowLink } from '../parts/said.tsx';
import { countText, spanText } from '../parts/texts.ts';
import { objectsOf, textOf, textOrNull } from '../picture/standing.ts';

const LIMIT = 100;
/** Ids that one batch takes. */
const IDS_MAX = 10_000;
const OVER = new Set(['completed', 'stopped', 'failed']);
/** Actions that are done to what is in error, and may be in vain. */
const CAN_COME_BACK = new Set(['replay', 'redeliver', 'proceed']);
/** How often a batch is read while it goes on, in milliseconds; and for a while behind its end, for what comes back. */
const GOING_MS = 1_500;
const BACK_MS = 15_000;
const LOOKED_BACK_MS = 300_000;

/** One action on many workflows: what is under way, and what came of it. */
export function Batches() {
  const id = decoded(path.value.split('/')[2] ?? '');
  if (operations.value === null)
    return (
      <>
        <PageHead title="Batches" />
        <div class="skeleton" />
      </>
    );
  if (!can('GET /v1/batches'))
    return (
      <>
        <PageHead title="Batches" />
        <Missing what="Nothing can be done to many workflows at once." call="GET /v1/batches" />
      </>
    );
  return id === '' ? <All /> : <One id={id} />;
}

function All() {
  const { state, complaints } = codec.read(query.value);
  const list = useResource(
    `v1/batches?limit=${LIMIT}${state.state === '' ? '' : `&state=${state.state}`}${state.cursor === '' ? '' : `&cursor=${encodeURIComponent(state.cursor)}`}`,
  );
  usePolling(() => void list.again());
  const { value } = list.value;
  const rows = isObject(value) ? objectsOf(value['batches']) : [];
  return (
    <>
      <PageHead title="Batches" />
      <Complaints of={complaints} />
      <Filters>
        <ChoiceFilter
          title="State"
          value={state.state}
          any="any"
          choices={['collecting', 'running', 'completed', 'stopped', 'failed']}
          set={(is) => goQuery(codec.write({ ...state, state: is, cursor: '' }))}
        />
      </Filters>
      <ListState
        list={list}
        count={rows.length}
        empty={state.state === '' ? 'No batch was made yet' : 'No batch is in that state'}
        about={
          state.state === ''
            ? 'One action on many workflows at once: choose them in the list of workflows, or a group of errors, and its progress stands here.'
            : undefined
        }
        all={state.state === '' ? null : '/batches'}
      />
      <Table
        rows={rows}
        keyOf={(one) => textOf(one['id'])}
        columns={[
          { title: 'State', cell: (one) => <BatchState of={one} /> },
          {
            title: 'What',
            cell: (one) => (
              <a href={link(`/batches/${part(textOf(one['id']))}`)}>
                {textOf(one['action'])} {one['total'] === null ? '' : countText(Number(one['total']))}
              </a>
            ),
          },
          { title: 'Done', look: 'number', cell: (one) => countText(Number(one['done'] ?? 0)) },
          { title: 'Failed', look: 'number', cell: (one) => countText(Number(one['failed'] ?? 0)) },
          { title: 'Left', look: 'number', cell: (one) => countText(Number(one['left'] ?? 0)) },
          { title: 'Why', cell: (one) => <Text text={textOf(one['reason'])} /> },
          { title: 'Made', cell: (one) => <Time at={textOrNull(one['created_at'])} /> },
        ]}
      />
      <Older value={value} cursor={state.cursor} set={(cursor) => goQuery(codec.write({ ...state, cursor }))} />
    </>
  );
}

const LOOKS: { readonly [state: string]: string } = {
  collecting: 'running',
  running: 'running',
  completed: 'completed',
  stopped: 'cancelled',
  failed: 'failed',
};
const BatchState = ({ of }: { readonly of: JsonObject }) => (
  <Chip state={LOOKS[textOf(of['state'])] ?? 'open'} word={textOf(of['state'])} />
);

function One({ id }: { readonly id: string }) {
  const { state, complaints } = codec.read(query.value);
  const [over, setOver] = useState(false);
  const [every, readEvery] = useState(GOING_MS);
  const read = useResource(`v1/batches/${part(id)}`, every);
  const items = useResource(
    `v1/batches/${part(id)}/items?limit=${LIMIT}${state.outcome === '' ? '' : `&outcome=${state.outcome}`}${state.cursor === '' ? '' : `&cursor=${encodeURIComponent(state.cursor)}`}`,
  );
  const { value } = read.value;
  const batch = isObject(value) ? value : null;
  const done = Number(batch?.['done'] ?? 0) + Number(batch?.['failed'] ?? 0) + Number(batch?.['skipped'] ?? 0);
  useEffect(() => setOver(OVER.has(textOf(batch?.['state']))), [batch?.['state']]);
  // What was repaired in vain shows within minutes.
  const endedAt = Date.parse(textOf(batch?.['ended_at'])) || null;
  useEffect(() => {
    if (!over) return readEvery(GOING_MS);
    const left = endedAt === null ? 0 : endedAt + LOOKED_BACK_MS - (now.peek() - ahead.peek());
    if (left <= 0) return readEvery(0);
    readEvery(BACK_MS);
    const timer = setTimeout(() => readEvery(0), left);
    return () => clearTimeout(timer);
  }, [over, endedAt]);
  useEffect(() => {
    void items.again();
  }, [done]);
  usePolling(() => void read.again());
  const rows = isObject(items.value.value) ? objectsOf(items.value.value['items']) : [];
  /** The ids of what has failed, to be asked for once more. */
  const [again, setAgain] = useState<readonly string[] | 'reading' | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const askAgain = async (): Promise<void> => {
    setAgain('reading');
    const found: string[] = [];
    let cursor: string | null = null;
    do {
      const answer = await call(
        `v1/batches/${part(id)}/items?outcome=failed&limit=1000${cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
      );
      setProblem(answer.ok ? null : answer.problem);
      if (!answer.ok || !isObject(answer.value)) {
        setAgain(null);
        return;
      }
      const page: { readonly [name: string]: Json } = answer.value;
      for (const one of objectsOf(page['items']))
        found.push([textOf(one['object']), textOf(one['workflow_id'])].filter((text) => text !== '').join('!'));
      cursor = textOrNull(page['next_cursor']);
    } while (cursor !== null && found.length < IDS_MAX);
    setAgain(found.slice(0, IDS_MAX));
  };
  const filter = batch !== null && isObject(batch['filter']) ? batch['filter'] : null;
  const problems = batch === null ? [] : objectsOf(batch['problems']);
  return (
    <>
      <PageHead
        title={`Batch ${batch === null ? id : `${textOf(batch['action'])}, ${textOf(batch['state'])}`}`}
        said={
          batch === null ? undefined : (
            <>
              <BatchState of={batch} /> Batch: {textOf(batch['action'])}
            </>
          )
        }
      >
        <Button
          needs="operate"
          why={
            batch === null
              ? 'it is being read'
              : Number(batch['failed'] ?? 0) === 0
                ? 'none has failed'
                : again === 'reading'
                  ? 'they are being read'
                  : null
          }
          onPress={() => void askAgain()}
        >
          ↻ Again for the failed…
        </Button>
        <ActButton
          asked={{ path: `v1/batches/${part(id)}/stop` }}
          look="danger"
          why={over ? `is over: ${textOf(batch?.['state'])}` : null}
          done={() => read.again()}
        >
          Stop
        </ActButton>
      </PageHead>
      <Complaints of={complaints} />
      {read.problem.value !== null && <ProblemNote problem={read.problem.value} again={() => void read.again()} />}
      {problem !== null && <ProblemNote problem={problem} again={() => void askAgain()} />}
      {batch !== null && Array.isArray(again) && (
        <BatchDialog
          action={textOf(batch['action']) as BatchAction}
          of={{ ids: again }}
          given={isObject(batch['params']) ? batch['params'] : {}}
          close={() => setAgain(null)}
        />
      )}
      {batch !== null && (
        <section class="panel stack" aria-label="How it stands">
          <Bar of={batch} />
          <dl class="facts">
            <dt>Made</dt>
            <dd>
              <Time at={textOrNull(batch['created_at'])} how="both" />
              {textOf(batch['actor']) !== '' && (
                <>
                  {' '}
                  by <Text text={textOf(batch['actor'])} />
                </>
              )}
            </dd>
            {textOf(batch['reason']) !== '' && (
              <>
                <dt>Why</dt>
                <dd>
                  <Text text={textOf(batch['reason'])} />
                </dd>
              </>
            )}
            {batch['started_at'] !== null && (
              <>
                <dt>Pace</dt>
                <dd>{paceOf(batch, done)}</dd>
              </>
            )}
            <dt>Of what</dt>
            <dd>{filter === null ? 'chosen one by one' : <BatchWords of={{ filter }} />}</dd>
            {CAN_COME_BACK.has(textOf(batch['action'])) && typeof batch['came_back'] === 'number' && (
              <>
                <dt>Came back</dt>
                <dd>
                  <b>{countText(batch['came_back'])}</b> of {countText(Number(batch['done'] ?? 0))} done are in error
                  now
                  {objectsOf(batch['came_back_as']).map((one) => (
                    <span key={textOf(one['class'])}>
                      {' '}
                      <span class="chip failed">
                        <Text text={textOf(one['class'])} /> {countText(Number(one['count'] ?? 0))}
                      </span>
                    </span>
                  ))}
                </dd>
              </>
            )}
          </dl>
          {problems.length > 0 && (
            <ul class="row">
              {problems.map((one) => (
                <li key={textOf(one['code'])} class="chip failed">
                  <Text text={textOf(one['code'])} /> {countText(Number(one['count'] ?? 0))}
                </li>
              ))}
            </ul>
          )}
        </section>
      )}
      <Filters>
        <ChoiceFilter
          title="Outcome"
          value={state.outcome}
          any="any"
          choices={['done', 'failed', 'skipped', 'left']}
          set={(outcome) => goQuery(codec.write({ ...state, outcome, cursor: '' }))}
        />
      </Filters>
      <ListState list={items} count={rows.length} empty="Nothing here" />
      <Table
        rows={rows}
        keyOf={(one) => `${textOf(one['workflow_id'])} ${textOf(one['object'])}`}
        columns={[
          {
            title: 'Outcome',
            cell: (one) => {
              const outcome = textOf(one['outcome']) || 'left';
              return <Chip state={OUTCOMES[outcome] ?? 'owed'} word={outcome} />;
            },
          },
          { title: 'Workflow', cell: (one) => <WorkflowLink id={textOf(one['workflow_id'])} /> },
          {
            title: 'Place',
            look: 'mono',
            cell: (one) =>
              textOf(one['object']) === '' ? null : (
                <a href={link(`/workflows/${textOf(one['workflow_id'])}?sel=${textOf(one['object'])}`)}>
                  <Text text={textOf(one['object']).split('!')[0] ?? ''} />
                </a>
              ),
          },
          {
            title: 'Problem',
            cell: (one) => (
              <Text text={[textOf(one['code']), textOf(one['message'])].filter((each) => each !== '').join(': ')} />
            ),
          },
        ]}
      />
      <Older
        value={items.value.value}
        cursor={state.cursor}
        set={(cursor) => goQuery(codec.write({ ...state, cursor }))}
      />
    </>
  );
}

/** How many items there were in a second, from its beginning to its end or now. */
function paceOf(batch: JsonObject, done: number): string {
  const from = Date.parse(textOf(batch['started_at']));
  const to = batch['ended_at'] === null ? now.value - ahead.value : Date.parse(textOf(batch['ended_at']));
  const seconds = Math.max(1, (to - from) / 1_000);
  const most = typeof batch['rate'] === 'number' ? `, at most ${countText(batch['rate'])}` : '';
  return `${(done / seconds).toFixed(done / seconds < 10 ? 1 : 0)} in a second${most}, over ${spanText(Math.max(0, to - from))}`;
}

const OUTCOMES: { readonly [outcome: string]: string } = { done: 'delivered', failed: 'failed', skipped: 'cancelled' };

/** Counts in words, and as a bar. */
function Bar({ of }: { readonly of: JsonObject }) {
  const count = (name: string): number => Number(of[name] ?? 0);
  const total = of['total'] === null || of['total'] === undefined ? null : count('total');
  const parts = [
    ['done', 'var(--done)'],
    ['failed', 'var(--failed)'],
    ['skipped', 'var(--line)'],
    ['left', 'var(--live-ground)'],
  ] as const;
  return (
    <div class="stack">
      <p aria-live="polite">
        {total === null ? (
          'Collecting what matches…'
        ) : (
          <>
            <b>{countText(total)}</b> in all: {parts.map(([name]) => `${countText(count(name))} ${name}`).join(' · ')}
          </>
        )}
      </p>
      {total !== null && total > 0 && (
        <svg class="bar-of" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
          {parts.map(([name, fill], i) => (
            <rect
              key={name}
              x={(100 * parts.slice(0, i).reduce((sum, [before]) => sum + count(before), 0)) / total}
              width={(100 * count(name)) / total}
              height={4}
              fill={fill}
            />
          ))}
        </svg>
      )}
    </div>
  );
}
