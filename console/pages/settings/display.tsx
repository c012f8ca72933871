import { singleKeys, theme, zone } from '../../app/settings.ts';

/** What is kept on this device. */
export function Display() {
  return (
    <>
      <section class="panel stack" aria-label="Display">
        <h2>Display</h2>
        <p class="small dim">Kept on this device.</p>
        <label class="field">
          <span class="label">Theme</span>
          <select
            value={theme.value}
            onChange={(event) => {
              theme.value = event.currentTarget.value as typeof theme.value;
            }}
          >
            <option value="system">as the system</option>
            <option value="light">light</option>
            <option value="dark">dark</option>
          </select>
        </label>
        <label class="field">
          <span class="label">Times are shown in</span>
          <select
            value={zone.value}
            onChange={(event) => {
              zone.value = event.currentTarget.value as typeof zone.value;
            }}
          >
            <option value="local">the zone of this device ({Intl.DateTimeFormat().resolvedOptions().timeZone})</option>
            <option value="UTC">UTC</option>
          </select>
        </label>
        <label class="row">
          <input
            type="checkbox"
            checked={singleKeys.value === 'on'}
            onChange={(event) => {
              singleKeys.value = event.currentTarget.checked ? 'on' : 'off';
            }}
          />
          Keys of one letter
        </label>
      </section>
      <section class="panel stack" aria-label="Keys of the keyboard">
        <h2>Keys</h2>
        <dl class="facts">
          <dt>
            <kbd>Ctrl K</kbd> <kbd>/</kbd>
          </dt>
          <dd>find, paste an id, commands of the page</dd>
          <dt>
            <kbd>g</kbd> then a letter
          </dt>
          <dd>h home, w workflows, l worklist, e errors, d definitions, p playground</dd>
          <dt>
            <kbd>j</kbd> <kbd>k</kbd> <kbd>Enter</kbd>
          </dt>
          <dd>down, up and open in lists</dd>
          <dt>
            <kbd>d</kbd> <kbd>o</kbd> <kbd>t</kbd> <kbd>h</kbd>
          </dt>
          <dd>diagram, outline, timeline, history of a workflow</dd>
          <dt>
            <kbd>[</kbd> <kbd>]</kbd> <kbd>l</kbd>
          </dt>
          <dd>an entry back, an entry on, live</dd>
          <dt>arrows</dt>
          <dd>walk the tree in diagram and outline; + and - open and fold</dd>
        </dl>
      </section>
    </>
  );
}
