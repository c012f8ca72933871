import { KeyList } from '../../app/help.tsx';
import { singleKeys, theme, zone } from '../../app/settings.ts';

/** What is kept on this device. */
export function Display() {
  return (
    <>
      <section class="panel stack form-narrow" aria-label="Display">
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
          Keys of one letter (off: only Ctrl K is left)
        </label>
      </section>
      <section class="panel stack" aria-label="Keys of the keyboard">
        <h2>Keys</h2>
        <KeyList />
      </section>
    </>
  );
}
