import { useEffect, useState } from 'preact/hooks';
import { isObject, type Json, type JsonObject } from '../../src/model/json.ts';
import { launch as codec } from '../address/pages.ts';
import { apiRoot, go, goQuery, place, query } from '../address/router.ts';
import { call, can, part } from '../api/calls.ts';
import { curlOf } from '../api/curl.ts';
import { PageHead } from '../app/page.tsx';
import { draftOf, keepDraft } from '../app/settings.ts';
import { Button, JsonField, jsonOf, useAction, wrongJson } from '../parts/action.tsx';
import type { Wrong } from '../parts/check-worker.ts';
import { inflated } from '../parts/deflate.ts';
import { EXAMPLES } from '../parts/examples.ts';
import { Complaints } from '../parts/list.tsx';
import { Preview, useChecked } from '../parts/preview.tsx';
import { ProblemNote } from '../parts/problem.tsx';
import { Copy, Text } from '../parts/said.tsx';
import { SchemaField } from '../parts/schema-form.tsx';
import { visible } from '../parts/texts.ts';
import { objectsOf, textOf } from '../picture/standing.ts';

/** A workflow is launched from here: definition, who does the work, fields; the picture and the curl follow along. */
export function Launch() {
  const { state, complaints } = codec.read(query.value);
  const [text, setText] = useState(draftOf('launch.text') ?? '');
  const [callback, setCallback] = useState(draftOf('launch.callback') ?? '');
  const [fields, setFields] = useState(draftOf('launch.fields') ?? '');
  const [each, setEach] = useState<{ readonly [name: string]: string }>(eachKept);
  const [isEcho, echo] = useState(false);
  const [key, setKey] = useState('');
  const [policy, setPolicy] = useState<(typeof POLICIES)[number]>('reject');
  const [retry, setRetry] = useState('');
  const [tags, setTags] = useState('');
  const [schema, setSchema] = useState<JsonObject | null>(null);
  const [asJson, showJson] = useState(false);
  const [wrongs, setWrongs] = useState<readonly Wrong[]>([]);
  /** Of the stored definition this form was opened with: its text, and whether it says itself where its participants are. */
  const [stored, setStored] = useState<{ readonly text: string; readonly isAddressed: boolean } | null>(null);
  const [stores, setStores] = useState<readonly string[]>([]);
  const [tried, setTried] = useState(false);
  const { checked, problem } = useChecked(text);
  const playing = can('GET /v1/playground/requests');
  const playground = new URL('v1/playground/participants/', apiRoot).href;

  useEffect(() => {
    if (!can('GET /v1/definitions')) return;
    void call(`v1/definitions?limit=${STORED_MAX}`).then((answer) => {
      if (answer.ok && isObject(answer.value))
        setStores(objectsOf(answer.value['definitions']).map((one) => textOf(one['name'])));
    });
  }, []);
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
        setSchema(isObject(schema) ? schema : null);
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
  useEffect(() => keepDraft('launch.each', JSON.stringify(each)), [each]);

  const action = useAction((answer) => {
    if (isObject(answer.value)) go(`/workflows/${textOf(answer.value['id'])}`);
  });
  const isStored = stored !== null && text === stored.text;
  const names = checked?.participants ?? [];
  const ownOf = (name: string): string => (Object.hasOwn(each, name) ? (each[name] ?? '').trim() : '');
  const isOwn = names.some((name) => ownOf(name) !== '');
  const nowhere = names.find((name) => ownOf(name) === '');
  // Played by hand is only who would have no address.
  const plays = playing && !(isStored && stored.isAddressed);
  const body = (): JsonObject => {
    const given = wrongJson(fields, 'object') === null ? jsonOf(fields) : undefined;
    const who: JsonObject =
      callback.trim() !== '' && !isOwn
        ? { callback: callback.trim() }
        : plays || isOwn
          ? {
              callbacks: Object.fromEntries(
                names.flatMap((name) => {
                  const url =
                    ownOf(name) || callback.trim() || (plays ? `${playground}${part(name)}${isEcho ? ECHO : ''}` : '');
                  return url === '' ? [] : [[name, url]];
                }),
              ),
            }
          : {};
    const delays = delaysOf(retry);
    const tagged = tags
      .split(',')
      .map((one) => one.trim())
      .filter((one) => one !== '');
    return {
      // What is stored is launched by its name, with all that was stored beside it.
      ...(isStored ? { definition: state.definition } : { workflow: text }),
      ...who,
      ...(given === undefined ? {} : { fields: given as Json }),
      ...(key.trim() === '' ? {} : { business_key: key.trim() }),
      ...(key.trim() === '' || policy === 'reject' ? {} : { business_key_conflict: policy }),
      ...(delays === null || delays.length === 0 ? {} : { retry: { delays: [...delays] } }),
      ...(tagged.length === 0 ? {} : { tags: tagged }),
    };
  };
  const wrong =
    text.trim() === ''
      ? 'write a definition first'
      : checked === null && problem === null
        ? 'the definition is being read'
        : checked !== null && !checked.valid
          ? 'the definition cannot be read yet'
          : callback.trim() === '' && !plays && !isStored && (!isOwn || nowhere !== undefined)
            ? `say where ${isOwn ? nowhere : 'the participants are'}${isOwn ? ' is' : ''}`
            : delaysOf(retry) === null
              ? 'seconds between the tries are numbers, such as 5, 30, 120'
              : wrongJson(fields, 'object');
  const given = wrongJson(fields, 'object') === null ? (jsonOf(fields) ?? {}) : null;
  const isForm = isStored && schema !== null && !asJson && given !== null;
  const launch = async (): Promise<void> => {
    setWrongs([]);
    if (isStored && schema !== null && given !== null) {
      const { checkValue } = await import('../parts/check.ts');
      const found = await checkValue(schema, given);
      if ('wrong' in found && found.wrong.length > 0) {
        setWrongs(found.wrong);
        return;
      }
    }
    await action.act({ path: 'v1/workflows', body: body() });
  };
  return (
    <>
      <PageHead title="Launch a workflow" />
      <Complaints of={complaints} />
      <div class="split">
        <form
          class="stack"
          onSubmit={(event) => {
            event.preventDefault();
            setTried(true);
            if (wrong === null) void launch();
          }}
        >
          <div class="row">
            {stores.length > 0 && (
              <label class="row">
                <span class="small dim">A stored one:</span>
                <select
                  class="narrow"
                  value={state.definition}
                  onChange={(event) => goQuery(codec.write({ ...state, definition: event.currentTarget.value }))}
                >
                  <option value="">–</option>
                  {[...new Set([...stores, ...(state.definition === '' ? [] : [state.definition])])].map((name) => (
                    <option key={name} value={name}>
                      {visible(name)}
                    </option>
                  ))}
                </select>
              </label>
            )}
            <span class="small dim">{stores.length > 0 ? 'or an example:' : 'Begin with an example:'}</span>
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
          {plays && callback.trim() === '' && (
            <label class="row">
              <input type="checkbox" checked={isEcho} onChange={(event) => echo(event.currentTarget.checked)} />
              They answer at once: nobody plays them
            </label>
          )}
          {names.length > 0 && (
            <details open={isOwn}>
              <summary>A callback for each participant</summary>
              {names.slice(0, NAMES_MAX).map((name) => (
                <label class="field" key={name}>
                  <span class="label">
                    <Text text={name} />
                  </span>
                  <input
                    type="url"
                    placeholder={callback.trim() || (plays ? 'the playground' : 'http://localhost:1234/callbacks')}
                    value={ownOf(name)}
                    onInput={(event) => setEach({ ...each, [name]: event.currentTarget.value })}
                  />
                </label>
              ))}
              {names.length > NAMES_MAX && (
                <p class="note warn small">The first {NAMES_MAX} are here; the others have the callback of all.</p>
              )}
            </details>
          )}
          {isStored && schema !== null && (
            <p class="row">
              <span class="small dim">Fields, as the definition wants them:</span>
              <Button look="tiny" pressed={isForm} onPress={() => showJson(false)}>
                As a form
              </Button>
              <Button look="tiny" pressed={!isForm} onPress={() => showJson(true)}>
                As JSON
              </Button>
            </p>
          )}
          {isForm ? (
            <SchemaField
              schema={schema}
              name="fields"
              pointer=""
              value={given}
              wrong={wrongs}
              change={(next) => setFields(JSON.stringify(next ?? {}, null, 2))}
            />
          ) : (
            <JsonField label="Fields" hint="An object; empty: none." text={fields} set={setFields} rows={5} />
          )}
          {wrongs.length > 0 && (
            <div class="problem" role="alert">
              <ul>
                {wrongs.map((one) => (
                  <li key={`${one.pointer} ${one.detail}`}>
                    <Text text={`${one.pointer || 'the whole'}: ${one.detail}`} />
                  </li>
                ))}
              </ul>
            </div>
          )}
          <details>
            <summary>Business key, tries, tags</summary>
            <label class="field">
              <span class="label">Business key</span>
              <input value={key} maxLength={200} onInput={(event) => setKey(event.currentTarget.value)} />
            </label>
            <label class="field">
              <span class="label">Where one has this key already</span>
              <select
                value={policy}
                onChange={(event) => setPolicy(event.currentTarget.value as (typeof POLICIES)[number])}
              >
                <option value="reject">refuse</option>
                <option value="return_existing">take that one</option>
                <option value="allow_if_ended">launch where that one is over</option>
              </select>
            </label>
            <label class="field">
              <span class="label">Seconds between the tries of a callback</span>
              <input
                value={retry}
                placeholder="as the server does it, or 5, 30, 120"
                onInput={(event) => setRetry(event.currentTarget.value)}
              />
            </label>
            <label class="field">
              <span class="label">Tags</span>
              <input
                value={tags}
                placeholder="separated by commas"
                onInput={(event) => setTags(event.currentTarget.value)}
              />
            </label>
          </details>
          {tried && wrong !== null && <p class="wrong">Not yet: {wrong}.</p>}
          {action.problem !== null && <ProblemNote problem={action.problem} />}
          <div class="row">
            <Button type="submit" look="primary" needs="launch" busy={action.busy} why={wrong}>
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

/** What the URL of a participant of the playground has that proceeds at once. */
const ECHO = '?manner=at_once';
/** Stored definitions to choose from. */
const STORED_MAX = 200;
/** Rows of the form for callbacks. */
const NAMES_MAX = 100;
const POLICIES = ['reject', 'return_existing', 'allow_if_ended'] as const;

/** `5, 30, 120` as numbers; null: something in it is none. */
function delaysOf(text: string): readonly number[] | null {
  const parts = text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
  const numbers = parts.map(Number);
  return numbers.every((one) => Number.isFinite(one) && one >= 0) ? numbers : null;
}

/** The callbacks that were typed for single participants before. */
function eachKept(): { readonly [name: string]: string } {
  const read = JSON.parse(draftOf('launch.each') ?? '{}') as Json;
  return isObject(read) ? Object.fromEntries(Object.entries(read).map(([name, url]) => [name, textOf(url)])) : {};
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
