import { useEffect, useState } from 'preact/hooks';
import { isObject, type Json, type JsonObject } from '../../src/model/json.ts';
import { launch as codec } from '../address/pages.ts';
import { apiRoot, go, place, query } from '../address/router.ts';
import { call, can, part } from '../api/calls.ts';
import { curlOf } from '../api/curl.ts';
import { PageHead } from '../app/page.tsx';
import { draftOf, keepDraft } from '../app/settings.ts';
import { Button, JsonField, jsonOf, useAction, wrongJson } from '../parts/action.tsx';
import { inflated } from '../parts/deflate.ts';
import { EXAMPLES } from '../parts/examples.ts';
import { Preview, useChecked } from '../parts/preview.tsx';
import { ProblemNote } from '../parts/problem.tsx';
import { Copy } from '../parts/said.tsx';
import { textOf } from '../picture/standing.ts';

/** A workflow is launched from here: definition, who does the work, fields; the picture and the curl follow along. */
export function Launch() {
  const { state } = codec.read(query.value);
  const [text, setText] = useState(draftOf('launch.text') ?? '');
  const [callback, setCallback] = useState(draftOf('launch.callback') ?? '');
  const [fields, setFields] = useState(draftOf('launch.fields') ?? '');
  const [key, setKey] = useState('');
  /** Of the stored definition this form was opened with: its text, and whether it says itself where its participants are. */
  const [stored, setStored] = useState<{ readonly text: string; readonly isAddressed: boolean } | null>(null);
  const [tried, setTried] = useState(false);
  const { checked, problem } = useChecked(text);
  const playing = can('GET /v1/playground/requests');
  const playground = new URL('v1/playground/participants/', apiRoot).href;

  useEffect(() => {
    const example = EXAMPLES[state.example];
    if (example !== undefined) {
      setText(example.text);
      setFields(example.fields);
    }
  }, [state.example]);
  useEffect(() => {
    if (state.from === '') return;
    void call(`v1/workflows/${part(state.from)}`).then((answer) => {
      if (!answer.ok || !isObject(answer.value)) return;
      setText(JSON.stringify(answer.value['tree'], null, 2));
      setFields(JSON.stringify(answer.value['fields'] ?? {}, null, 2));
    });
  }, [state.from]);
  useEffect(() => {
    if (state.definition === '') return;
    const [name = '', version] = state.definition.split('@');
    void call(`v1/definitions/${part(name)}${version === undefined ? '' : `?version=${part(version)}`}`).then(
      (answer) => {
        if (!answer.ok || !isObject(answer.value)) return;
        const found = textOf(answer.value['definition']);
        setText(found);
        const isAddressed = ADDRESSES.some((key) => Object.hasOwn(answer.value as JsonObject, key));
        setStored({ text: found, isAddressed });
        const schema = answer.value['input_schema'];
        if (isObject(schema)) setFields(JSON.stringify(firstOf(schema), null, 2));
      },
    );
  }, [state.definition]);
  useEffect(() => {
    const packed = new URLSearchParams(place.value.hash).get('d');
    if (packed !== null) void inflated(packed).then((got) => got !== null && setText(got));
  }, []);
  useEffect(() => keepDraft('launch.text', text), [text]);
  useEffect(() => keepDraft('launch.callback', callback), [callback]);
  useEffect(() => keepDraft('launch.fields', fields), [fields]);

  const action = useAction((answer) => {
    if (isObject(answer.value)) go(`/workflows/${textOf(answer.value['id'])}`);
  });
  const isStored = stored !== null && text === stored.text;
  // Played by hand is only who would have no address.
  const plays = playing && !(isStored && stored.isAddressed);
  const body = (): JsonObject => {
    const given = wrongJson(fields, 'object') === null ? jsonOf(fields) : undefined;
    const who: JsonObject =
      callback.trim() !== ''
        ? { callback: callback.trim() }
        : plays
          ? {
              callbacks: Object.fromEntries(
                (checked?.participants ?? []).map((name) => [name, playground + part(name)]),
              ),
            }
          : {};
    return {
      // What is stored is launched by its name, with all that was stored beside it.
      ...(isStored ? { definition: state.definition } : { workflow: text }),
      ...who,
      ...(given === undefined ? {} : { fields: given as Json }),
      ...(key.trim() === '' ? {} : { business_key: key.trim() }),
    };
  };
  const wrong =
    text.trim() === ''
      ? 'write a definition first'
      : checked === null && problem === null
        ? 'the definition is being read'
        : checked !== null && !checked.valid
          ? 'the definition cannot be read yet'
          : callback.trim() === '' && !plays && !isStored
            ? 'say where the participants are'
            : wrongJson(fields, 'object');
  return (
    <>
      <PageHead title="Launch a workflow" />
      <div class="split">
        <form
          class="stack"
          onSubmit={(event) => {
            event.preventDefault();
            setTried(true);
            if (wrong === null) void action.act({ path: 'v1/workflows', body: body() });
          }}
        >
          <div class="row">
            <span class="small dim">Begin with an example:</span>
            {Object.entries(EXAMPLES).map(([name, one]) => (
              <Button
                key={name}
                look="tiny"
                onPress={() => {
                  setText(one.text);
                  setFields(one.fields);
                }}
              >
                {name}
              </Button>
            ))}
          </div>
          <div class="field">
            <label for="definition">Definition</label>
            <p class="hint">XML, JSON or Radial; a file can be dropped here.</p>
            <textarea
              id="definition"
              rows={14}
              spellcheck={false}
              value={text}
              aria-invalid={checked !== null && !checked.valid ? 'true' : undefined}
              onInput={(event) => setText(event.currentTarget.value)}
              onDragOver={(event) => event.preventDefault()}
              onDrop={(event) => {
                const file = event.dataTransfer?.files[0];
                if (file === undefined || file.size > 1_000_000) return;
                event.preventDefault();
                void file.text().then(setText);
              }}
            />
          </div>
          <div class="field">
            <label for="callback">Callback for every participant</label>
            <p class="hint" id="callback-hint">
              {plays
                ? 'A URL; left empty, you play the participants by hand in the playground.'
                : isStored
                  ? 'A URL; left empty, those that are stored with the definition or registered are told.'
                  : 'The URL that is told when it is a participant’s turn.'}
            </p>
            <input
              id="callback"
              type="url"
              aria-describedby="callback-hint"
              placeholder={plays ? 'the playground' : 'http://localhost:1234/callbacks'}
              value={callback}
              onInput={(event) => setCallback(event.currentTarget.value)}
            />
          </div>
          <JsonField label="Fields" hint="An object; empty: none." text={fields} set={setFields} rows={5} />
          <details>
            <summary>Business key</summary>
            <label class="field">
              <span class="label">Business key</span>
              <input value={key} maxLength={200} onInput={(event) => setKey(event.currentTarget.value)} />
            </label>
          </details>
          {tried && wrong !== null && <p class="wrong">Not yet: {wrong}.</p>}
          {action.problem !== null && <ProblemNote problem={action.problem} />}
          <div class="row">
            <Button type="submit" look="primary" busy={action.busy} why={wrong}>
              Launch
            </Button>
            <Copy what="Copy as curl" text={curlOf('POST', new URL('v1/workflows', apiRoot).href, body())} />
          </div>
        </form>
        <Preview checked={checked} problem={problem} goTo={toLine('definition')} />
      </div>
    </>
  );
}

/** Keys of a stored definition that say where its participants are. */
const ADDRESSES = ['callback', 'callbacks', 'participants'];

/** Values to begin with for the properties a schema names: its defaults, else empty ones of their type. */
function firstOf(schema: JsonObject): JsonObject {
  const properties = isObject(schema['properties']) ? schema['properties'] : {};
  return Object.fromEntries(
    Object.entries(properties).map(([name, one]): [string, Json] => {
      const property = isObject(one) ? one : {};
      const empty = { string: '', number: 0, integer: 0, boolean: false, array: [], object: {} } as const;
      const type = textOf(property['type']) as keyof typeof empty;
      return [name, property['default'] ?? (Object.hasOwn(empty, type) ? empty[type] : null)];
    }),
  );
}

/** Puts the cursor of a text area at a line and column. */
export const toLine =
  (id: string) =>
  (line: number, column: number): void => {
    const area = document.getElementById(id);
    if (!(area instanceof HTMLTextAreaElement)) return;
    const start =
      area.value
        .split('\n')
        .slice(0, line - 1)
        .reduce((sum, one) => sum + one.length + 1, 0) + Math.max(0, column - 1);
    area.focus();
    area.setSelectionRange(start, start);
  };
