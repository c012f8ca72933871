import { KeyList } from '../../app/help.tsx';
import { density, hours, motion, singleKeys, theme, zone } from '../../app/settings.ts';

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
            <option value="contrast">high contrast, light or dark as the system</option>
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
        <label class="field">
          <span class="label">Hours</span>
          <select
            value={hours.value}
            onChange={(event) => {
              hours.value = event.currentTarget.value as typeof hours.value;
            }}
          >
            <option value="24">24 hours</option>
            <option value="12">12 hours, am and pm</option>
          </select>
        </label>
        <label class="field">
          <span class="label">Density of lists</span>
          <select
            value={density.value}
            onChange={(event) => {
              density.value = event.currentTarget.value as typeof density.value;
            }}
          >
            <option value="usual">usual</option>
            <option value="dense">dense</option>
          </select>
        </label>
        <label class="field">
          <span class="label">Motion</span>
          <select
            value={motion.value}
            onChange={(event) => {
              motion.value = event.currentTarget.value as typeof motion.value;
            }}
          >
            <option value="system">as the system</option>
            <option value="off">none</option>
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
