import { isObject, type Json, type JsonObject, withoutKeys } from '../model/json.ts';
import { valueComplaint } from '../model/storable.ts';
import type { Complaint } from './problem.ts';

/** Fields that are ours: a caller's are ignored. */
const OUR_FIELDS = ['params', 'dispatched_at'] as const;
export const callersFields = (fields: JsonObject): JsonObject => withoutKeys(fields, ...OUR_FIELDS);

/** The fields a caller gave, without those that are ours, or what is wrong with them. */
export function readFieldsOf(
  value: Json | undefined,
  check: (value: unknown) => Complaint | null,
): JsonObject | string {
  const shape = !isObject(value) ? 'must be an object, field name → value' : valueComplaint(value);
  if (shape !== null || !isObject(value)) return `fields ${shape}`;
  const complaint = check(value);
  return complaint === null ? callersFields(value) : `fields: ${complaint.detail}`;
}
