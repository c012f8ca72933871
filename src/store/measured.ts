import type { Reads, Store, Transaction } from './store.ts';
import type { Tables } from './tables/all.ts';

/*
 * One way round every call of the store, for whoever counts them, times them or draws them in a trace. A part that is added to the store is
 * measured without a line here.
 */

/** The functions of a part that answer with a promise; and those that answer at once. */
type Later<Part> = {
  [Name in keyof Part & string]: NonNullable<Part[Name]> extends (...given: never[]) => Promise<unknown> ? Name : never;
}[keyof Part & string];
type AtOnce<Part> = {
  [Name in keyof Part & string]: NonNullable<Part[Name]> extends (...given: never[]) => unknown
    ? Exclude<Name, Later<Part>>
    : never;
}[keyof Part & string];

type Parts = Tables & { readonly read: Reads };
type InParts<Which extends 'later' | 'at once'> = {
  [Part in keyof Parts & string]: `${Part}.${Which extends 'later' ? Later<Parts[Part]> : AtOnce<Parts[Part]>}`;
}[keyof Parts & string];

/** A call by its name: `begin`, `nodes.beat`, `read.workflows`, and `transaction.commit` for those of a transaction. There are some sixty. */
export type StoreCall =
  | Later<Store>
  | InParts<'later'>
  | `read.recorded.${Later<NonNullable<Reads['recorded']>>}`
  | `transaction.${Later<Transaction>}`;

/** Is in the way of each call: runs it once, and hands on what it answers or throws. */
export type AroundCall = <Answer>(call: StoreCall, run: () => Promise<Answer>) => Promise<Answer>;

/** What answers at once is no trip to the database. The list is whole, or it does not compile. */
const AT_ONCE: { readonly [Call in AtOnce<Store> | InParts<'at once'>]: true } = {
  wakeOthers: true,
  hearsWakes: true,
  tellKeys: true,
  tellRegistry: true,
  connections: true,
  onGlance: true,
};

/** The same store, each call of it `around`; the store itself when nobody measures. */
export function measured(store: Store, around: AroundCall | null): Store {
  if (around === null) return store;
  const { begin, ...rest } = measuredPart(store, '', around);
  return {
    ...rest,
    begin: async (requests) => {
      const transaction = await begin(requests);
      const call =
        <Given extends readonly unknown[], Answer>(
          name: Later<Transaction>,
          run: (...given: Given) => Promise<Answer>,
        ) =>
        (...given: Given): Promise<Answer> =>
          around(`transaction.${name}`, () => run(...given));
      return {
        ...transaction,
        load: call('load', transaction.load),
        commit: call('commit', transaction.commit),
        rollback: call('rollback', transaction.rollback),
      };
    },
  };
}

/** @param prefix of the names of its calls: nothing, or that of the part with a dot */
function measuredPart<Part extends object>(part: Part, prefix: string, around: AroundCall): Part {
  const wrapped = Object.entries(part).map(([key, value]: readonly [string, unknown]) => {
    const name = `${prefix}${key}`;
    if (typeof value === 'function')
      return [
        key,
        name in AT_ONCE
          ? value
          : (...given: readonly unknown[]) =>
              around(name as StoreCall, () => Reflect.apply(value, part, given) as Promise<unknown>),
      ];
    return [key, typeof value === 'object' && value !== null ? measuredPart(value, `${name}.`, around) : value];
  });
  return Object.fromEntries(wrapped) as Part;
}
