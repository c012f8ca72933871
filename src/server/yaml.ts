import { stringify } from 'yaml';
import type { Json } from '../model/json.ts';

/** A value as YAML 1.2, without aliases and with every line as long as it is. What readers of YAML 1.1 take for something else (`Yes`, a date) stands in quotes. */
export const printYaml = (value: Json): string =>
  stringify(value, { aliasDuplicateObjects: false, lineWidth: 0, compat: 'yaml-1.1' });
