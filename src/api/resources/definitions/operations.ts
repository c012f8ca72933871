import { isObject, type Json, type JsonObject } from '../../../model/json.ts';
import { type Tree, treeToJson } from '../../../model/tree.ts';
import type { SeenDefinition } from '../../../store/store.ts';
import { answers } from '../../answers.ts';
import { jsonReply, type Operation } from '../../operation.ts';
import type { ConvertOptions, DefinitionRead, Parts } from '../../parts.ts';
import { Problem } from '../../problem.ts';
import { timeView } from '../../time.ts';
import { misspeltParameters } from '../../warnings.ts';
import { definitionPlaces } from './places.ts';
import { scheduleOperations } from './schedules.ts';
import { Convert, Converted, DefinitionPlaces, SeenDefinitions, Validate, Validation } from './schemas.ts';
import { storedDefinitionOperations } from './stored.ts';

export function definitionOperations(parts: Parts): readonly Operation[] {
  return [
    ...storedDefinitionOperations(parts),
    ...scheduleOperations(parts),
    {
      id: 'listSeenDefinitions',
      method: 'get',
      path: '/v1/stats/definitions',
      summary:
        'Definitions that were launched in the last week, by hash and name, stored or not, the last one first; and how many workflows stored ones have',
      access: 'read',
      answers: answers(200, 'As of now; null: that could not be counted in time', SeenDefinitions),
      handle: async (call) => {
        const { tenant } = call.principal;
        const [seen, kept] = await Promise.all([
          parts.figures?.seen(tenant) ?? null,
          parts.figures?.kept(tenant) ?? null,
        ]);
        return jsonReply(200, {
          definitions: seen?.map(seenView) ?? null,
          stored:
            kept?.definitions.map(({ name, live, failed, launched }) => ({
              ...{ name, live, failed },
              launched_in_a_day: launched,
            })) ?? null,
          stored_complete: kept?.isWhole ?? null,
        });
      },
    },
    {
      id: 'getDefinitionPlaces',
      method: 'get',
      path: '/v1/definitions/:definition_name/places',
      summary:
        'Of a definition, by its hash or its name: how many of its workflows are at each place, and how many failed there',
      access: 'read',
      answers: answers(200, 'Counts by place', DefinitionPlaces, 404),
      handle: (call) => definitionPlaces(parts, call),
    },
    {
      id: 'validateDefinition',
      method: 'post',
      path: '/v1/definitions/validate',
      summary: 'Read a definition without launching it',
      access: 'launch',
      body: { schema: Validate, checked: 'here' },
      answers: answers(200, 'What was read, or what is wrong with it', Validation, 422),
      handle: (call) => {
        const read = parts.definitions.read(call.body['workflow'] as string | Json);
        if (!read.ok)
          return jsonReply(200, {
            valid: false,
            errors: read.errors.map(({ message, line, column, element }) => ({
              message,
              line,
              column,
              ...(element !== undefined && { element }),
            })),
            participants: [],
            ...unsupportedIn(read.errors),
            warnings: [],
          });
        const { callbacks } = call.body;
        const warnings = [
          ...misspeltParameters(parts, call.body, Object.keys(Validate.properties)),
          ...parts.definitions.warnings(read, isObject(callbacks) ? callbacks : null),
          ...(read.warnings ?? []),
        ];
        // In a form it is a text that the check has made a boolean of.
        if (call.body['strict'] === true && warnings.length > 0)
          return jsonReply(200, {
            valid: false,
            errors: warnings.map(({ message, line, column }) => ({ message, line: line ?? 1, column: column ?? 1 })),
            participants: [],
            warnings: [],
          });
        return jsonReply(200, {
          valid: true,
          ...(read.tree.name === 'bpmn:process' && { format: 'bpmn', unsupported: [] }),
          tree: treeToJson(read.tree),
          errors: [],
          participants:
            read.tree.name === 'bpmn:process' ? askedIn(read.tree) : [...parts.definitions.participants(read.tree)],
          warnings: warnings.map((warning) => ({ ...warning })),
        });
      },
    },
    {
      id: 'convertDefinition',
      method: 'post',
      path: '/v1/definitions/convert',
      summary: 'Read a definition, in Ruby too, and write it in another format',
      access: 'read',
      body: { schema: Convert, checked: 'here' },
      answers: answers(200, 'The definition in the other format', Converted, 400, 422),
      handle: async ({ body }) => {
        const result = await parts.definitions.convert(body['definition'] as string, {
          from: (body['from'] as ConvertOptions['from'] | undefined) ?? null,
          to: body['to'] as ConvertOptions['to'],
          name: (body['name'] as string | undefined) ?? null,
        });
        if (!result.ok)
          throw new Problem('workflow_invalid', 'The definition cannot be converted', {
            words: 'workflow is invalid',
            complaints: result.errors.map(({ message, line, column }) => ({ detail: message, message, line, column })),
          });
        const { text, tree, from, name, names, warnings } = result;
        return jsonReply(200, {
          definition: text,
          format: body['to'] as string,
          from,
          tree: treeToJson(tree),
          name,
          names: names.map((one) => ({ name: one.name, line: one.line, column: one.column })),
          warnings: warnings.map(({ message, line, column }) => ({ message, line, column })),
        });
      },
    },
  ];
}

/** Of BPMN what is not run here, where something is. */
function unsupportedIn(errors: Extract<DefinitionRead, { readonly ok: false }>['errors']): JsonObject {
  const found = errors.flatMap(({ element, unsupported }) =>
    unsupported === undefined ? [] : [{ element: element ?? '', type: unsupported }],
  );
  return errors.some(({ element }) => element !== undefined) ? { format: 'bpmn', unsupported: found } : {};
}

/** Of BPMN the elements that ask somebody, and the names by which somebody is looked for, the first in front. */
function askedIn(root: Tree): Json[] {
  const found: Json[] = [];
  const visit = (tree: Tree): void => {
    const { attributes } = tree;
    const names = attributes.get('names');
    const element = attributes.get('id');
    if (Array.isArray(names) && typeof element === 'string')
      found.push({ element, type: (attributes.get('type') ?? null) as Json, candidates: [element, ...names] });
    tree.children.forEach(visit);
  };
  visit(root);
  return found;
}

const seenView = ({
  hash,
  name,
  stored,
  launched,
  live,
  failed,
  firstAt,
  lastAt,
  workflow,
}: SeenDefinition): JsonObject => ({
  ...{ hash, name, stored, launched, live, failed },
  first_at: timeView(firstAt),
  last_at: timeView(lastAt),
  workflow_id: workflow,
});
