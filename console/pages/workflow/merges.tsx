import type { Json } from '../../../src/model/json.ts';
import { Table } from '../../parts/list.tsx';
import { Text } from '../../parts/said.tsx';
import { countText } from '../../parts/texts.ts';
import type { Branch, Merge, Met } from '../../picture/merges.ts';
import type { Setting } from '../../picture/told.ts';
import type { State } from './page.tsx';

/** Branches that stand side by side, fields of one merge, and characters of a value. */
const BRANCHES_MAX = 6;
const FIELDS_MAX = 50;
const VALUE_SHOWN = 80;

/** Which branch is on top, in words. */
const ON_TOP: { readonly [order: string]: string } = {
  first: 'the first to reply',
  last: 'the last to reply',
  highest: 'the one that stands first',
  lowest: 'the one that stands last',
};
const WAYS: { readonly [type: string]: string } = {
  override: 'goes on alone',
  mix: 'lies on top of the others',
};

/** Where branches met: a column a branch, and what the merge made of them. */
export function Merges({
  merges,
  over,
  isFound = () => true,
  isBeside = false,
  set,
}: {
  readonly merges: readonly Merge[];
  /** Whether the workflow is over: then nobody is waited for. */
  readonly over: boolean;
  readonly isFound?: (name: string) => boolean;
  /** Whether it stands beside the picture, where there is no room for columns. */
  readonly isBeside?: boolean;
  readonly set: (change: Partial<State>) => void;
}) {
  return (
    <>
      {merges.map((one) => (
        <MergeView key={one.id} merge={one} over={over} isFound={isFound} isBeside={isBeside} set={set} />
      ))}
    </>
  );
}

function MergeView({
  merge,
  over,
  isFound,
  isBeside,
  set,
}: {
  readonly merge: Merge;
  readonly over: boolean;
  readonly isFound: (name: string) => boolean;
  readonly isBeside: boolean;
  readonly set: (change: Partial<State>) => void;
}) {
  const { place, branches, order, type, isKnown, to } = merge;
  const fields = merge.fields.filter(({ name }) => isFound(name));
  const given = branches.map((branch, i) => ({ branch, i })).filter(({ branch }) => branch.given.size > 0);
  const shown = given.slice(0, BRANCHES_MAX);
  const replied = branches.filter(({ arrival }) => arrival !== null).length;
  const isWaiting = to === null && !over;
  const last = isWaiting ? 'So far' : 'Merged';
  return (
    <section class="panel stack tight" aria-label={`Branches of ${place.title} ${place.expid}`}>
      <h3 class="row">
        <button type="button" class="more-link" onClick={() => set({ sel: merge.id, view: 'diagram' })}>
          <Text text={place.title} /> <span class="mono dim">{place.expid}</span>
        </button>
        <span class="small dim">
          {isWaiting
            ? `${countText(replied)} of ${countText(branches.length)} have replied`
            : `${countText(replied)} of ${countText(branches.length)} replied`}
          {to !== null && (
            <>
              , merged at{' '}
              <button type="button" class="more-link number" onClick={() => set({ at: to })}>
                #{countText(to)}
              </button>
            </>
          )}
        </span>
      </h3>
      <p class="small">
        {type === '' || order === '' ? (
          'How they are merged is computed by the definition.'
        ) : (
          <>
            <span class="mono">merge_type: {type}</span>
            {WAYS[type] !== undefined && `: ${ON_TOP[order] ?? order} ${WAYS[type]}`}
          </>
        )}
        {isWaiting && replied > 0 && isKnown ? ' So far it is what came of those that have replied.' : ''}
      </p>
      {isBeside ? (
        <ul class="told-fields small">
          {fields.slice(0, FIELDS_MAX).map((met) => (
            <li key={met.name}>
              <p class="mono">
                <Text text={met.name} />
              </p>
              {shown.map(({ branch, i }) => (
                <p class="told-line" key={branch.index}>
                  <span />
                  <span>
                    <Text text={headOf(branch, branches)} />
                  </span>
                  <span>
                    <Gift of={met.values[i] ?? null} set={set} />
                  </span>
                </p>
              ))}
              <p class="told-line added">
                <span aria-hidden="true">=</span>
                <span>{last}</span>
                <span>
                  <Result of={met} merge={merge} replied={replied} />
                </span>
              </p>
            </li>
          ))}
        </ul>
      ) : (
        <Table
          rows={fields.slice(0, FIELDS_MAX)}
          keyOf={({ name }) => name}
          columns={[
            { title: 'Field', look: 'mono', cell: ({ name }: Met) => <Text text={name} /> },
            ...shown.map(({ branch, i }) => ({
              title: headOf(branch, branches),
              cell: ({ values }: Met) => <Gift of={values[i] ?? null} set={set} />,
            })),
            {
              title: last,
              look: 'mono small' as const,
              cell: (met: Met) => <Result of={met} merge={merge} replied={replied} />,
            },
          ]}
        />
      )}
      {fields.length === 0 && <p class="small dim">None of its fields is called so.</p>}
      {(given.length > shown.length || fields.length > FIELDS_MAX) && (
        <p class="note warn small">
          {given.length > shown.length &&
            `The first ${BRANCHES_MAX} of ${countText(given.length)} branches are shown; all of them are in what was merged. `}
          {fields.length > FIELDS_MAX && `The first ${FIELDS_MAX} of ${countText(fields.length)} fields are shown.`}
        </p>
      )}
    </section>
  );
}

/** What became of a field. */
function Result({
  of: { merged },
  merge: { isKnown },
  replied,
}: {
  readonly of: Met;
  readonly merge: Merge;
  readonly replied: number;
}) {
  if (!isKnown) return <span class="dim">not known</span>;
  if (replied === 0) return <span class="dim">to come</span>;
  if (merged === undefined) return <span class="dim">–</span>;
  return (
    <b>
      <Text text={shortOf(merged)} />
    </b>
  );
}

/** Its name, which of those it is where several are called alike, and when it replied. */
function headOf({ name, index, arrival }: Branch, all: readonly Branch[]): string {
  const alike = all.filter((one) => one.name === name).length > 1 ? ` ${index + 1}` : '';
  return `${name}${alike}${arrival === null ? ', not merged' : `, replied ${ordinal(arrival)}`}`;
}
const ORDINALS = ['first', 'second', 'third'];
const ordinal = (n: number): string => ORDINALS[n - 1] ?? `as number ${countText(n)}`;

function shortOf(value: Json): string {
  const text = JSON.stringify(value);
  return text.length > VALUE_SHOWN ? `${text.slice(0, VALUE_SHOWN)}…` : text;
}

function Gift({ of, set }: { readonly of: Setting | null; readonly set: (change: Partial<State>) => void }) {
  if (of === null) return <span class="dim">–</span>;
  return (
    <>
      <span class="mono small">
        <Text text={shortOf(of.value)} />
      </span>{' '}
      <span class="dim small">
        <button type="button" class="more-link number" onClick={() => set({ at: of.n })}>
          #{countText(of.n)}
        </button>{' '}
        <Text text={of.who} />
      </span>
    </>
  );
}
