import { readdirSync, readFileSync } from 'node:fs';
import type { Json, JsonObject } from '../../src/model/json.ts';

export type Behaviour = {
  readonly reply?: JsonObject;
  readonly hold?: true;
  readonly fail?: string;
  readonly bpmn_error?: string;
  readonly fields?: JsonObject;
};
export type ScriptStep = {
  readonly after_dispatch?: string;
  readonly nth?: number;
  readonly do?: 'message' | 'signal' | 'advance' | 'proceed' | 'cancel_workflow';
  readonly name?: string;
  readonly key?: string;
  readonly fields?: JsonObject;
  readonly seconds?: number;
};
export type Dispatch = {
  readonly participant: string;
  readonly element: string;
  readonly fields?: Json;
  readonly optional?: true;
};
export type Case = {
  readonly name: string;
  readonly about: string;
  readonly group: string;
  readonly file: string;
  readonly text: string;
  readonly also: readonly { readonly name: string; readonly text: string }[];
  readonly process: string | null;
  readonly validate: boolean;
  readonly fields: JsonObject;
  readonly callbacks: readonly string[] | null;
  readonly participants: { readonly [name: string]: readonly Behaviour[] };
  readonly script: readonly ScriptStep[];
  readonly expect: {
    readonly outcome?: 'completed' | 'cancelled' | 'running' | 'error' | 'refused';
    readonly valid?: boolean;
    readonly dispatches?: readonly Dispatch[];
    readonly order?: 'total' | 'partial';
    readonly before?: readonly (readonly [string, string])[];
    readonly cancels?: readonly {
      readonly participant: string;
      readonly element: string;
      readonly status: string;
      readonly optional?: true;
    }[];
    readonly ends?: readonly string[];
    readonly final_fields?: JsonObject;
    readonly errors?: readonly { readonly element: string; readonly class: string; readonly message: string }[];
    readonly remaining?: readonly string[];
    readonly refused?: readonly { readonly element: string; readonly message: string; readonly line?: number }[];
  };
};

const root = new URL('cases/', import.meta.url);
const GROUPS = ['lib-bpmn-engine', 'camunda7', 'miwg', 'rota'];

/** Every case, by group and name. */
export function readCases(): readonly Case[] {
  return GROUPS.flatMap((group) => {
    const folder = new URL(`${group}/`, root);
    const text = (file: string): string => readFileSync(new URL(file, folder), 'utf8');
    return readdirSync(folder)
      .filter((file) => file.endsWith('.json'))
      .map((file): Case => {
        const one = JSON.parse(text(file)) as Omit<Case, 'group' | 'text' | 'also'> & {
          readonly also?: readonly { readonly name: string; readonly file: string }[];
        };
        return {
          ...one,
          group,
          text: text(one.file),
          also: (one.also ?? []).map((each) => ({ name: each.name, text: text(each.file) })),
          process: one.process ?? null,
          validate: one.validate ?? false,
          callbacks: one.callbacks ?? null,
          participants: one.participants ?? {},
          script: one.script ?? [],
        };
      });
  });
}

/** What a case is about: the elements of its diagram, what its script does, and how it ends. */
export function kindsOf(one: Case): readonly string[] {
  const elements = one.text.matchAll(/<(?:\w+:)?(\w+)[\s/>]/g);
  return [
    `group ${one.group}`,
    `outcome ${one.validate ? 'validated' : one.expect.outcome}`,
    ...one.script.flatMap((step) => (step.do === undefined ? [] : [`script ${step.do}`])),
    // What is only drawn is about nothing.
    ...new Set([...elements].map(([, name = '']) => name).filter((name) => !/^(BPMN|Bounds|waypoint)/.test(name))),
  ];
}
