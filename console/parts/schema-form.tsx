import { useId, useState } from 'preact/hooks';
import { isObject, type Json, type JsonObject, withoutKeys } from '../../src/model/json.ts';
import { textOf } from '../picture/standing.ts';
import { Button, JsonField, wrongJson } from './action.tsx';
import type { Wrong } from './check-worker.ts';
import { Text } from './said.tsx';
import { firstValue, type Part, partOf } from './schema-model.ts';
import { visible } from './texts.ts';

/** The id of the field of a pointer, for links from the list of what is wrong. */
export const fieldId = (pointer: string): string => `at-${pointer.replaceAll(/[^\w/-]/g, '_')}`;

type Props = {
  readonly schema: JsonObject;
  readonly name: string;
  /** Where it is in the whole, `a/b/0`; empty: the whole. */
  readonly pointer: string;
  readonly value: Json | undefined;
  readonly required?: boolean;
  readonly wrong: readonly Wrong[];
  readonly depth?: number;
  /** Undefined: nothing is there any more. */
  readonly change: (value: Json | undefined) => void;
};

/** A field, or a group of them, for what a schema says. */
export function SchemaField(props: Props) {
  const { schema, name, pointer, value, required = false, wrong, depth = 0, change } = props;
  const part = partOf(schema, name, value, required, depth);
  const mine = wrong.filter((one) => one.pointer === pointer);
  if (part.kind === 'object') {
    const given = isObject(value) ? value : {};
    const members = part.members.map(([member, one, needed]) => (
      <SchemaField
        key={member}
        schema={one}
        name={member}
        pointer={pointer === '' ? member : `${pointer}/${member}`}
        value={given[member]}
        required={needed}
        wrong={wrong}
        depth={depth + 1}
        change={(next) => {
          const { [member]: _, ...others } = given;
          change(next === undefined ? others : { ...others, [member]: next });
        }}
      />
    ));
    if (pointer === '') return <>{members}</>;
    return (
      <fieldset class="panel stack" id={fieldId(pointer)}>
        <legend>
          <Text text={part.title} />
        </legend>
        <About part={part} />
        {members}
        <Wrongs of={mine} />
      </fieldset>
    );
  }
  if (part.kind === 'list') return <List {...props} part={part} mine={mine} />;
  if (part.kind === 'boolean')
    return (
      <div class="field" id={`${fieldId(pointer)}-group`}>
        <label class="row">
          <input
            id={fieldId(pointer)}
            type="checkbox"
            // What was never said is as it is meant then.
            checked={(value ?? schema['default']) === true}
            disabled={part.readOnly}
            onChange={(event) => change(event.currentTarget.checked)}
          />
          <Text text={part.title} />
        </label>
        <About part={part} />
        <Wrongs of={mine} />
      </div>
    );
  return <Single {...props} part={part} mine={mine} />;
}

const About = ({ part, id }: { readonly part: Part; readonly id?: string }) =>
  part.about === '' ? null : (
    <p class="hint" id={id}>
      <Text text={part.about} />
    </p>
  );

const Wrongs = ({ of, id }: { readonly of: readonly Wrong[]; readonly id?: string }) => (
  <>
    {of.map(({ detail }) => (
      <p class="wrong" key={detail} id={id}>
        <Text text={detail} />
      </p>
    ))}
  </>
);

function Single({
  pointer,
  value,
  change,
  part,
  mine,
}: Props & { readonly part: Part; readonly mine: readonly Wrong[] }) {
  const id = fieldId(pointer);
  const said = useId();
  const described = {
    id,
    'aria-describedby': `${said}-about ${said}-wrong`,
    ...(mine.length > 0 ? { 'aria-invalid': 'true' as const } : {}),
    ...(part.required ? { 'aria-required': 'true' as const } : {}),
    readOnly: part.readOnly,
  };
  const text = typeof value === 'string' ? value : value === undefined || value === null ? '' : JSON.stringify(value);
  if (part.kind === 'json') return <Raw part={part} value={value} change={change} />;
  return (
    <div class="field">
      <label for={id}>
        <Text text={part.title} />
        {part.required && <span class="dim"> (needed)</span>}
      </label>
      <About part={part} id={`${said}-about`} />
      {part.kind === 'choice' ? (
        <select
          id={id}
          aria-describedby={described['aria-describedby']}
          aria-invalid={described['aria-invalid']}
          disabled={part.readOnly}
          value={String(part.options.findIndex((one) => JSON.stringify(one.value) === JSON.stringify(value)))}
          onChange={(event) => change(part.options[Number(event.currentTarget.value)]?.value)}
        >
          <option value="-1">choose…</option>
          {part.options.map((one, i) => (
            <option key={one.title} value={String(i)}>
              {visible(one.title)}
            </option>
          ))}
        </select>
      ) : part.kind === 'number' ? (
        <input
          {...described}
          inputMode={part.whole ? 'numeric' : 'decimal'}
          value={text}
          onInput={(event) => {
            const given = event.currentTarget.value.trim();
            change(given === '' ? undefined : Number.isFinite(Number(given)) ? Number(given) : given);
          }}
        />
      ) : part.kind === 'text' && part.long ? (
        <textarea {...described} rows={4} value={text} onInput={(event) => change(event.currentTarget.value)} />
      ) : (
        <input
          {...described}
          type={part.kind === 'text' ? (part.input as 'text') : 'text'}
          value={part.kind === 'text' && part.input === 'datetime-local' ? toLocal(text) : text}
          onInput={(event) => {
            const given = event.currentTarget.value;
            if (given === '') change(undefined);
            else
              change(part.kind === 'text' && part.input === 'datetime-local' ? `${given.padEnd(19, ':00')}Z` : given);
          }}
        />
      )}
      <Wrongs of={mine} id={`${said}-wrong`} />
    </div>
  );
}

/** A field for date and time knows no zone: it is UTC that is shown and sent. */
const toLocal = (text: string): string => /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?/.exec(text)?.[0] ?? '';

function Raw({
  part,
  value,
  change,
}: {
  readonly part: Part & { readonly kind: 'json' };
  readonly value: Json | undefined;
  readonly change: (value: Json | undefined) => void;
}) {
  const [text, setText] = useState(value === undefined ? '' : JSON.stringify(value, null, 2));
  return (
    <JsonField
      label={part.title}
      hint={part.because === '' ? 'As JSON.' : `As JSON, for a form has no field for “${part.because}”.`}
      kind="any"
      text={text}
      rows={4}
      set={(next) => {
        setText(next);
        if (wrongJson(next, 'any') === null) change(next.trim() === '' ? undefined : (JSON.parse(next) as Json));
      }}
    />
  );
}

function List({
  pointer,
  value,
  change,
  part,
  wrong,
  mine,
  depth = 0,
}: Props & { readonly part: Part & { readonly kind: 'list' }; readonly mine: readonly Wrong[] }) {
  const items = Array.isArray(value) ? (value as readonly Json[]) : [];
  const moved = (i: number, by: number): Json[] => {
    const next = [...items];
    const [one] = next.splice(i, 1);
    next.splice(i + by, 0, one ?? null);
    return next;
  };
  return (
    <fieldset class="panel stack" id={fieldId(pointer)}>
      <legend>
        <Text text={part.title} />
      </legend>
      <About part={part} />
      {items.map((one, i) => (
        // Elements have no names; where they are is what they are.
        <div class="stack" key={i}>
          <SchemaField
            schema={withoutKeys(part.item, 'title')}
            name={`${textOf(part.item['title']) || part.title} ${i + 1}`}
            pointer={`${pointer}/${i}`}
            value={one}
            wrong={wrong}
            depth={depth + 1}
            change={(next) => change(items.map((each, k) => (k === i ? (next ?? null) : each)))}
          />
          <div class="row">
            <Button
              look="tiny"
              why={i === 0 ? 'is the first' : null}
              label={`Move ${i + 1} up`}
              onPress={() => change(moved(i, -1))}
            >
              ↑
            </Button>
            <Button
              look="tiny"
              why={i === items.length - 1 ? 'is the last' : null}
              label={`Move ${i + 1} down`}
              onPress={() => change(moved(i, 1))}
            >
              ↓
            </Button>
            <Button
              look="tiny"
              why={items.length <= part.min ? `there have to be ${part.min}` : null}
              onPress={() => change(items.filter((_, k) => k !== i))}
            >
              Remove {i + 1}
            </Button>
          </div>
        </div>
      ))}
      <Wrongs of={mine} />
      <div class="row">
        <Button
          look="tiny"
          why={part.readOnly ? 'cannot be changed' : items.length >= part.max ? `there may be ${part.max}` : null}
          onPress={() => change([...items, firstValue(part.item, undefined) ?? emptyOf(part.item)])}
        >
          Add one
        </Button>
      </div>
    </fieldset>
  );
}

const emptyOf = (schema: JsonObject): Json =>
  schema['type'] === 'object' ? {} : schema['type'] === 'array' ? [] : schema['type'] === 'boolean' ? false : '';
