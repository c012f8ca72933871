import type { Tree } from '../../model/tree.ts';
import { shortened } from '../complaint.ts';
import type { Limits } from '../limits.ts';
import { type Budget, checkProcess, newBudget, type Trouble } from './check.ts';
import { type Doubt, doubtsOf } from './doubts.ts';
import { type Element, readElements } from './elements.ts';
import { attributeOf, type Definitions, modelOf, type ScopeModel } from './model.ts';
import { bpmnTree } from './tree.ts';

export { looksLikeBpmn } from './elements.ts';

export type BpmnOptions = {
  /** The id of the process to run; null: the only one that can be. */
  readonly process: string | null;
  /** The id of the start event to begin with; null: all none start events. */
  readonly start: string | null;
};

export type BpmnReading =
  | { readonly ok: true; readonly tree: Tree; readonly doubts: readonly Doubt[] }
  | { readonly ok: false; readonly troubles: readonly Trouble[] };

/**
 * Reads a BPMN file and makes the tree of one of its processes.
 *
 * @throws Refusal when the text is no XML
 */
export function readBpmn(text: string, limits: Limits, options: BpmnOptions): BpmnReading {
  const root = readElements(text, limits);
  const definitions = modelOf(root);
  const chosen = chooseProcess(definitions, options.process);
  if ('message' in chosen) {
    const [only] = definitions.processes;
    const more = only !== undefined && definitions.processes.length === 1 && options.process === null;
    return { ok: false, troubles: more ? [chosen, ...checkProcess(only, definitions)] : [chosen] };
  }
  const start = options.start;
  if (start !== null && !chosen.nodes.some((node) => node.id === start && node.type === 'startEvent')) {
    const starts = chosen.nodes.filter(({ type }) => type === 'startEvent').map(({ id }) => id);
    return {
      ok: false,
      troubles: [trouble(chosen.element, `there is no start event "${shortened(start)}"; there is ${listed(starts)}`)],
    };
  }
  const budget = newBudget();
  const troubles = [...checkProcess(chosen, definitions, budget), ...checkCalled(chosen, definitions, budget)];
  if (troubles.length > 0) return { ok: false, troubles };
  return { ok: true, tree: bpmnTree(chosen, definitions, { start }), doubts: doubtsOf(chosen) };
}

const trouble = (element: Element, message: string): Trouble => ({
  element,
  id: attributeOf(element, 'id') || `<${element.local}> without id`,
  message,
});

const listed = (ids: readonly string[]): string =>
  ids.length === 0
    ? 'none'
    : ids
        .slice(0, 20)
        .map((id) => `"${shortened(id)}"`)
        .join(', ');

function chooseProcess({ root, processes }: Definitions, named: string | null): ScopeModel | Trouble {
  const ids = processes.map(({ id }) => id);
  if (named !== null)
    return (
      processes.find(({ id }) => id === named) ??
      trouble(root, `there is no process "${shortened(named)}"; there is ${listed(ids)}`)
    );
  if (processes.length === 0) return trouble(root, 'there is no process');
  const able = processes.filter(({ element }) => attributeOf(element, 'isExecutable') !== 'false');
  const [only] = able;
  if (only !== undefined && able.length === 1) return only;
  if (able.length > 1)
    return trouble(
      root,
      `there are several executable processes; name one in "process": ${listed(able.map(({ id }) => id))}`,
    );
  const [first] = processes;
  return processes.length === 1 && first !== undefined
    ? trouble(
        first.element,
        `process "${shortened(first.id)}" is not executable; name it in "process" to run it all the same`,
      )
    : trouble(
        root,
        `none of the processes is executable; name one in "process" to run it all the same: ${listed(ids)}`,
      );
}

/** Processes of the same file that are called are run, too. */
function checkCalled(process: ScopeModel, definitions: Definitions, budget: Budget): readonly Trouble[] {
  const names = new Set<string>();
  const visit = (element: Element): void => {
    for (const child of element.children) {
      if (child.local === 'callActivity') names.add(attributeOf(child, 'calledElement'));
      if (child.local === 'calledElement') names.add(attributeOf(child, 'processId'));
      visit(child);
    }
  };
  visit(process.element);
  return definitions.processes
    .filter((each) => each !== process && names.has(each.id))
    .flatMap((each) => checkProcess(each, definitions, budget));
}
