import { stringify } from 'yaml';
import type { Json } from '../model/json.ts';

/** A value as YAML 1.2, without aliases and with every line as long as it is. */
export const printYaml = (value: Json): string => stringify(value, { aliasDuplicateObjects: false, lineWidth: 0 });
