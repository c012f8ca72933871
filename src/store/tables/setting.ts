import { type OpenTable, table } from './table.ts';

/** Small settings that must survive a restart, such as the test clock's offset. */
export type Settings = {
  read(name: string): Promise<string | null>;
  write(name: string, value: string): Promise<void>;
};

type SettingRow = { readonly name: string; readonly value: string };

export const SETTING = table<SettingRow>()({
  name: 'setting',
  key: ['name'],
  columns: { name: 'text', value: 'text' },
  sweep: null,
});

export function openSettings(open: OpenTable): Settings {
  const rows = open(SETTING);
  return {
    read: async (name) => (await rows.get({ name }))?.value ?? null,
    write: (name, value) => rows.put({ name, value }),
  };
}
