import { useMemo, useState } from 'preact/hooks';
import { isObject, type Json, type JsonObject, withoutKeys } from '../../src/model/json.ts';
import { definition as codec, workflow } from '../address/pages.ts';
import { decoded, go, goQuery, link, path, query } from '../address/router.ts';
import { can, operations, part } from '../api/calls.ts';
import { PageHead } from '../app/page.tsx';
import { keepDraft } from '../app/settings.ts';
import { areRead, useResource } from '../live/resource.ts';
import { ActButton, Button, Dialog, useAction } from '../parts/action.tsx';
import { keysOf, nameIn } from '../parts/definition-keys.ts';
import { diffOf } from '../parts/diff.ts';
import { Chip } from '../parts/glyph.tsx';
import { JsonView } from '../parts/json.tsx';
import { Complaints, Table } from '../parts/list.tsx';
import { Preview, useChecked } from '../parts/preview.tsx';
import { Empty, ProblemNote } from '../parts/problem.tsx';
import { Text, Time } from '../parts/said.tsx';
import { countText } from '../parts/texts.ts';
import { TypedDialog } from '../parts/typed.tsx';
import { figureOf } from '../picture/figure.ts';
import { objectsOf, textOf, textOrNull } from '../picture/standing.ts';
import type { Seen } from '../picture/states.ts';
import { differences, mergedOf } from '../picture/tree-edit.ts';
import { Starts, StartsDialog } from './starts.tsx';
import { Diagram } from './workflow/diagram.tsx';

const AT = '/definitions/';
const DIFF = '/diff';

/** One stored definition: its picture, its text, its versions, and what two of them differ in. */
export function Definition() {
  const { state, complaints } = codec.read(query.value);
  // `/definitions/order/diff?a=1&b=2` is an address of its own.
  const isDiff = state.a !== '' && state.b !== '' && path.value.endsWith(DIFF);
  const name = decoded(path.value.slice(AT.length, isDiff ? -DIFF.length : undefined));
  const at = `v1/definitions/${part(name)}`;
  const read = useResource(`${at}${state.version === '' ? '' : `?version=${part(state.version)}`}`);
  const versions = useResource(`${at}/versions`);
  const value = isObject(read.value.value) ? read.value.value : null;
  const text = value === null ? '' : textOf(value['definition']);
  const checking = useChecked(text);
  const [doing, act] = useState<'delete' | number | null>(null);
  const [starting, start] = useState(false);
  const saving = useAction(async () => {
    start(false);
    await again();
  });
  const where = useResource(can('GET /v1/definitions/{}/places') ? `${at}/places` : null, 10_000);
  const all = isObject(versions.value.value) ? objectsOf(versions.value.value['versions']) : [];
  const shown = value === null ? '' : String(value['version'] ?? '');
  const active = all.find((one) => one['active'] === true);
  const isActive = active === undefined || String(active['version']) === shown;
  const again = async (): Promise<void> => {
    await Promise.all([read.again(), versions.again()]);
  };
  if (read.problem.value?.status === 404)
    return (
      <>
        <PageHead title={`Definition ${name}`} />
        <Empty title="No such definition">
          <p>
            Nothing is stored as <Text text={name} />.
          </p>
          <a class="button" href={link('/definitions')}>
            All definitions
          </a>
        </Empty>
      </>
    );
  if (operations.value === null || !areRead(read, versions))
    return (
      <>
        <PageHead title={`Definition ${name}`} said={<Text text={name} />} />
        <div key="coming" class="skeleton fill" />
      </>
    );
  const rest = value === null ? {} : withoutKeys(keysOf(value), 'description', 'triggers', 'schedules');
  return (
    <>
      <PageHead
        title={`Definition ${name}`}
        said={
          <>
            <Text text={name} /> <span class="dim small">version {shown}</span>{' '}
            {isActive ? <Chip state="delivered" word="active" /> : <Chip state="cancelled" word="not active" />}
          </>
        }
      >
        {!isActive && (
          <Button look="primary" needs="operate" onPress={() => act(Number(shown))}>
            Use this version…
          </Button>
        )}
        <a
          class="button"
          href={link(`/definitions/edit?name=${name}${state.version === '' ? '' : `&version=${state.version}`}`)}
        >
          Edit…
        </a>
        <Button
          onPress={() => {
            keepDraft('rehearse', text);
            go('/rehearse');
          }}
        >
          Rehearse
        </Button>
        <a class="button primary" href={link(`/workflows/new?definition=${name}${isActive ? '' : `@${shown}`}`)}>
          Launch…
        </a>
      </PageHead>
      <Complaints of={complaints} />
      {read.problem.value !== null && <ProblemNote problem={read.problem.value} again={() => void read.again()} />}
      {value !== null && (
        <p class="row small dim">
          {textOf(value['description']) !== '' && <Text text={textOf(value['description'])} />}
          <span>
            saved <Time at={textOrNull(value['created_at'])} how="both" />
          </span>
          {textOf(value['created_by']) !== '' && (
            <span>
              by <Text text={textOf(value['created_by'])} />
            </span>
          )}
          <a href={link(`/workflows?name=${encodeURIComponent(nameIn(checking.checked?.tree ?? null) || name)}`)}>
            its workflows
          </a>
        </p>
      )}
      <div class="split">
        <div class="stack">
          <h2>Text</h2>
          {state.a !== '' && state.b !== '' ? (
            <Differences
              at={at}
              a={state.a}
              b={state.b}
              hashes={new Map(all.map((one) => [String(one['version']), textOf(one['hash'])]))}
              close={() => goQuery(codec.write({ ...state, a: '', b: '' }))}
            />
          ) : (
            <pre class="block">
              <Text text={text} />
            </pre>
          )}
          <h2>Versions</h2>
          <Table
            rows={all}
            keyOf={(one) => String(one['version'])}
            isChosen={(one) => String(one['version']) === shown}
            columns={[
              {
                title: 'Version',
                cell: (one) => (
                  <a href={link(`${AT}${name}?version=${String(one['version'])}`)}>{String(one['version'])}</a>
                ),
              },
              {
                title: 'State',
                cell: (one) => (one['active'] === true ? <Chip state="delivered" word="active" /> : null),
              },
              { title: 'Saved', cell: (one) => <Time at={textOrNull(one['created_at'])} /> },
              { title: 'By', cell: (one) => <Text text={textOf(one['created_by'])} /> },
              { title: 'Note', cell: (one) => <Text text={textOf(one['note'])} /> },
              {
                title: 'Do',
                look: 'act',
                cell: (one) =>
                  String(one['version']) === shown ? null : (
                    <a
                      class="button tiny"
                      href={link(
                        `${AT}${name}?${codec.write({
                          version: state.version,
                          ...(Number(one['version']) < Number(shown)
                            ? { a: String(one['version']), b: shown }
                            : { a: shown, b: String(one['version']) }),
                        })}`,
                      )}
                    >
                      Compare
                    </a>
                  ),
              },
            ]}
          />
          {value !== null && <Starts shown={value} edit={() => start(true)} />}
          <Schedules key={shown} name={name} />
          {Object.keys(rest).length > 0 && (
            <details>
              <summary>What else it says: callbacks, inputs and others</summary>
              <JsonView value={rest} label="The other keys" />
            </details>
          )}
          <div class="row">
            <Button look="danger" needs="operate" onPress={() => act('delete')}>
              Delete…
            </Button>
          </div>
        </div>
        <div class="stack">
          <Standing of={where.value.value} />
          <Preview checked={checking.checked} problem={checking.problem} heat={heatOf(where.value.value)} />
        </div>
      </div>
      {starting && value !== null && (
        <StartsDialog path={at} shown={value} etag={read.etag.value} action={saving} close={() => start(false)} />
      )}
      {doing === 'delete' ? (
        <Delete
          name={name}
          shown={value}
          live={where.value.value}
          close={() => act(null)}
          done={async () => go('/definitions')}
        />
      ) : (
        doing !== null && (
          <UseVersion
            name={name}
            version={doing}
            close={() => act(null)}
            done={async () => {
              act(null);
              await again();
            }}
          />
        )
      )}
    </>
  );
}

/** When it is launched by itself. */
function Schedules({ name }: { readonly name: string }) {
  const list = useResource(can('GET /v1/schedules') ? `v1/schedules?definition=${part(name)}` : null);
  const all = isObject(list.value.value) ? objectsOf(list.value.value['schedules']) : [];
  if (all.length === 0) return null;
  const at = (one: JsonObject): string => `v1/schedules/${part(textOf(one['id']))}`;
  return (
    <section class="stack" aria-label="Schedules">
      <h2>Schedules</h2>
      <Table
        rows={all}
        keyOf={(one) => textOf(one['id'])}
        columns={[
          { title: 'Schedule', cell: (one) => <Text text={textOf(one['name']) || textOf(one['id'])} /> },
          {
            title: 'When',
            look: 'mono small',
            cell: (one) => <Text text={textOf(one['cron']) || textOf(one['every']) || textOf(one['at'])} />,
          },
          { title: 'Zone', cell: (one) => <Text text={textOf(one['zone'])} /> },
          {
            title: 'Next',
            cell: (one) =>
              one['paused'] === true ? <Chip state="paused" /> : <Time at={textOrNull(one['next_at'])} how="both" />,
          },
          {
            title: 'Do',
            look: 'act',
            cell: (one) => (
              <span class="row">
                <ActButton look="tiny" asked={{ path: `${at(one)}/run`, body: {} }} done={() => list.again()}>
                  Run now
                </ActButton>
                <ActButton
                  look="tiny"
                  asked={{ path: `${at(one)}/${one['paused'] === true ? 'resume' : 'pause'}`, body: {} }}
                  done={() => list.again()}
                >
                  {one['paused'] === true ? 'Resume' : 'Pause'}
                </ActButton>
              </span>
            ),
          },
        ]}
      />
    </section>
  );
}

/** How many of its workflows are at each place. */
function heatOf(value: Json | undefined): ReadonlyMap<string, { readonly live: number; readonly failed: number }> {
  const places = isObject(value) ? objectsOf(value['places']) : [];
  return new Map(
    places.map((one) => [textOf(one['expid']), { live: Number(one['live'] ?? 0), failed: Number(one['failed'] ?? 0) }]),
  );
}

const Standing = ({ of }: { readonly of: Json | undefined }) =>
  isObject(of) ? (
    <p class="small dim">
      {of['workflows'] === 0
        ? 'No workflow of the active version is live.'
        : `Where ${of['complete'] === true ? 'the' : 'the newest'} ${countText(Number(of['workflows'] ?? 0))} live ${
            of['workflows'] === 1 ? 'workflow of the active version stands' : 'workflows of the active version stand'
          }.`}
    </p>
  ) : null;

/** What is lost with a stored definition, and who depends on it. */
function Delete({
  name,
  shown,
  live,
  close,
  done,
}: {
  readonly name: string;
  readonly shown: JsonObject | null;
  /** Where its workflows are, as the server told last. */
  readonly live: Json | undefined;
  readonly close: () => void;
  readonly done: () => Promise<void>;
}) {
  const triggers = objectsOf(shown?.['triggers'] ?? null).map((one) => textOf(one['type']));
  const schedules = objectsOf(shown?.['schedules'] ?? null).length;
  const route = textOf(shown?.['route'] ?? null);
  const running = isObject(live) ? Number(live['workflows'] ?? 0) : null;
  return (
    <TypedDialog
      title={`Delete ${name}`}
      word={name}
      verb="Delete it"
      needs="operate"
      path={`v1/definitions/${part(name)}`}
      method="DELETE"
      close={close}
      done={done}
    >
      <ul>
        <li>Nothing can be launched by that name any more, not by other definitions either.</li>
        {triggers.length > 0 && (
          <li>
            These events start nothing more: <Text text={triggers.join(', ')} />
          </li>
        )}
        {schedules > 0 && (
          <li>
            {schedules === 1 ? 'Its schedule ends' : `Its ${countText(schedules)} schedules end`}: it is launched by
            itself no more.
          </li>
        )}
        {route !== '' && (
          <li>
            Its route is served no more: <Text text={route} />
          </li>
        )}
        <li>
          {running === null
            ? 'Workflows that run go on.'
            : running === 0
              ? 'No workflow of the active version is live.'
              : `${countText(running)} live ${running === 1 ? 'workflow of the active version goes' : 'workflows of the active version go'} on as ${running === 1 ? 'it is' : 'they are'}.`}
        </li>
        <li>Saved again under that name it is there again, with the next number as its version.</li>
      </ul>
    </TypedDialog>
  );
}

function UseVersion({
  name,
  version,
  close,
  done,
}: {
  readonly name: string;
  readonly version: number;
  readonly close: () => void;
  readonly done: () => Promise<void>;
}) {
  const action = useAction(done);
  return (
    <Dialog title={`Use version ${version} of ${name}`} close={close}>
      <p>
        Launches by name, triggers, schedules and its route take that version from now on. Running workflows keep
        theirs.
      </p>
      {action.problem !== null && <ProblemNote problem={action.problem} />}
      <div class="row">
        <Button
          look="primary"
          needs="operate"
          busy={action.busy}
          onPress={() => void action.act({ path: `v1/definitions/${part(name)}/versions/${version}/activate` })}
        >
          Use it
        </Button>
        <Button onPress={close}>Leave it</Button>
      </div>
    </Dialog>
  );
}

/** Two versions line by line. */
function Differences({
  at,
  a,
  b,
  hashes,
  close,
}: {
  readonly at: string;
  readonly a: string;
  readonly b: string;
  /** Of the trees of versions. */
  readonly hashes: ReadonlyMap<string, string>;
  readonly close: () => void;
}) {
  const before = useResource(`${at}?version=${part(a)}`);
  const after = useResource(`${at}?version=${part(b)}`);
  const text = (value: Json | undefined): string | null => (isObject(value) ? textOf(value['definition']) : null);
  const [one, two] = [text(before.value.value), text(after.value.value)];
  const [old, young] = [useChecked(one ?? '').checked?.tree ?? null, useChecked(two ?? '').checked?.tree ?? null];
  const problem = before.problem.value ?? after.problem.value;
  if (problem !== null) return <ProblemNote problem={problem} />;
  if (one === null || two === null) return <div class="skeleton" />;
  const lines = diffOf(one, two);
  return (
    <section class="stack" aria-label={`From version ${a} to version ${b}`}>
      <p class="row">
        From version {a} to version {b}: {lines.filter(({ kind }) => kind === '+').length} lines added,{' '}
        {lines.filter(({ kind }) => kind === '-').length} gone
        <LiveOf hash={hashes.get(a)} version={a} />
        <LiveOf hash={hashes.get(b)} version={b} />
        <Button look="tiny" onPress={close}>
          Text alone
        </Button>
      </p>
      <pre class="block">
        {lines.map(({ kind, text: line }, i) => (
          <div key={i} class={kind === '+' ? 'diff-added' : kind === '-' ? 'diff-gone' : ''}>
            {kind} <Text text={line} />
          </div>
        ))}
      </pre>
      {old !== null && young !== null && <Changes from={old} to={young} />}
    </section>
  );
}

const NOTHING_SEEN: ReadonlyMap<string, Seen> = new Map();

/** What a version adds, takes away and changes, on its picture. */
function Changes({ from, to }: { readonly from: Json; readonly to: Json }) {
  const [state, setState] = useState(workflow.read('').state);
  const { figure, marks } = useMemo(() => {
    const merged = mergedOf(differences(from, to));
    return { figure: figureOf(merged.tree), marks: merged.marks };
  }, [from, to]);
  if (figure === null) return null;
  return (
    <section class="looking alone" aria-label="Picture of what changes">
      <Diagram
        figure={figure}
        seen={NOTHING_SEEN}
        marks={marks}
        state={state}
        set={(change) => setState((one) => ({ ...one, ...change }))}
        chosen={null}
      />
    </section>
  );
}

/** How many live workflows run a version. */
function LiveOf({ hash, version }: { readonly hash: string | undefined; readonly version: string }) {
  const count = useResource(
    hash === undefined ? null : `v1/workflows/count?definition=${hash}&status=running,error,paused,cancelling`,
  );
  const value = isObject(count.value.value) ? count.value.value : null;
  const found = value?.['count'] ?? value?.['at_least'];
  if (typeof found !== 'number' || found === 0) return null;
  return (
    <a href={link(`/workflows?definition=${hash}&status=running,error,paused,cancelling`)}>
      {value?.['count'] === undefined && 'at least '}
      {countText(found)} live {found === 1 ? 'workflow runs' : 'workflows run'} version {version}
    </a>
  );
}
