import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { isObject, type Json } from '../../src/model/json.ts';
import { addressOfId } from '../address/ids.ts';
import { go } from '../address/router.ts';
import { can } from '../api/calls.ts';
import { useResource } from '../live/resource.ts';
import { Text } from '../parts/said.tsx';
import { ENTRIES } from './entries.ts';
import { lasts, rememberLast } from './lasts.ts';
import { type Command, pageCommands, paletteOpen } from './palette-state.ts';

/** Rows of the list. */
const FOUND_MAX = 30;

/** The find and command box: ids first, then pages, then what this page can do. */
export function Palette() {
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => dialog.current?.showModal(), []);
  const known = useNames();
  const found = find(text, known);
  const chosen = Math.min(at, found.length - 1);
  const run = (one: Command | undefined): void => {
    if (one === undefined) return;
    dialog.current?.close();
    if (one.to === undefined) one.run();
    else {
      rememberLast({ word: one.word, to: one.to });
      go(one.to);
    }
  };
  return (
    <dialog
      ref={dialog}
      class="palette"
      aria-label="Find and commands"
      onClose={() => {
        paletteOpen.value = false;
      }}
    >
      <input
        type="text"
        role="combobox"
        aria-expanded="true"
        aria-controls={id}
        aria-activedescendant={found.length > 0 ? `${id}-${chosen}` : undefined}
        aria-label="Find or paste an id, a name, a command"
        placeholder="An id, a page, a command"
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={(event) => {
          if (event.key === 'ArrowDown') setAt(Math.min(chosen + 1, found.length - 1));
          else if (event.key === 'ArrowUp') setAt(Math.max(chosen - 1, 0));
          else if (event.key === 'Enter') run(found[chosen]);
          else return;
          event.preventDefault();
        }}
      />
      <div role="listbox" id={id} aria-label="Found">
        {found.map((one, i) => (
          <div
            key={`${one.word} ${one.hint} ${i}`}
            id={`${id}-${i}`}
            role="option"
            tabIndex={-1}
            aria-selected={i === chosen}
            onClick={() => run(one)}
          >
            <Text text={one.word} />
            <span class="dim small">{one.hint}</span>
          </div>
        ))}
        {found.length === 0 && (
          <div role="option" aria-selected="false" aria-disabled="true" tabIndex={-1}>
            Nothing is called so
          </div>
        )}
      </div>
    </dialog>
  );
}

function find(text: string, known: readonly Command[]): readonly Command[] {
  const asked = text.trim().toLowerCase();
  const id = addressOfId(text.trim());
  const found: Command[] = id === null ? [] : [{ word: id.word, hint: 'go there', to: id.to }];
  const all: readonly Command[] = [
    ...(asked === '' ? lasts().map(({ word, to }): Command => ({ word, hint: 'lately', to })) : actionsHere()),
    ...pageCommands.value,
    ...ENTRIES.map(({ to, word }): Command => ({ word, hint: 'page', to })),
    { word: 'Launch a workflow', hint: 'page', to: '/workflows/new' },
    { word: 'Edit a definition', hint: 'page', to: '/definitions/edit' },
    ...(asked === '' ? [] : known),
  ];
  found.push(...all.filter(({ word }) => word.toLowerCase().includes(asked)));
  const name = text.trim().replace(/\p{Cs}/gu, '�');
  if (asked !== '' && id === null)
    for (const [word, to] of NAMED)
      found.push({ word: `${word} ${name}`, hint: 'by name', to: to + encodeURIComponent(name) });
  return found.slice(0, FOUND_MAX);
}

/** Names of one kind that are asked for. */
const NAMES_MAX = 200;

/** Stored definitions and registered participants, which are read when the box is opened. */
function useNames(): readonly Command[] {
  const definitions = useResource(can('GET /v1/definitions') ? `v1/definitions?limit=${NAMES_MAX}` : null);
  const participants = useResource(can('GET /v1/participants') ? `v1/participants?limit=${NAMES_MAX}` : null);
  const named = (value: Json | undefined, key: string, word: string, to: string): readonly Command[] =>
    (isObject(value) && Array.isArray(value[key]) ? (value[key] as readonly Json[]) : []).map((one) => {
      const name = isObject(one) ? String(one['name']) : '';
      return { word: `${word} ${name}`, hint: 'by name', to: to + name.split('/').map(encodeURIComponent).join('/') };
    });
  return [
    ...named(definitions.value.value, 'definitions', 'Definition', '/definitions/'),
    ...named(participants.value.value, 'participants', 'Participant', '/participants/'),
  ];
}

/** Where a name may lead. */
const NAMED: readonly (readonly [word: string, to: string])[] = [
  ['Workflows named', '/workflows?name='],
  ['Participant', '/participants/'],
  ['Definition', '/definitions/'],
  ['Workflows with the key', '/workflows?key='],
];

/** What the page offers to do: its own buttons, with the words that stand on them. */
function actionsHere(): readonly Command[] {
  const buttons = document.querySelectorAll<HTMLElement>('main .actions .button:not([aria-disabled])');
  return [...buttons].map((button) => ({
    word: button.textContent ?? '',
    hint: 'this page',
    run: () => button.click(),
  }));
}
