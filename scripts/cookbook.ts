import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readDefinition } from '../src/definition/read.ts';
import { isObject, type Json } from '../src/model/json.ts';
import type { Tree } from '../src/model/tree.ts';
import { EXPRESSION_NAMES } from '../src/model/vocabulary.ts';
import type { Behaviour, ScriptStep } from '../test/conformance/cases.ts';
import { patterns, readTold, type Told } from '../test/patterns/cases.ts';

/*
 * `npm run docs` (among others): writes docs/patterns.md, docs/cookbook.md and examples/recipes from the tested files in test/patterns, so that text and test
 * cannot part. test/documents/cookbook.test.ts fails when they are not as made.
 */

const root = join(import.meta.dirname, '..');
const told = readTold();
const byName = new Map(told.map((one) => [one.name, one]));

/** Where each recipe stands in the cookbook, and the question it answers. */
const RECIPES: readonly (readonly [group: string, recipes: readonly (readonly [name: string, question: string])[]])[] =
  [
    [
      'Approvals',
      [
        ['approval-with-reminders', 'remind somebody, and ask their superior in the end?'],
        ['four-eyes', 'make sure that somebody else signs?'],
        ['veto', 'let one no end a vote?'],
        ['quorum', 'go on when two of three said yes?'],
        ['correct-an-answer', 'send something back to the one who made a mistake?'],
        ['content-pipeline', 'review a text a few times and publish it at a date?'],
      ],
    ],
    [
      'Time',
      [
        ['wait-for-a-date', 'wait for a date that stands in the data?'],
        ['deadline-for-all', 'give the whole workflow a deadline?'],
        ['move-a-date', 'move a date that is waited for?'],
        ['payment-timeout', 'undo a reservation when nobody pays in time?'],
        ['best-offer-by-deadline', 'take what has come by a deadline?'],
        ['daily-digest', 'do something every morning?'],
        ['mail-sequence', 'send a series of mails that stops by itself?'],
        ['polling', 'ask again and again until a job is done?'],
        ['rate-limited-fan-out', 'send not more than one a second?'],
      ],
    ],
    [
      'Many items',
      [
        ['collect-results', 'run a step for each element of a list and gather the answers?'],
        ['collect-failures', 'go on when single elements fail?'],
        ['cheapest-offer', 'ask many and keep the best answer?'],
        ['worker-pool', 'limit how many are at work at once?'],
        ['onboarding', 'do things side by side and keep what each found out?'],
      ],
    ],
    [
      'Errors and undo',
      [
        ['retry-then-human', 'try again with growing delays, then let a person repair it?'],
        ['repair-and-redo', 'mend the data and run the step again?'],
        ['saga', 'undo what was done when a later step fails?'],
        ['clean-up-on-cancel', 'clean up when somebody cancels?'],
        ['withdraw-by-tag', 'stop a part of a workflow and go on elsewhere?'],
      ],
    ],
    [
      'People',
      [
        ['hand-over', 'let somebody hand a task on?'],
        ['first-to-claim', 'give a task to whoever takes it first?'],
        ['on-call-chain', 'wake the next one when nobody answers?'],
        ['participant-from-a-field', 'take from the data who does it?'],
      ],
    ],
    [
      'Data',
      [
        ['ab-routing', 'choose a way by a value?'],
        ['conditional-skip', 'leave a step out?'],
        ['clean-data', 'check data before anybody works on it?'],
        ['keep-from-an-expert', 'keep data from somebody?'],
      ],
    ],
    [
      'Between workflows and inside them',
      [
        ['nested-sub-processes', 'use a part several times, with data of its own?'],
        ['signal-between-workflows', 'let one workflow wait for another?'],
      ],
    ],
  ];

const NOTE = 'Made from the tested files in test/patterns by `npm run docs`; change it there.';

/** docs/patterns.md */
export function patternsPage(): string {
  const rows = patterns.map(({ number, name, support, case: file }) => {
    const one = caseOf(file);
    return `| [${number}](#${anchor(`WCP-${number} ${name}`)}) | ${name} | ${expressionsOf(one)} | ${support} |`;
  });
  const sections = patterns.map(({ number, name, remark, case: file }) => {
    const one = caseOf(file);
    return [
      `## WCP-${number} ${name}`,
      one.about,
      fenced('radial', one.definition),
      happening(one),
      ...(remark === undefined ? [] : [remark]),
    ].join('\n\n');
  });
  return `# Control-flow patterns

The 43 patterns of van der Aalst, Russell, ter Hofstede and others (2003, 2006), each as a definition that is run by the tests, here as on Ruote
2.3.1. 39 are said plainly, two with a mutex; two have only a closest form, since a tree joins its own branches only: BPMN says those better
([bpmn.md](bpmn.md)). ${NOTE}

| | Pattern | Said with | Support |
|---|---|---|---|
${rows.join('\n')}

${sections.join('\n\n')}
`;
}

/** docs/cookbook.md */
export function cookbookPage(): string {
  const listed = new Set(RECIPES.flatMap(([, recipes]) => recipes.map(([name]) => name)));
  const missing = told.filter((one) => one.told === 'recipe' && !listed.has(one.name)).map(({ name }) => name);
  if (missing.length > 0) throw new Error(`scripts/cookbook.ts has no place for ${missing.join(', ')}`);
  const questions = RECIPES.map(([group, recipes]) =>
    [`**${group}**`, '', ...recipes.map(([name, question]) => `- [${question}](#${anchor(caseOf(name).title)})`)].join(
      '\n',
    ),
  );
  const sections = RECIPES.map(([group, recipes]) =>
    [`## ${group}`, ...recipes.map(([name]) => recipe(caseOf(name)))].join('\n\n'),
  );
  return `# Cookbook

Small workflows of the kind that people really build. Each is run by the tests, here as on Ruote 2.3.1, so take one
(\`rota new <name>\` writes it, \`rota new\` lists them; in a clone of this project \`npx rota new\`) and change it. ${NOTE}

The lines with \`curl\` launch it on a server as [README](../README.md) starts it; its tour shows a participant that prints what it is sent, and how it answers. A form says texts
only: where fields are numbers or times, \`jq\` makes JSON of them.

How do I …

${questions.join('\n\n')}

${sections.join('\n\n')}
`;
}

function recipe(one: Told): string {
  return [
    `### ${one.title}`,
    one.about,
    fenced('radial', one.definition),
    launch(one),
    happening(one),
    `*The naive form.* ${one.naive ?? ''}`,
  ].join('\n\n');
}

function launch({ name, fields }: Told): string {
  const file = `${name}.radial`;
  const callback = 'http://localhost:1234/callbacks';
  const at = 'http://127.0.0.1:8080/v1/workflows';
  if (Object.keys(fields).length === 0)
    return fenced('sh', `curl ${at} --data-urlencode workflow@${file} -d callback=${callback}`);
  const pairs = Object.entries(fields).map(([key, value]) => pairsOf(`fields[${key}]`, value));
  if (!pairs.includes(null))
    return fenced(
      'sh',
      [
        `curl ${at} --data-urlencode workflow@${file} -d callback=${callback}`,
        ...pairs.flatMap((pair) => pair ?? []).map((pair) => `  --data-urlencode '${pair.replaceAll("'", "'\\''")}'`),
      ].join(' \\\n'),
    );
  // A time some days from now is worked out when it is run.
  const json = JSON.stringify(fields)
    .replaceAll("'", '\\u0027')
    .replaceAll(/"<in (\d+)d>"/g, '(now + $1 * 86400 | strftime("%Y-%m-%d %H:%M:%S UTC"))');
  return fenced(
    'sh',
    `jq -Rs '{ workflow: ., callback: "${callback}", fields: ${json} }' ${file} |
  curl ${at} -H 'Content-Type: application/json' -d @-`,
  );
}

/** A field as pairs of a form, where every value is a text. Null: a form cannot say it. */
function pairsOf(key: string, value: Json): readonly string[] | null {
  if (typeof value === 'string') return /^<in \d+d>$/.test(value) ? null : [`${key}=${value}`];
  if (!Array.isArray(value) || value.length === 0) return null;
  return value.every((item) => typeof item === 'string') ? value.map((item) => `${key}[]=${item}`) : null;
}

/** What a case does, from what it is held to. */
function happening(one: Told): string {
  const { dispatches, cancels, final_fields: fields } = one.expect;
  const seen = new Map<string, number>();
  const lines = dispatches.map((message, index) => {
    const nth = (seen.get(message.participant) ?? 0) + 1;
    seen.set(message.participant, nth);
    const workflow = message.workflow === undefined ? '' : ` in workflow ${message.workflow}`;
    return `${index + 1}. \`${message.participant}\`${workflow}${given(message.fields ?? {})}: ${answerOf(one, message.participant, nth)}`;
  });
  const order =
    one.order === 'partial' && dispatches.length > 1
      ? 'Called, some of them side by side:'
      : 'Called, one after the other:';
  const steps = one.script.flatMap((step) => scriptLine(step));
  const notices = cancels.map(({ participant, status }) => `\`${participant}\` (${status ?? 'cancel'})`);
  return [
    dispatches.length === 0 ? 'Nobody is called.' : `${order}\n\n${lines.join('\n')}`,
    ...(steps.length === 0 ? [] : [`From outside: ${steps.join('; ')}.`]),
    ...(notices.length === 0 ? [] : [`Told that their work is not wanted any more: ${notices.join(', ')}.`]),
    `At the end the workflow is \`${one.expect.status ?? one.expect.outcome}\`${fields === null || Object.keys(fields).length === 0 ? '.' : `, with the fields \`${shortJson(fields)}\`.`}`,
  ].join('\n\n');
}

function answerOf({ participants, script }: Told, participant: string, nth: number): string {
  const all: readonly Behaviour[] = Object.hasOwn(participants, participant) ? (participants[participant] ?? []) : [];
  const one = all[Math.min(nth, all.length) - 1] ?? { reply: {} };
  if (one.fail !== undefined) return `fails with "${one.fail}"`;
  if (one.hold === true) {
    const isAnswered = script.some(
      (step) => (step.participant ?? step.after_dispatch) === participant && step.do !== undefined,
    );
    return isAnswered ? 'takes its time' : 'does not answer';
  }
  const reply = one.reply ?? {};
  return Object.keys(reply).length === 0 ? 'answers' : `answers \`${shortJson(reply)}\``;
}

function given(fields: Readonly<Record<string, Json>>): string {
  const { params } = fields;
  if (!isObject(params)) return '';
  const { ref: _, ...rest } = params;
  return Object.keys(rest).length === 0 ? '' : ` with \`${shortJson(rest)}\``;
}

function scriptLine(step: ScriptStep): readonly string[] {
  const who = step.participant ?? step.after_dispatch;
  const fields =
    step.fields !== undefined && Object.keys(step.fields).length > 0 ? ` \`${shortJson(step.fields)}\`` : '';
  if (step.advance !== undefined) return [`${step.advance} pass`];
  if (step.advance_to !== undefined) return [`it becomes ${step.advance_to}`];
  switch (step.do) {
    case 'proceed':
      return [`\`${who}\` answers${fields}`];
    case 'fail':
      return [`\`${who}\` fails with "${step.message ?? ''}"`];
    case 'cancel_workflow':
      return ['the workflow is cancelled'];
    case 'kill_workflow':
      return ['the workflow is killed'];
    case 'launch':
      return ['another workflow is launched'];
    default:
      return [];
  }
}

const SHOWN_MAX = 300;
function shortJson(value: Json): string {
  const text = JSON.stringify(value);
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
}

/** Where expressions, or with a colon behind their names attributes, are seen at work: links into the cookbook, or where no recipe has it into the patterns. */
export function seenAtWork(names: readonly string[]): readonly string[] {
  const links = (kind: Told['told'], link: (one: Told) => readonly string[]): readonly string[] =>
    told.filter((one) => one.told === kind && names.some((name) => usedIn(one).has(name))).flatMap(link);
  const recipes = links('recipe', ({ title }) => [`[${title}](cookbook.md#${anchor(title)})`]);
  if (recipes.length > 0) return recipes.slice(0, SEEN_MAX);
  const ofPattern = new Map(patterns.map(({ number, name, case: file }) => [file, `WCP-${number} ${name}`]));
  return links('pattern', (one) => {
    const title = ofPattern.get(one.name);
    return title === undefined ? [] : [`[${title}](patterns.md#${anchor(title)})`];
  }).slice(0, SEEN_MAX);
}
/** Links that one page shows. */
const SEEN_MAX = 6;

const used = new Map<Told, ReadonlySet<string>>();
/** Heads of expressions, and names of attributes with a colon. */
function usedIn(one: Told): ReadonlySet<string> {
  const known = used.get(one);
  if (known !== undefined) return known;
  const read = readDefinition(one.definition);
  if (!read.ok) throw new Error(`A case cannot be read: ${one.definition}`);
  const names = new Set<string>();
  const visit = (tree: Tree): void => {
    names.add(tree.name);
    for (const attribute of tree.attributes.keys()) names.add(`${attribute}:`);
    tree.children.forEach(visit);
  };
  visit(read.tree);
  used.set(one, names);
  return names;
}

function expressionsOf({ definition }: Told): string {
  const read = readDefinition(definition);
  if (!read.ok) throw new Error(`A pattern cannot be read: ${definition}`);
  const names = new Set<string>();
  const visit = (tree: Tree): void => {
    if (EXPRESSION_NAMES.has(tree.name) && tree.name !== 'define' && tree.name !== 'participant') names.add(tree.name);
    for (const attribute of ['timeout', 'tag', 'forget', 'on_error', 'on_cancel', 'timers', 'lose'])
      if (tree.attributes.has(attribute)) names.add(`${attribute}:`);
    tree.children.forEach(visit);
  };
  visit(read.tree);
  return [...names].map((name) => `\`${name}\``).join(', ') || 'one line after the other';
}

function caseOf(name: string): Told {
  const one = byName.get(name);
  if (one === undefined) throw new Error(`There is no case ${name} in test/patterns`);
  return one;
}

const fenced = (language: string, text: string): string => `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;
/** As GitHub makes them. */
const anchor = (title: string): string =>
  title
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\- ]/gu, '')
    .replaceAll(' ', '-');

/** The files to make: both pages, and each recipe to begin with (`rota new`). */
export const PAGES: Readonly<Record<string, () => string>> = {
  'docs/patterns.md': patternsPage,
  'docs/cookbook.md': cookbookPage,
  ...Object.fromEntries(
    told
      .filter((one) => one.told === 'recipe')
      .map(({ name, title, about, definition }) => [
        `examples/recipes/${name}.radial`,
        () => `# ${title}\n# ${about}\n# docs/cookbook.md tells more.\n${definition}`,
      ]),
  ),
};

if (process.argv[1] === import.meta.filename)
  for (const [file, page] of Object.entries(PAGES)) writeFileSync(join(root, file), page());
