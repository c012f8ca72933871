import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { isObject, type JsonObject } from '../../src/model/json.ts';
import { editor as codec } from '../address/pages.ts';
import { go, goQuery, link, place, query, wholeLink } from '../address/router.ts';
import { call, can, type Problem, part } from '../api/calls.ts';
import { lacking } from '../api/session.ts';
import { PageHead } from '../app/page.tsx';
import { draftOf, keepDraft } from '../app/settings.ts';
import { useResource } from '../live/resource.ts';
import { Button, Dialog, useAction } from '../parts/action.tsx';
import { CodeEditor, type Complaint, type Format } from '../parts/code.tsx';
import { keysOf, nameIn } from '../parts/definition-keys.ts';
import { deflated, inflated, LINKED_MAX } from '../parts/deflate.ts';
import { diffOf } from '../parts/diff.ts';
import { EXAMPLES } from '../parts/examples.ts';
import { Complaints } from '../parts/list.tsx';
import { Preview, useChecked } from '../parts/preview.tsx';
import { ProblemNote } from '../parts/problem.tsx';
import type { Recipe } from '../parts/recipes.ts';
import { Copy, Text } from '../parts/said.tsx';
import { objectsOf, textOf } from '../picture/standing.ts';

const FORMATS: readonly Format[] = ['radial', 'json', 'xml'];
const BEGIN = `define hello
  alice task: 'say hello'
  bob task: 'answer \${greeting}', timeout: '2d'
`;
/** Whether a text looks like a definition for Ruote in Ruby: it names Ruote, or a line opens a block. */
const looksLikeRuby = (text: string): boolean =>
  text.includes('Ruote.') || text.split('\n').some((line) => / do( \|\w+\|)?$/.test(line.slice(-40).trimEnd()));

/** A definition as text, its complaints and its picture side by side; the three formats are the same tree. */
export function Editor() {
  const { state, complaints: unknown } = codec.read(query.value);
  // What is edited has a draft of its own, so that neither a reload nor another text loses it.
  const source = state.name !== '' ? `${state.name}@${state.version}` : state.recipe || state.example || state.from;
  const draft = `editor.${source}`;
  const [text, setText] = useState(() => draftOf(draft) ?? (source === '' ? BEGIN : ''));
  const [kept, setKept] = useState(false);
  const [said, say] = useState<string | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [shared, share] = useState<string | null>(null);
  const [came, setCame] = useState(false);
  const [saving, save] = useState(false);
  const [base, setBase] = useState<Base | null>(null);
  const [recipes, setRecipes] = useState<readonly Recipe[] | null>(null);
  const checking = useChecked(text);
  const goTo = useRef<(line: number, column: number) => void>(() => {});
  const format = formatOf(text);
  const isRuby = format === 'radial' && looksLikeRuby(text);
  const stores = can('PUT /v1/definitions/{}');
  useEffect(() => {
    const packed = new URLSearchParams(place.value.hash).get('d');
    if (packed !== null)
      void inflated(packed).then((got) => {
        if (got === null) say('The link holds no definition that can be read.');
        else {
          setText(got);
          setCame(true);
        }
      });
  }, []);
  const load = async (from: 'draft' | 'source'): Promise<void> => {
    const before = from === 'draft' ? draftOf(draft) : null;
    let found: string | null = null;
    if (state.name !== '') {
      const answer = await call(
        `v1/definitions/${part(state.name)}${state.version === '' ? '' : `?version=${part(state.version)}`}`,
      );
      setProblem(answer.ok ? null : answer.problem);
      if (answer.ok && isObject(answer.value)) {
        found = textOf(answer.value['definition']);
        setBase({ version: String(answer.value['version'] ?? ''), etag: answer.etag, keys: keysOf(answer.value) });
      }
    } else if (state.from !== '') {
      // As it was posted, byte for byte.
      const answer = await call(`v1/workflows/${part(state.from)}/definition`);
      setProblem(answer.ok ? null : answer.problem);
      if (answer.ok) found = answer.text;
    } else if (state.example !== '') {
      found = EXAMPLES[state.example]?.text ?? null;
    } else if (state.recipe !== '') {
      const { RECIPES } = await import('../parts/recipes.ts');
      found = RECIPES.find(({ name }) => name === state.recipe)?.text ?? null;
    }
    setKept(before !== null && found !== null && before !== found);
    if (before !== null || found !== null) setText(before ?? found ?? '');
  };
  useEffect(() => {
    if (source !== '') void load('draft');
  }, [source]);
  useEffect(() => {
    void import('../parts/recipes.ts').then(({ RECIPES }) => setRecipes(RECIPES));
  }, []);
  useEffect(() => {
    if (text !== '') keepDraft(draft, text);
    share(null);
  }, [text]);
  const complaints = useMemo(
    () => [
      ...complaintsOf(checking.checked?.errors ?? [], true),
      ...complaintsOf(checking.checked?.warnings ?? [], false),
    ],
    [checking.checked],
  );

  /** Through the server, which reads Ruby, too, and says what a format cannot. */
  const [losing, lose] = useState<Format | null>(null);
  const convert = async (to: Format, isSure = false): Promise<void> => {
    const comments = /^\s*#|<!--/m.test(text);
    if (comments && !isSure && !isRuby) {
      lose(to);
      return;
    }
    const answer = await call('v1/definitions/convert', { method: 'POST', body: { definition: text, to } });
    setProblem(answer.ok ? null : answer.problem);
    say(null);
    if (!answer.ok || !isObject(answer.value)) return;
    setText(textOf(answer.value['definition']));
    const warned = objectsOf(answer.value['warnings']).map((one) => `line ${one['line']}: ${one['message']}`);
    if (warned.length > 0) say(warned.slice(0, 5).join(' '));
  };
  const readable = checking.checked?.valid ? null : 'the definition cannot be read yet';
  // A link may say in which format it is looked at: once, then the text is whoever's it is that types.
  const turned = useRef(false);
  useEffect(() => {
    if (state.format === '' || turned.current || checking.checked?.valid !== true) return;
    turned.current = true;
    if (format !== state.format) void convert(state.format);
  }, [checking.checked]);
  return (
    <>
      <PageHead title={state.name === '' ? 'Edit a definition' : `Edit ${state.name}`}>
        <Button
          why={readable}
          onPress={() => {
            keepDraft('rehearse', text);
            go('/rehearse');
          }}
        >
          Rehearse
        </Button>
        <Button
          why={stores ? readable : 'this server stores no definitions'}
          needs="operate"
          onPress={() => save(true)}
        >
          Save…
        </Button>
        <Button
          look="primary"
          needs="launch"
          why={readable}
          onPress={() => {
            keepDraft('launch.text', text);
            go('/workflows/new');
          }}
        >
          Launch…
        </Button>
      </PageHead>
      <Complaints of={unknown} />
      {came && <p class="note warn">This draft came with a link. Nothing of it runs unless you launch it.</p>}
      {kept && (
        <p class="note warn row">
          This is your draft of it.
          <Button look="tiny" onPress={() => void load('source')}>
            Throw the draft away
          </Button>
        </p>
      )}
      <div class="split">
        <div class="stack">
          <div class="row">
            {FORMATS.map((one) => (
              <Button key={one} look="tiny" pressed={format === one && !isRuby} onPress={() => void convert(one)}>
                {one === 'radial' ? 'Radial' : one.toUpperCase()}
              </Button>
            ))}
            <Button look="tiny" onPress={() => void convert(format)}>
              Format
            </Button>
            <Button
              look="tiny"
              why={text.length > LINKED_MAX ? `a link holds ${LINKED_MAX} characters at most` : null}
              onPress={() => void deflated(text).then((packed) => share(wholeLink(`/definitions/edit#d=${packed}`)))}
            >
              Make a link
            </Button>
            {shared !== null && <Copy what="Copy the link" text={shared} />}
            <label class="row">
              <span class="unseen">Begin with a template</span>
              <select
                value=""
                onChange={(event) => {
                  const found = recipes?.find(({ name }) => name === event.currentTarget.value);
                  if (found !== undefined) goQuery(codec.write({ ...codec.read('').state, recipe: found.name }));
                }}
              >
                <option value="">Begin with a template…</option>
                {(recipes ?? []).map(({ name, title }) => (
                  <option key={name} value={name}>
                    {title}
                  </option>
                ))}
              </select>
            </label>
          </div>
          {isRuby && (
            <p class="note warn row" role="status">
              This looks like Ruby, as Ruote had it. Rota never runs Ruby, but reads it:
              <Button look="tiny" onPress={() => void convert('radial')}>
                Convert to Radial
              </Button>
            </p>
          )}
          {said !== null && (
            <p class="note warn small" role="status">
              <Text text={said} />
            </p>
          )}
          {problem !== null && <ProblemNote problem={problem} />}
          <CodeEditor
            label={`Definition (${isRuby ? 'Ruby' : format})`}
            text={text}
            format={format}
            complaints={complaints}
            changed={setText}
            save={() => stores && lacking('operate') === null && save(true)}
            place={(go) => {
              goTo.current = go;
            }}
          />
        </div>
        <Preview
          checked={checking.checked}
          problem={checking.problem}
          goTo={(line, column) => goTo.current(line, column)}
        />
      </div>
      {losing !== null && (
        <Dialog title="Convert without comments" close={() => lose(null)}>
          <p>Comments are lost on converting. Ctrl Z in the text brings them back.</p>
          <div class="row">
            <Button
              look="primary"
              onPress={() => {
                lose(null);
                void convert(losing, true);
              }}
            >
              Convert
            </Button>
            <Button onPress={() => lose(null)}>Leave it</Button>
          </div>
        </Dialog>
      )}
      {saving && (
        <SaveDialog
          name={state.name || nameIn(checking.checked?.tree ?? null)}
          text={text}
          base={base}
          close={() => save(false)}
        />
      )}
    </>
  );
}

const complaintsOf = (list: readonly JsonObject[], isError: boolean): readonly Complaint[] =>
  list.map((one) => ({
    line: Number(one['line'] ?? 1),
    column: Number(one['column'] ?? 1),
    message: String(one['message'] ?? one['detail'] ?? ''),
    isError,
  }));

/** A new version; refused when somebody else has made one since this text was read. */
function SaveDialog({
  name: given,
  text,
  base,
  close,
}: {
  readonly name: string;
  readonly text: string;
  readonly base: Base | null;
  readonly close: () => void;
}) {
  const [name, setName] = useState(given);
  const [note, setNote] = useState('');
  const [whatever, setWhatever] = useState(false);
  const action = useAction((answer) => {
    const version = isObject(answer.value) ? String(answer.value['version'] ?? '') : '';
    go(`/definitions/${name.trim()}${version === '' ? '' : `?version=${version}`}`);
  });
  const conflict = action.problem?.status === 412;
  const why = /^[A-Za-z0-9_][\w.-]{0,63}(\/[A-Za-z0-9_][\w.-]{0,63})?$/.test(name.trim())
    ? null
    : 'a name is letters, digits, _ . and -';
  return (
    <Dialog title="Save a version" close={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (why !== null) return;
          const same = name.trim() === given ? base : null;
          const etag = whatever ? null : (same?.etag ?? null);
          void action.act({
            path: `v1/definitions/${part(name.trim())}`,
            method: 'PUT',
            body: { ...same?.keys, definition: text, ...(note.trim() === '' ? {} : { note: note.trim() }) },
            ...(etag === null ? {} : { ifMatch: etag }),
          });
        }}
      >
        <label class="field">
          <span class="label">Name</span>
          <input value={name} onInput={(event) => setName(event.currentTarget.value)} />
        </label>
        <label class="field">
          <span class="label">Note (optional)</span>
          <input value={note} maxLength={2000} onInput={(event) => setNote(event.currentTarget.value)} />
        </label>
        {action.problem !== null && <ProblemNote problem={action.problem} />}
        {conflict && (
          <p class="note warn">
            Somebody else saved a version since you read version {base?.version}.{' '}
            <a href={link(`/definitions/${name.trim()}`)}>Look at it</a>, then come back: your text is kept.
            <Theirs name={name.trim()} mine={text} />
            <label class="row">
              <input
                type="checkbox"
                checked={whatever}
                onChange={(event) => setWhatever(event.currentTarget.checked)}
              />
              Save mine as the newest all the same
            </label>
          </p>
        )}
        <div class="row">
          <Button type="submit" look="primary" needs="operate" busy={action.busy} why={why}>
            Save
          </Button>
          <Button onPress={close}>Close</Button>
        </div>
      </form>
    </Dialog>
  );
}

/** Lines that are shown of what differs. */
const LINES_SHOWN = 200;

/** What the newest version differs in from the text that is to be saved. */
function Theirs({ name, mine }: { readonly name: string; readonly mine: string }) {
  const read = useResource(`v1/definitions/${part(name)}`);
  if (!isObject(read.value.value)) return null;
  const lines = diffOf(textOf(read.value.value['definition']), mine);
  return (
    <details open>
      <summary>From version {String(read.value.value['version'] ?? '')} to mine</summary>
      <pre class="block">
        {lines.slice(0, LINES_SHOWN).map(({ kind, text }, i) => (
          <div key={i} class={kind === '+' ? 'diff-added' : kind === '-' ? 'diff-gone' : ''}>
            {kind} <Text text={text} />
          </div>
        ))}
      </pre>
    </details>
  );
}

/** The version that is edited. `keys`: what is stored with its text, such as callbacks and schedules; a new version keeps it. */
type Base = { readonly version: string; readonly etag: string | null; readonly keys: JsonObject };

/** As the server tells it, by the first character. */
function formatOf(text: string): Format {
  const first = text.trimStart().charAt(0);
  return first === '<' ? 'xml' : first === '[' || first === '{' ? 'json' : 'radial';
}
