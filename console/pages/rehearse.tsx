import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { isObject, type Json, type JsonObject, withoutKeys } from '../../src/model/json.ts';
import { workflow as workflowCodec } from '../address/pages.ts';
import { place, wholeLink } from '../address/router.ts';
import { PageHead } from '../app/page.tsx';
import { draftOf, keepDraft } from '../app/settings.ts';
import { now } from '../live/now.ts';
import { Button, Dialog, JsonField, jsonOf, wrongJson } from '../parts/action.tsx';
import { nameIn } from '../parts/definition-keys.ts';
import { deflated, inflated, LINKED_MAX } from '../parts/deflate.ts';
import { download } from '../parts/download.ts';
import { Chip } from '../parts/glyph.tsx';
import { JsonView } from '../parts/json.tsx';
import { useChecked } from '../parts/preview.tsx';
import { Empty, ProblemNote } from '../parts/problem.tsx';
import { Copy, Text, Time } from '../parts/said.tsx';
import { countText, spanText, visible } from '../parts/texts.ts';
import { placeOfChosen } from '../picture/bodies.ts';
import { makeChronicle } from '../picture/chronicle.ts';
import { figureOf, placeAt } from '../picture/figure.ts';
import { sentenceOf } from '../picture/sentence.ts';
import { type Entry, isOver, objectsOf, standingOf, textOf } from '../picture/standing.ts';
import { statesOf } from '../picture/states.ts';
import { storyOf } from '../picture/story.ts';
import { makeRecorder } from '../rehearse/case.ts';
import type { Move, Played } from '../rehearse/play.ts';
import type { Stage } from '../rehearse/run.ts';
import { ANSWERS_MAX, NO_SCRIPT, playThrough, readScript, type Script } from '../rehearse/script.ts';
import { useBodies } from './workflow/bodies.ts';
import { Diagram } from './workflow/diagram.tsx';
import { Scrubber } from './workflow/scrubber.tsx';

const ADVANCES = [
  ['+ 1 m', 60_000],
  ['+ 1 h', 3_600_000],
  ['+ 1 d', 86_400_000],
] as const;
/** Lines of the story that are shown, the newest. */
const LINES_SHOWN = 100;

/** A definition played in the browser alone: no server runs it, nobody is asked, and the clock is moved by hand. */
export function Rehearsal() {
  const [text, setText] = useState(draftOf('rehearse') ?? '');
  const [came, setCame] = useState(false);
  const [fields, setFields] = useState(draftOf('rehearse.fields') ?? '');
  const [answers, setAnswers] = useState(draftOf('rehearse.answers') ?? '');
  const [stopped, setStopped] = useState(false);
  const [played, setPlayed] = useState<Played | null>(null);
  const [broken, setBroken] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [shared, share] = useState<string | null>(null);
  const [at, setAt] = useState<number | null>(null);
  const [view, setView] = useState(workflowCodec.read('').state);
  const chronicle = useRef(makeChronicle());
  const recorder = useRef(makeRecorder());
  const stage = useRef<Stage | null>(null);
  const script = useRef<Script>(NO_SCRIPT);
  const { checked, problem } = useChecked(text);
  useEffect(() => {
    const packed = new URLSearchParams(place.value.hash).get('d');
    if (packed !== null)
      void inflated(packed).then((got) => {
        if (got === null) return;
        setText(got);
        setCame(true);
      });
    const given = new URLSearchParams(place.value.hash).get('s');
    if (given !== null)
      void inflated(given).then((got) => {
        const [came, script] = linesIn(got);
        setFields(came);
        setAnswers(script);
      });
    return () => stage.current?.leave();
  }, []);
  useEffect(() => {
    keepDraft('rehearse.fields', fields);
  }, [fields]);
  useEffect(() => {
    keepDraft('rehearse.answers', answers);
  }, [answers]);

  /** One move, and what came of it; null: the rehearsal was ended. */
  const moved = async (move: Move): Promise<Played | null> => {
    const told = (await stage.current?.move(move)) ?? 'The rehearsal has not begun';
    if (typeof told === 'string') {
      setBroken(told);
      return null;
    }
    chronicle.current.add(told.entries as unknown as readonly Entry[]);
    recorder.current.take(move, told);
    return told;
  };
  /** A move, and the answers of the script that are due on the way and after it. */
  const take = async (move: Move, before: Played | null = played): Promise<void> => {
    setBusy(true);
    const { last, isStopped } = await playThrough(move, { script: script.current, before, one: moved });
    setStopped(isStopped);
    setBusy(false);
    if (last !== null) {
      setPlayed(last);
      setAt(null);
    }
  };
  const begin = async (): Promise<void> => {
    const tree = checked?.tree ?? null;
    if (tree === null) return;
    const { openStage } = await import('../rehearse/run.ts');
    const read = readScript(answers.trim() === '' ? {} : (jsonOf(answers) ?? {}));
    if (typeof read === 'string') return setBroken(`Scripted answers: ${read}`);
    stage.current?.leave();
    stage.current = openStage(now.value);
    chronicle.current = makeChronicle();
    recorder.current = makeRecorder();
    script.current = read;
    setBroken(null);
    setStopped(false);
    await take({ kind: 'launch', tree, fields: (jsonOf(fields) ?? {}) as JsonObject }, null);
  };

  const shown = played?.shown ?? null;
  const plain = useMemo(
    () => figureOf((shown?.['tree'] as Json | undefined) ?? checked?.tree ?? null),
    [JSON.stringify(shown?.['tree'] ?? checked?.tree ?? null)],
  );
  const last = chronicle.current.last;
  const moment = at !== null && at < last ? at : null;
  const standing = shown === null ? null : moment === null ? standingOf(shown) : chronicle.current.at(moment);
  const figure = useBodies(plain, view, standing);
  const seen =
    figure === null || standing === null ? new Map() : statesOf(figure, standing, chronicle.current, view.sel);
  const answerAt = played === null ? null : script.current.nextAt(played);
  const dueAt = played?.nextDueAt ?? null;
  const nextAt = answerAt === null || dueAt === null ? (answerAt ?? dueAt) : Math.min(answerAt, dueAt);
  const over = shown !== null && isOver(textOf(shown['status']));
  const wrong = wrongJson(fields, 'object') ?? wrongJson(answers, 'object');
  const why = checked === null || !checked.valid ? 'the definition cannot be read yet' : wrong;
  if (text.trim() === '')
    return (
      <>
        <PageHead title="Rehearsal" />
        <Empty title="There is nothing to rehearse">
          <p class="dim">Write a definition, or open a stored one, and choose Rehearse there.</p>
        </Empty>
      </>
    );
  return (
    <>
      <PageHead title="Rehearsal">
        <Button look="primary" busy={busy} why={why} onPress={() => void begin()}>
          {played === null ? 'Begin' : 'Begin again'}
        </Button>
        <Button
          why={
            text.length + fields.length + answers.length > LINKED_MAX
              ? `a link holds ${LINKED_MAX} characters at most`
              : null
          }
          onPress={() => void linkOf(text, fields, answers).then(share)}
        >
          Make a link
        </Button>
        {shared !== null && <Copy what="Copy the link" text={shared} />}
        <Button
          why={played === null ? 'it has not begun' : null}
          onPress={() => {
            const first = text.trimStart().charAt(0);
            const format = first === '<' ? 'xml' : first === '[' ? 'json' : 'radial';
            const name = nameIn(checked?.tree ?? null) || 'rehearsal';
            const found = recorder.current.caseOf({ name, format, definition: text });
            download(`${name}.json`, JSON.stringify(found, null, 2), 'application/json');
          }}
        >
          Take away as a case
        </Button>
      </PageHead>
      <p class="past row">
        <span>Rehearsal: it runs in this browser alone. Nobody is asked; you play the participants and the clock.</span>
      </p>
      {came && <p class="note warn">This definition came with a link. It runs only here, and only when you begin.</p>}
      {problem !== null && <ProblemNote problem={problem} />}
      {broken !== null && (
        <div class="problem" role="alert">
          <p>
            <Text text={broken} />
          </p>
        </div>
      )}
      {stopped && (
        <p class="note warn small" role="status">
          It stopped after {countText(ANSWERS_MAX)} scripted answers; any move goes on.
        </p>
      )}
      <details open={played === null}>
        <summary>Fields and answers to begin with</summary>
        <JsonField label="Fields to begin with" hint="An object; empty: none." text={fields} set={setFields} rows={4} />
        <JsonField
          label="Scripted answers"
          hint={
            'To each participant its own, in turn, the rest by hand: { "stock": [{ "fail": "no box" }, { "proceed": { "shelf": 7 }, "after": 3600 }], "*": "proceed" }'
          }
          text={answers}
          set={setAnswers}
          rows={4}
        />
      </details>
      {played !== null && shown !== null && standing !== null && (
        <>
          <div class="row">
            <Chip state={standing.status} />
            <span class="small">
              The clock says <Time at={new Date(played.now).toISOString()} how="time" />
            </span>
            <Button
              look="tiny"
              busy={busy}
              why={nextAt === null ? 'no timer is set' : null}
              onPress={() => void take({ kind: 'next' })}
            >
              To the next timer{nextAt === null ? '' : ` (${spanText(nextAt - played.now)})`}
            </Button>
            {ADVANCES.map(([word, by]) => (
              <Button key={word} look="tiny" busy={busy} onPress={() => void take({ kind: 'advance', by })}>
                {word}
              </Button>
            ))}
            <Button
              look="tiny danger"
              busy={busy}
              why={over ? 'it is over' : null}
              onPress={() => void take({ kind: 'cancel' })}
            >
              Cancel it
            </Button>
          </div>
          {played.refused !== null && (
            <p class="problem" role="alert">
              <Text text={played.refused} />
            </p>
          )}
          <p class={`sentence ${standing.status}`} aria-live="polite">
            {sentenceOf(standing, figure, seen, (expid) => (figure === null ? null : placeAt(figure, expid))).map(
              (word, i) =>
                word.time === undefined ? (
                  <Text key={i} text={word.text} />
                ) : (
                  <Time key={i} at={word.time} how="time" />
                ),
            )}
          </p>
        </>
      )}
      <div class="split">
        <div class="stack">
          {figure !== null && (
            <div class="looking alone rehearsed">
              <Diagram
                figure={figure}
                seen={seen}
                state={view}
                set={(change) => setView((one) => ({ ...one, ...change }))}
                chosen={view.sel === '' ? null : placeOfChosen(figure, seen, view.sel)}
                clock={played === null ? null : moment === null ? played.now : Date.parse(standing?.at ?? '')}
              />
            </div>
          )}
          {last > 1 && <Scrubber chronicle={chronicle.current} last={last} at={moment} set={(n) => setAt(n)} />}
        </div>
        <div class="stack">
          {shown !== null && (
            <section class="stack" aria-label="Who is asked">
              <h2>Who is asked</h2>
              {objectsOf(shown['workitems']).length === 0 && (
                <p class="note dim">{over ? `It is over: ${textOf(shown['status'])}.` : 'Nobody. Move the clock.'}</p>
              )}
              {objectsOf(shown['workitems']).map((item) => (
                <Asked key={textOf(item['id'])} item={item} busy={busy} take={take} />
              ))}
              {objectsOf(shown['errors']).map((error) => (
                <div class="problem" key={textOf(error['expression_id'])}>
                  <p>
                    <span class="code">
                      <Text text={textOf(error['class'])} />
                    </span>{' '}
                    <Text text={textOf(error['message'])} />
                  </p>
                  <p>
                    <Button
                      look="tiny"
                      busy={busy}
                      onPress={() => void take({ kind: 'replay', expression: textOf(error['expression_id']) })}
                    >
                      ↻ Replay
                    </Button>
                  </p>
                </div>
              ))}
              <details>
                <summary>Fields</summary>
                <JsonView value={shown['fields'] ?? {}} label="Fields of the workflow" fields={[]} />
              </details>
            </section>
          )}
          {last > 0 && (
            <section class="stack" aria-label="What happened">
              <h2>What happened</h2>
              <ol class="stack small">
                {[...storyOf(chronicle.current.entries)]
                  .reverse()
                  .slice(0, LINES_SHOWN)
                  .map(({ entries, text: line }) => (
                    <li key={entries[0]?.n}>
                      <Time at={entries[0]?.at ?? null} how="time" /> <Text text={line} />
                    </li>
                  ))}
              </ol>
            </section>
          )}
        </div>
      </div>
    </>
  );
}

/** The definition, and what it begins with beside it, in a link. */
async function linkOf(text: string, fields: string, answers: string): Promise<string> {
  const given = [fields, answers].map((one) => one.trim());
  const rest = given.some((one) => one !== '') ? `&s=${await deflated(JSON.stringify(given))}` : '';
  return wholeLink(`/rehearse#d=${await deflated(text)}${rest}`);
}

/** Fields and answers of a link, which is a stranger's: what is none of ours is empty. */
function linesIn(got: string | null): readonly [fields: string, answers: string] {
  try {
    const read = JSON.parse(got ?? '') as Json;
    const [fields, answers] = Array.isArray(read) ? (read as readonly Json[]) : [];
    return [textOf(fields), textOf(answers)];
  } catch {
    return ['', ''];
  }
}

function Asked({
  item,
  busy,
  take,
}: {
  readonly item: JsonObject;
  readonly busy: boolean;
  readonly take: (move: Move) => Promise<void>;
}) {
  const [answering, answer] = useState<'proceed' | 'fail' | null>(null);
  const fields = isObject(item['fields']) ? item['fields'] : {};
  const params = isObject(fields['params']) ? fields['params'] : {};
  const workitem = textOf(item['id']);
  return (
    <article class="panel stack" aria-label={`${visible(textOf(item['participant']))} is asked`}>
      <h3>
        <Text text={textOf(item['participant'])} /> <Chip state={textOf(item['status'])} />
      </h3>
      {textOf(params['task']) !== '' && (
        <p>
          <Text text={textOf(params['task'])} />
        </p>
      )}
      <div class="row">
        <Button look="primary" busy={busy} onPress={() => void take({ kind: 'proceed', workitem, fields: {} })}>
          Proceed
        </Button>
        <Button look="tiny" onPress={() => answer('proceed')}>
          With fields…
        </Button>
        <Button look="tiny" onPress={() => answer('fail')}>
          Give up…
        </Button>
      </div>
      {answering !== null && (
        <Answer
          fields={withoutKeys(fields, 'params') as JsonObject}
          kind={answering}
          close={() => answer(null)}
          give={(given) => {
            answer(null);
            void take(
              answering === 'proceed'
                ? { kind: 'proceed', workitem, fields: given.fields }
                : { kind: 'fail', workitem, class: 'RuntimeError', message: given.message },
            );
          }}
        />
      )}
    </article>
  );
}

function Answer({
  fields,
  kind,
  close,
  give,
}: {
  readonly fields: JsonObject;
  readonly kind: 'proceed' | 'fail';
  readonly close: () => void;
  readonly give: (given: { readonly fields: JsonObject; readonly message: string }) => void;
}) {
  const [text, setText] = useState(JSON.stringify(fields, null, 2));
  const [message, setMessage] = useState('');
  const wrong = kind === 'proceed' ? wrongJson(text, 'object') : message.trim() === '' ? 'say what went wrong' : null;
  return (
    <Dialog title={kind === 'proceed' ? 'Proceed with fields' : 'Give up'} close={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (wrong === null) give({ fields: (jsonOf(text) ?? {}) as JsonObject, message: message.trim() });
        }}
      >
        {kind === 'proceed' ? (
          <JsonField label="Fields" text={text} set={setText} rows={8} />
        ) : (
          <label class="field">
            <span class="label">What went wrong</span>
            <input value={message} onInput={(event) => setMessage(event.currentTarget.value)} />
          </label>
        )}
        <div class="row">
          <Button type="submit" look="primary" why={wrong}>
            {kind === 'proceed' ? 'Proceed' : 'Give up'}
          </Button>
          <Button onPress={close}>Close</Button>
        </div>
      </form>
    </Dialog>
  );
}
