import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Fields } from '../../src/model/json.ts';
import { EXPRESSION_NAMES } from '../../src/model/vocabulary.ts';

/* The cases of this folder as data; README.md beside this file tells what each key means. */

export type Behaviour = {
  readonly reply?: Fields;
  readonly hold?: boolean;
  readonly fail?: string;
  readonly missing_callback?: boolean;
};

export type ScriptStep = {
  readonly sleep?: number;
  /** Only where the clock stands: moves it by a duration, or to the next time of this name, such as `07:30` (UTC). */
  readonly advance?: string;
  readonly advance_to?: string;
  readonly after_dispatch?: string;
  readonly nth?: number;
  readonly do?: 'proceed' | 'fail' | 'cancel_workflow' | 'kill_workflow' | 'launch';
  readonly participant?: string;
  readonly target_nth?: number;
  readonly fields?: Fields;
  readonly message?: string;
  readonly definition?: string;
};

export type ExpectedMessage = {
  readonly participant: string;
  readonly expid: string;
  readonly fields?: Fields;
  readonly workflow?: number;
};
export type ExpectedNotice = ExpectedMessage & { readonly status?: string; readonly optional?: boolean };
export type ExpectedError = { readonly expid: string; readonly class: string; readonly message: string };
export type Outcome = 'terminated' | 'error' | 'running' | 'launch_error';

export type Expected = {
  readonly dispatches: readonly ExpectedMessage[];
  readonly cancels: readonly ExpectedNotice[];
  readonly outcome: Outcome;
  /** How the workflow ended; only told by patterns and recipes. */
  readonly status?: string;
  readonly final_fields: Fields | null;
  readonly errors: readonly ExpectedError[];
  readonly remaining: readonly string[];
};

export type Case = {
  readonly group: string;
  readonly name: string;
  readonly about: string;
  readonly notes?: string;
  readonly kind: 'same' | 'better';
  readonly fix?: string;
  readonly format: 'radial' | 'xml' | 'json';
  readonly order: 'total' | 'partial';
  readonly definition: string;
  readonly fields: Fields;
  readonly participants: { readonly [name: string]: readonly Behaviour[] };
  readonly script: readonly ScriptStep[];
  readonly run_for?: number;
  /** The clock stands but where the script moves it. */
  readonly stands?: true;
  /** Steps of the script that have nothing to act on, by design. */
  readonly script_notes?: number;
  readonly expect: Expected;
};

const folder = join(dirname(fileURLToPath(import.meta.url)), 'cases');

/** Every case, by group then file name; `group` and `name` narrow them down (both exact, null: all). */
export function readCases(group: string | null = null, name: string | null = null): readonly Case[] {
  return readdirSync(folder)
    .sort()
    .filter((each) => group === null || each === group)
    .flatMap((each) =>
      readdirSync(join(folder, each))
        .filter((file) => file.endsWith('.json') && (name === null || file === `${name}.json`))
        .sort()
        .map((file) => {
          const text = readFileSync(join(folder, each, file), 'utf8');
          return { ...(JSON.parse(text) as Omit<Case, 'group'>), group: each, name: file.slice(0, -'.json'.length) };
        }),
    );
}

/** True when the text or the second text of a case mentions one of the expression names (used while expressions are missing). */
export function mentions(one: Case, names: readonly string[]): boolean {
  const texts = [one.definition, ...one.script.map((step) => step.definition ?? '')];
  return names.some((name) =>
    texts.some((text) => new RegExp(`(?<![\\w-])${name.replaceAll('_', '[_-]')}(?![\\w-])`).test(text)),
  );
}

/** What a case is about: its group, the expressions it names, how its definition is written, what its script does, and how it ends. */
export function kindsOf(one: Case): readonly string[] {
  const words = [one.definition, ...one.script.map((step) => step.definition ?? '')].join('\n').match(/\w+/g) ?? [];
  return [
    `group ${one.group}`,
    `format ${one.format}`,
    `outcome ${one.expect.outcome}`,
    ...one.script.flatMap((step) => (step.do === undefined ? [] : [`script ${step.do}`])),
    ...[...new Set(words)].filter((word) => EXPRESSION_NAMES.has(word)),
  ];
}
