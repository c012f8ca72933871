/** A FEEL expression as a tree. `at`: where it begins in its text. */
export type Feel =
  | { readonly kind: 'literal'; readonly value: null | boolean | number | string; readonly at: number }
  /** `@"…"`: a date, time or duration. */
  | { readonly kind: 'temporal'; readonly text: string; readonly at: number }
  | { readonly kind: 'name'; readonly name: string; readonly at: number }
  | { readonly kind: 'list'; readonly items: readonly Feel[]; readonly at: number }
  | { readonly kind: 'context'; readonly entries: readonly (readonly [string, Feel])[]; readonly at: number }
  /** Null: no end on this side (`< 10`). `left`, `right`: whether the end belongs to it. */
  | {
      readonly kind: 'range';
      readonly from: Feel | null;
      readonly to: Feel | null;
      readonly left: boolean;
      readonly right: boolean;
      readonly at: number;
    }
  | { readonly kind: 'negate'; readonly of: Feel; readonly at: number }
  | {
      readonly kind: 'arithmetic';
      readonly sign: '+' | '-' | '*' | '/' | '**';
      readonly left: Feel;
      readonly right: Feel;
      readonly at: number;
    }
  | {
      readonly kind: 'compare';
      readonly sign: '=' | '!=' | '<' | '<=' | '>' | '>=';
      readonly left: Feel;
      readonly right: Feel;
      readonly at: number;
    }
  | {
      readonly kind: 'logic';
      readonly sign: 'and' | 'or';
      readonly left: Feel;
      readonly right: Feel;
      readonly at: number;
    }
  | { readonly kind: 'between'; readonly of: Feel; readonly low: Feel; readonly high: Feel; readonly at: number }
  | { readonly kind: 'in'; readonly of: Feel; readonly tests: readonly Test[]; readonly at: number }
  | { readonly kind: 'instance'; readonly of: Feel; readonly type: FeelType; readonly at: number }
  | { readonly kind: 'if'; readonly when: Feel; readonly then: Feel; readonly otherwise: Feel; readonly at: number }
  | {
      readonly kind: 'for';
      readonly over: readonly Iteration[];
      readonly give: Feel;
      readonly at: number;
    }
  | {
      readonly kind: 'some' | 'every';
      readonly over: readonly Iteration[];
      readonly give: Feel;
      readonly at: number;
    }
  | { readonly kind: 'path'; readonly of: Feel; readonly name: string; readonly at: number }
  | { readonly kind: 'filter'; readonly of: Feel; readonly by: Feel; readonly at: number }
  | {
      readonly kind: 'call';
      readonly name: string;
      readonly given: readonly Feel[];
      /** Names of the arguments, or null when they are given by place. */
      readonly names: readonly string[] | null;
      readonly at: number;
    };

/** `in` of one value: a comparison with it, or membership in what an expression gives. */
export type Test =
  | { readonly kind: 'compare'; readonly sign: '=' | '!=' | '<' | '<=' | '>' | '>='; readonly with: Feel }
  | { readonly kind: 'value'; readonly of: Feel };

export type Iteration = {
  readonly name: string;
  readonly from: Feel;
  /** Not null: from, from ± 1, … to. */
  readonly to: Feel | null;
};

export type FeelType = { readonly name: string; readonly of: readonly FeelType[]; readonly keys: readonly string[] };
