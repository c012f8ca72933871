import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Case } from '../conformance/cases.ts';

/*
 * The 43 control-flow patterns and the recipes of docs/cookbook.md: cases as those of the conformance corpus, with a text about each, and a
 * clock that stands but where the script moves it. All were run on Ruote 2.3.1 too.
 */

export type Told = Case & {
  readonly title: string;
  readonly told: 'pattern' | 'recipe';
  /** Patterns: their numbers. */
  readonly patterns?: readonly number[];
  /** Recipes: what would go wrong with the form that comes to mind first. */
  readonly naive?: string;
  /** The participants in the order in which they are called; with `order: partial` any order. */
  readonly see: readonly string[];
};

export type Pattern = {
  readonly number: number;
  readonly name: string;
  readonly group: string;
  readonly support: 'yes' | 'with a mutex' | 'closest';
  readonly remark?: string;
  readonly case: string;
};

const folder = import.meta.dirname;

export const patterns = JSON.parse(readFileSync(join(folder, 'patterns.json'), 'utf8')) as readonly Pattern[];

export function readTold(): readonly Told[] {
  return ['patterns', 'recipes'].flatMap((group) =>
    readdirSync(join(folder, group))
      .sort()
      .map((file) => {
        const { kind, ...read } = JSON.parse(readFileSync(join(folder, group, file), 'utf8')) as Written;
        return { ...read, group, told: kind, kind: 'same' as const, format: 'radial' as const, stands: true as const };
      }),
  );
}

/** As it stands in a file. */
type Written = Omit<Told, 'told' | 'kind' | 'group' | 'format' | 'stands'> & { readonly kind: Told['told'] };

export const pathOf = ({ group, name }: Pick<Told, 'group' | 'name'>): string => join(folder, group, `${name}.json`);
