import { type OpenTable, table } from './table.ts';

/** Small settings that must survive a restart, such as the test clock's offset. */
export type Settings = {
  read(name: string): Promise<string | null>;
  write(name: string, value: string): Promise<void>;
  /** Writes it unless it is there; answers what is there then. */
  writeOnce(name: string, value: string): Promise<string>;
  forget(name: string): Promise<void>;
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
  const read = async (name: string): Promise<string | null> => (await rows.get({ name }))?.value ?? null;
  return {
    read,
    write: (name, value) => rows.put({ name, value }),
    forget: async (name) => void (await rows.delete({ name })),
    writeOnce: async (name, value) => ((await rows.insert({ name, value })) ? value : ((await read(name)) ?? value)),
  };
}
