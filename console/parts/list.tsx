import type { ComponentChildren } from 'preact';
import { isObject, type Json } from '../../src/model/json.ts';
import { link } from '../address/router.ts';
import { zoneName } from '../app/settings.ts';
import type { Resource } from '../live/resource.ts';
import { textOrNull } from '../picture/standing.ts';
import { Button } from './action.tsx';
import { Empty, ProblemNote } from './problem.tsx';
import { Text } from './said.tsx';
import { ListSkeleton, rememberRows } from './skeleton.tsx';

/* What the pages with lists have in common: filters that stand in the address, what is said before and without rows, and the table. */

export type Column<Row> = {
  readonly title: string;
  /** What stands in the head instead of the title. */
  readonly head?: ComponentChildren;
  /** A class of its cells. */
  readonly look?: 'number' | 'mono' | 'mono small' | 'act';
  /** Whether times of the clock stand in it: then its head says in which zone. */
  readonly hasClock?: boolean;
  readonly cell: (row: Row) => ComponentChildren;
};

/** Rows as a table; on a narrow screen each is a card. Nothing when there are none. */
export function Table<Row>({
  rows,
  columns,
  keyOf,
  isChosen,
  isDim,
}: {
  readonly rows: readonly Row[];
  readonly columns: readonly Column<Row>[];
  readonly keyOf: (row: Row) => string;
  /** Given where one of the rows can be chosen. */
  readonly isChosen?: (row: Row, i: number) => boolean;
  /** What is shown as it was, for it is not that any more. */
  readonly isDim?: (row: Row) => boolean;
}) {
  if (rows.length === 0) return null;
  return (
    <div class="scroll">
      <table class="cards-when-narrow">
        <thead>
          <tr>
            {columns.map(({ title, look, head, hasClock = false }) => (
              <th scope="col" key={title} class={look === 'number' ? look : undefined}>
                {head ?? (look === 'act' ? <span class="unseen">{title}</span> : title)}
                {hasClock && <span class="zone-name"> {zoneName()}</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, i) => (
            <tr key={keyOf(row)} aria-selected={isChosen?.(row, i)} class={isDim?.(row) ? 'gone' : undefined}>
              {columns.map(({ title, look, cell }) => (
                <td key={title} class={look} data-title={title}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** How a list stands that was asked for: its problem, that it is being read, or that nothing is in it. */
export function ListState({
  list,
  count,
  empty,
  about,
  all = null,
}: {
  readonly list: Pick<Resource, 'value' | 'problem' | 'again'>;
  readonly count: number;
  /** What is said when there are no rows; what else is offered then. */
  readonly empty: ComponentChildren;
  /** What would stand here, for who sees the page for the first time. */
  readonly about?: string | undefined;
  /** The page without its filters, when some are set. */
  readonly all?: string | null;
}) {
  const isThere = list.value.value !== undefined;
  const which = typeof empty === 'string' ? empty : '';
  if (isThere) rememberRows(which, count);
  return (
    <>
      {list.problem.value !== null && <ProblemNote problem={list.problem.value} again={() => void list.again()} />}
      {!isThere && list.problem.value === null && <ListSkeleton which={which} />}
      {isThere &&
        count === 0 &&
        (typeof empty !== 'string' ? (
          empty
        ) : (
          <Empty title={empty}>
            {about !== undefined && <p class="dim">{about}</p>}
            {all !== null && (
              <a class="button" href={link(all)}>
                Show all
              </a>
            )}
          </Empty>
        ))}
    </>
  );
}

/** From page to page of a list by its cursors. */
export function Older({
  value,
  cursor,
  word = 'More',
  set,
}: {
  readonly value: Json | undefined;
  /** Of the page that is shown; empty: the first. */
  readonly cursor: string;
  /** What leads on. */
  readonly word?: string;
  readonly set: (cursor: string) => void;
}) {
  const next = isObject(value) ? textOrNull(value['next_cursor']) : null;
  if (next === null && cursor === '') return null;
  return (
    <nav class="row" aria-label="More">
      {cursor !== '' && <Button onPress={() => set('')}>To the first</Button>}
      {next !== null && <Button onPress={() => set(next)}>{word}</Button>}
    </nav>
  );
}

/** What is wrong with an address, a line each. */
export const Complaints = ({ of }: { readonly of: readonly string[] }) => (
  <>
    {of.map((one) => (
      <p class="note warn small" key={one}>
        <Text text={one} />
      </p>
    ))}
  </>
);

/** The filters of a list; each change goes into the address at once. */
export const Filters = ({ children }: { readonly children: ComponentChildren }) => (
  <form class="row" role="search" onSubmit={(event) => event.preventDefault()}>
    {children}
  </form>
);

export const TextFilter = ({
  title,
  value,
  set,
}: {
  readonly title: string;
  readonly value: string;
  readonly set: (value: string) => void;
}) => (
  <label class="row">
    <span class="small">{title}</span>
    <input value={value} onChange={(event) => set(event.currentTarget.value.trim())} />
  </label>
);

export const ChoiceFilter = <Value extends string>({
  title,
  value,
  any,
  choices,
  set,
}: {
  readonly title: string;
  readonly value: Value | '';
  /** What it is called not to choose. */
  readonly any: string;
  readonly choices: readonly Value[];
  readonly set: (value: Value | '') => void;
}) => (
  <label class="row">
    <span class="small">{title}</span>
    <select value={value} onChange={(event) => set(event.currentTarget.value as Value | '')}>
      <option value="">{any}</option>
      {choices.map((one) => (
        <option value={one} key={one}>
          {one}
        </option>
      ))}
    </select>
  </label>
);
