import { Fragment } from 'preact';
import { Dialog } from '../parts/action.tsx';
import { helpOpen } from './palette-state.ts';

/* The keys of the console: `?` shows them on every page, and so do the settings. */

const KEYS: readonly (readonly [keys: readonly string[], word: string])[] = [
  [['Ctrl K', '/'], 'find, paste an id, commands of the page'],
  [['?'], 'these keys'],
  [['g', 'then a letter'], 'h home, w workflows, l worklist, e errors, d definitions, p playground'],
  [['j', 'k', 'Enter', 'f'], 'down, up and open in lists; to the filters'],
  [['x', 'Shift x'], 'choose a workflow of the list; all from the last one that was chosen'],
  [['d', 'o', 't', 'h'], 'diagram, outline, timeline, history of a workflow'],
  [['[', ']', 'l'], 'an entry of the history back, one on, live'],
  [['e', 'p'], 'edit the tree of the chosen place; pause the workflow, or resume it'],
  [['← ↑ → ↓', '+', '-'], 'walk the tree in diagram and outline; open and fold'],
  [['Shift', 'Ctrl', 'then a click'], 'choose several lines of the outline; letters find one there'],
];

export const KeyList = () => (
  <dl class="facts">
    {KEYS.map(([keys, word]) => (
      <Fragment key={word}>
        <dt>
          {keys.map((key, i) => (
            <Fragment key={key}>
              {i > 0 && ' '}
              {key.includes('then') ? key : <kbd>{key}</kbd>}
            </Fragment>
          ))}
        </dt>
        <dd>{word}</dd>
      </Fragment>
    ))}
  </dl>
);

export const Help = () => (
  <Dialog
    title="Keys"
    close={() => {
      helpOpen.value = false;
    }}
  >
    <KeyList />
    <p class="small dim">Escape closes this. Keys of one letter can be switched off under Settings.</p>
  </Dialog>
);
