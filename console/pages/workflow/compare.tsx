import { useMemo } from 'preact/hooks';
import type { JsonObject } from '../../../src/model/json.ts';
import { isObject } from '../../../src/model/json.ts';
import { compare as codec, workflow as workflowCodec } from '../../address/pages.ts';
import { decoded, goQuery, link, path, query } from '../../address/router.ts';
import { PageHead } from '../../app/page.tsx';
import { fieldChanges } from '../../parts/diff.ts';
import { Chip, Glyph } from '../../parts/glyph.tsx';
import { Complaints, Table } from '../../parts/list.tsx';
import { Empty, ProblemNote } from '../../parts/problem.tsx';
import { Text, Time, WorkflowLink } from '../../parts/said.tsx';
import { countText } from '../../parts/texts.ts';
import { everyPlace, figureOf, type Place } from '../../picture/figure.ts';
import { type Standing, standingOf, textOf, textOrNull } from '../../picture/standing.ts';
import { type Seen, statesOf } from '../../picture/states.ts';
import { fieldsAt } from '../../picture/told.ts';
import { type Data, useWorkflow } from './data.ts';
import { Diagram } from './diagram.tsx';

/** Places that differ and are listed. */
const LISTED_MAX = 200;

/** Two moments of one workflow side by side, or this workflow beside another one. */
export function Compare() {
  const id = decoded(path.value.split('/')[2] ?? '');
  const { state, complaints } = codec.read(query.value);
  const other = state.with === '' ? id : state.with;
  const left = useWorkflow(id);
  const right = useWorkflow(other);
  const a = sideOf(left, state.with === '' ? (state.a ?? 1) : null);
  const b = sideOf(right, state.with === '' ? state.b : null);
  const problem = left.problem.value ?? right.problem.value;
  const last = left.entries.value;
  const title = state.with === '' ? 'Two moments' : 'Two workflows';
  const differing = useMemo(
    () => (a === null || b === null ? [] : differencesOf(a, b)),
    [a?.figure, a?.seen, b?.figure, b?.seen],
  );
  return (
    <>
      <PageHead title={title}>
        <a class="button" href={link(`/workflows/${id}`)}>
          Back to the workflow
        </a>
      </PageHead>
      <Complaints of={complaints} />
      {problem !== null &&
        (problem.status === 404 ? (
          <Empty title="No such workflow">
            <p class="dim">One of the two is not there, or is kept no longer.</p>
          </Empty>
        ) : (
          <ProblemNote problem={problem} />
        ))}
      {state.with === '' && last > 1 && (
        <form class="row" onSubmit={(event) => event.preventDefault()}>
          {(['a', 'b'] as const).map((name) => (
            <label class="row" key={name}>
              <span class="small">{name === 'a' ? 'Entry' : 'beside entry'}</span>
              <input
                class="narrow"
                inputMode="numeric"
                value={String(state[name] ?? (name === 'a' ? 1 : last))}
                onChange={(event) => {
                  const n = Number.parseInt(event.currentTarget.value, 10);
                  goQuery(codec.write({ ...state, [name]: Number.isNaN(n) ? null : Math.max(1, Math.min(last, n)) }));
                }}
              />
            </label>
          ))}
          <span class="small dim">of {countText(last)}</span>
        </form>
      )}
      {a !== null && b !== null && (
        <>
          <div class="split">
            <Side side={a} label="First" />
            <Side side={b} label="Second" />
          </div>
          <section class="stack" aria-label="What differs">
            <h2>What differs</h2>
            {differing.length === 0 && <p class="note dim">Every place stands alike.</p>}
            <Table
              rows={differing.slice(0, LISTED_MAX)}
              keyOf={({ expid }) => expid}
              columns={[
                { title: 'Place', look: 'mono', cell: ({ expid }) => expid },
                { title: 'What', cell: ({ name }) => <Text text={name} /> },
                { title: 'First', cell: (one) => <StateWord state={one.a} /> },
                { title: 'Second', cell: (one) => <StateWord state={one.b} /> },
              ]}
            />
            {differing.length > LISTED_MAX && (
              <p class="note warn small">
                The first {LISTED_MAX} of {countText(differing.length)} are listed.
              </p>
            )}
          </section>
          {state.with === '' ? (
            <FieldsOfMoments data={left} a={state.a ?? 1} b={state.b ?? last} />
          ) : (
            <FieldsBeside a={fieldsIn(a.shown)} b={fieldsIn(b.shown)} />
          )}
        </>
      )}
    </>
  );
}

type Shown = {
  readonly id: string;
  readonly shown: JsonObject;
  readonly figure: Place | null;
  readonly standing: Standing;
  readonly seen: ReadonlyMap<string, Seen>;
};

/** @param at the number of an entry; null: now */
function sideOf(data: Data, at: number | null): Shown | null {
  const shown = data.shown.value;
  const last = data.entries.value;
  const moment = at !== null && at < last ? Math.max(1, at) : null;
  const figure = useMemo(
    () => (shown === null ? null : figureOf(shown['tree'] ?? null)),
    [JSON.stringify(shown?.['tree'])],
  );
  const standing = useMemo(
    () => (shown === null || last === 0 ? null : moment === null ? standingOf(shown) : data.chronicle.at(moment)),
    [shown, moment, last],
  );
  const seen = useMemo(
    () => (figure === null || standing === null ? new Map() : statesOf(figure, standing, data.chronicle)),
    [figure, standing],
  );
  return shown === null || standing === null ? null : { id: textOf(shown['id']), shown, figure, standing, seen };
}

function Side({
  side: { id, shown, figure, standing, seen },
  label,
}: {
  readonly side: Shown;
  readonly label: string;
}) {
  return (
    <section class="stack" aria-label={label}>
      <p class="row">
        <Chip state={standing.status} />
        <WorkflowLink id={id} name={textOrNull(shown['name'])} />
        <span class="small dim">
          {standing.n === null ? 'now' : `entry #${countText(standing.n)}`}, <Time at={standing.at} how="both" />
        </span>
      </p>
      {figure === null ? (
        <p class="note">Its tree is not kept any more, so there is no picture of it.</p>
      ) : (
        <div class="looking alone">
          <Diagram
            figure={figure}
            seen={seen}
            state={workflowCodec.read('').state}
            set={() => {}}
            chosen={null}
            isPaused={standing.status === 'paused'}
          />
        </div>
      )}
    </section>
  );
}

const StateWord = ({ state }: { readonly state: string }) => (
  <span class="row">
    <Glyph name={state} /> {state}
  </span>
);

type Difference = { readonly expid: string; readonly name: string; readonly a: string; readonly b: string };

function differencesOf(a: Shown, b: Shown): readonly Difference[] {
  const places = new Map<string, Place>();
  for (const { figure } of [b, a])
    if (figure !== null) for (const one of everyPlace(figure)) places.set(one.expid, one);
  const state = (side: Shown, expid: string): string => side.seen.get(expid)?.state ?? 'not there';
  return [...places.values()]
    .map(({ expid, title }) => ({ expid, name: title, a: state(a, expid), b: state(b, expid) }))
    .filter((one) => one.a !== one.b);
}

const fieldsIn = (shown: JsonObject): JsonObject =>
  isObject(shown['fields'] ?? null) ? (shown['fields'] as JsonObject) : {};

/** Fields of two moments, as far as they had been given by then. */
function FieldsOfMoments({ data, a, b }: { readonly data: Data; readonly a: number; readonly b: number }) {
  const last = data.entries.value;
  const sides = useMemo(() => [a, b].map((n) => fieldsAt(data.chronicle.entries, n)), [last, a, b]);
  const [first, second] = sides;
  if (!first || !second)
    return (
      <p class="note small">
        Fields of the past are not kept here, or some of them are too large for the history. A server with{' '}
        <code>HISTORY_FIELDS=given</code> keeps those up to 8 kB.
      </p>
    );
  return <FieldsBeside a={first} b={second} />;
}

/** Fields that differ between the two. */
function FieldsBeside({ a, b }: { readonly a: JsonObject; readonly b: JsonObject }) {
  const changes = fieldChanges(a, b);
  const say = (value: unknown): string => (value === undefined ? '–' : (JSON.stringify(value) ?? '').slice(0, 200));
  return (
    <section class="stack" aria-label="Fields that differ">
      <h2>Fields that differ</h2>
      {changes.length === 0 && <p class="note dim">All fields are alike.</p>}
      <Table
        rows={changes}
        keyOf={({ name }) => name}
        columns={[
          { title: 'Field', look: 'mono', cell: ({ name }) => <Text text={name} /> },
          { title: 'First', look: 'mono small', cell: ({ before }) => <Text text={say(before)} /> },
          { title: 'Second', look: 'mono small', cell: ({ after }) => <Text text={say(after)} /> },
        ]}
      />
    </section>
  );
}
