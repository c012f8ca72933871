import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/*
 * Objects that are used as maps, and the keys that strangers choose: `constructor` and `toString` are found in every object, `__proto__` is no
 * key at all. So whatever is looked up by a key that is not in the source is a Map, or is asked with Object.hasOwn right before; the rest
 * is listed here, each with the reason why no stranger chooses the key.
 */

const OURS = 'the key is one of a list in the source';
const WALKED = 'the key was just walked over, so it is an own one';
const COLUMNS = 'the keys are the columns and statements of a table in the source';
const GUARDED = '`__proto__` was seen to before';
const LIST = 'a list, or an object that was told from lists before, and its keys were checked';

/** `file: object[key]` → why it is right. */
const ALLOWED: ReadonlyMap<string, string> = new Map([
  ['api/reading/headers.ts: req.headers[name]', 'names that the server chooses'],
  ['api/diagram/svg.ts: COLOURS[state]', OURS],
  ['api/diagram/svg.ts: EVENT_MARKS[event]', 'the reader of BPMN lets no other kind of event in'],
  ['api/diagram/svg.ts: GATEWAY_MARKS[type]', 'the reader of BPMN lets no other element in'],
  ['api/diagram/svg.ts: TASK_MARKS[type]', 'the reader of BPMN lets no other element in'],
  ['api/middleware/admit.ts: REFUSALS[error.code]', 'the codes of problems'],
  ['api/openapi-headers.ts: OF_STATUS[status]', 'the statuses that our operations describe'],
  ['api/openapi.ts: ...PATH_PARAMETERS[name]', 'the parameters of our paths'],
  ['api/openapi.ts: PATH_PARAMETERS[name]', 'the parameters of our paths'],
  ['api/openapi.ts: paths[path]', 'the paths of our operations'],
  ['cli/remote/registry.ts: hints[verb]', 'our own verbs'],
  ['cli/commands/keys.ts: UNIT_SECONDS[unit]', 'the pattern before lets one of its letters through'],
  ['definition/bpmn/check.ts: ALLOWED[type]', 'one of the elements that have events'],
  ['definition/bpmn/tree.ts: reach[at]', 'a number'],
  ['engine/retry-rules.ts: retry[key]', OURS],
  ['interpreter/expressions/bpmn/flow.ts: reach[other]', 'a number as text'],
  ['interpreter/life/listening.ts: error[key]', OURS],
  ['interpreter/state/encoding.ts: differing[key]', 'the parts of a header'],
  ['interpreter/state/encoding.ts: node.data[key]', 'the names of the expressions’ own data'],
  ['language/feel/call.ts: tree.given[place]', LIST],
  ['language/feel/lex.ts: ESCAPES[letter]', 'one letter'],
  ['language/filter-draft.ts: container[at]', LIST],
  ['language/filter-draft.ts: container[key]', GUARDED],
  ['language/filter-draft.ts: draft.root[key]', WALKED],
  ['language/filter-rules.ts: container[key]', WALKED],
  ['language/lookup.ts: container[index]', 'the place in a list'],
  ['language/merge.ts: fields[key]', WALKED],
  ['language/merge.ts: value[key]', WALKED],
  ['engine/carry.ts: read[key]', COLUMNS],
  ['model/pointer.ts: here[Number(name)]', LIST],
  ['model/history.ts: entry[key]', WALKED],
  ['model/history.ts: entry[name]', 'the parts of a kind'],
  ['model/history.ts: whole[name]', 'the parts of a kind'],
  ['model/json.ts: a[key]', WALKED],
  ['model/json.ts: b[i]', 'the place in a list'],
  ['model/json.ts: copy[key]', GUARDED],
  ['model/json.ts: value[key]', WALKED],
  ['runtime/meter.ts: both[name]', 'the names of what a meter takes'],
  ['server/config.ts: values[key]', 'the names of our settings'],
  ['server/open.ts: FOLDER_TROUBLE[code]', 'a code of the operating system'],
  ['server/settings/shown.ts: properties[keyOf(one.name)]', 'the names of our settings'],
  ['server/settings/shown.ts: properties[`${keyOf(one.name)}_file`]', 'the names of our settings'],
  ['store/check.ts: below[kind]', 'the kinds of rows'],
  ['store/retire.ts: table.columns[table.sweep.by]', COLUMNS],
  ['store/tables/of-workflow.ts: row[key]', COLUMNS],
  ['store/tables/on-database.ts: table.columns[part]', COLUMNS],
  ['store/tables/on-database.ts: table.columns[sweep.by]', COLUMNS],
  ['store/tables/on-database.ts: table.lists[of]', COLUMNS],
  ['store/tables/on-database.ts: table.statements[of]', COLUMNS],
  ['store/tables/on-database.ts: when[part]', WALKED],
]);

/** How a map with keys of any kind is written as a type. */
const MAP = String.raw`(?:Readonly<)?(?:Record<string,|\{\s*(?:readonly )?\[\w+: string\]:|Fields\b|JsonObject\b)`;
/** So many characters before a look-up Object.hasOwn has to be asked. */
const NEAR = 700;

const all = (text: string, pattern: RegExp): readonly string[] =>
  [...text.matchAll(pattern)].map(([, name = '']) => name);
const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Properties that are maps, whoever looks. */
const propertiesOf = (text: string): readonly string[] =>
  all(text, new RegExp(String.raw`^\s+(?:readonly )?(\w+)\??: ${MAP}`, 'gm'));

/** Look-ups in maps of objects by keys that are not in the source and were not asked for. */
function lookUps(text: string, properties: ReadonlySet<string>): readonly string[] {
  const names = new Set([
    ...all(text, new RegExp(String.raw`(\w+)\??: (?:\([^()]*\) => )?${MAP}`, 'g')),
    ...all(text, /const (\w+)(?:: [^=\n]+)? = \{\}/g),
    ...all(text, /isObject\((\w+)\)/g),
  ]);
  const found = new Set<string>();
  const access = /([\w.]*?(\w+))(?:\?\.)?\[([a-zA-Z_][\w.]*(?:\([^()[\]]*\))?|`[^`]*`)(?: as \w+)?\]/g;
  for (const { 0: whole, 1: object = '', 2: name = '', 3: key = '', index } of text.matchAll(access)) {
    if (!names.has(name) && !(object.includes('.') && properties.has(name))) continue;
    const before = text.slice(Math.max(0, index - NEAR), index + whole.length);
    const asked = new RegExp(String.raw`Object\.hasOwn\(\s*${escaped(object)},\s*${escaped(key)}(?: as \w+)?\)`);
    if (!asked.test(before)) found.add(`${object}[${key}]`);
  }
  return [...found];
}

const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.startsWith('console'))
  .map((file) => ({ file, text: readFileSync(join('src', file), 'utf8') }));
const properties = new Set(files.flatMap(({ text }) => propertiesOf(text)));

test('no object is asked for a key that a stranger chose without asking whether it has it', () => {
  const found = files.flatMap(({ file, text }) => lookUps(text, properties).map((lookUp) => `${file}: ${lookUp}`));
  expect(found.filter((each) => !ALLOWED.has(each))).toEqual([]);
  // What is not there any more needs no reason.
  expect([...ALLOWED.keys()].filter((each) => !found.includes(each))).toEqual([]);
});

test('a planted look-up is found, and one that was asked for is not', () => {
  const planted = `
    const counts: { [tag: string]: number } = {};
    export const enter = (tag: string) => { counts[tag] = (counts[tag] ?? 0) + 1; };`;
  expect(lookUps(planted, properties)).toEqual(['counts[tag]']);
  const asking = `
    const counts: { [tag: string]: number } = {};
    export const of = (tag: string) => (Object.hasOwn(counts, tag) ? counts[tag] : 0);`;
  expect(lookUps(asking, properties)).toEqual([]);
  expect(lookUps('export const of = (world, tag) => world.header.tags[tag];', properties)).toEqual([
    'world.header.tags[tag]',
  ]);
});
