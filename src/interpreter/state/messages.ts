import type { Fields, Json } from '../../model/json.ts';
import { isObject, withKey } from '../../model/json.ts';
import { BASE, Lists, noBase, type Packed, Packer, packSupplanted, Unpacker, unpackSupplanted } from './encoding.ts';
import { withoutRepeats } from './repeats.ts';
import { type Message, type Node, type Place, ROOT, type SetDown, type Value, type Waiting } from './state.ts';

/*
 * What there is to know of each kind of inner message beside what it does (step.ts): how it becomes text when it waits for the workflow's
 * next turn, and back; which strands it needs; and which fields an error keeps that was raised while it was handled.
 */

type Of<Kind extends Message['kind']> = Extract<Message, { readonly kind: Kind }>;

type About<Kind extends Message['kind']> = {
  /** Whole, with `kind`: a copy without some parts would cost more than all the rest. */
  readonly pack: (packer: Packer, message: Of<Kind>) => Packed;
  /** Also of what releases before this one have kept. */
  readonly unpack: (unpacker: Unpacker, packed: Packed) => Omit<Of<Kind>, 'kind'>;
  /** The strands that have to be known to handle it, the root and those it makes included. */
  readonly strands: (message: Of<Kind>) => readonly string[];
  /** The fields it brings to an expression. */
  readonly carried: (message: Of<Kind>, node: Node) => Fields;
};

const plain = (_: Packer, message: Message): Packed => message as unknown as Packed;
const asKept = <Kind extends Message['kind']>(_: Unpacker, packed: Packed): Omit<Of<Kind>, 'kind'> => packed as never;
const packFields = (packer: Packer, message: Message & { readonly fields: Fields }): Packed =>
  ({ ...message, fields: packer.object(message.fields) }) as Packed;
const unpackFields = <Kind extends Message['kind']>(unpacker: Unpacker, packed: Packed): Omit<Of<Kind>, 'kind'> =>
  ({ ...packed, fields: unpacker.object(packed['fields'] as Json) }) as never;
const receiver = ({ to }: { readonly to: { readonly path: string } }): readonly string[] => [to.path];
const nowhere = (): readonly string[] => [];
const applied = (_: Message, node: Node): Fields => node.applied;
const own = ({ fields }: { readonly fields: Fields }): Fields => fields;

/** Undefined, as it is, is left out of the text. */
const packAlong = (packer: Packer, variables: ReadonlyMap<string, Value> | undefined): Json | undefined =>
  variables === undefined ? undefined : packer.pairs(variables);
const unpackAlong = (unpacker: Unpacker, packed: Packed): { readonly variables?: ReadonlyMap<string, Value> } =>
  packed['variables'] === undefined ? {} : { variables: new Map(unpacker.pairs(packed['variables'] as Json[])) };

const packPlace = (packer: Packer, place: Place): Json => ({
  ...place,
  added: place.added.map(([key, value]) => [key, value]),
  scope: place.scope === null ? null : packer.pairs(place.scope),
  onReply: place.onReply === null ? null : packer.reapply(place.onReply),
  supplanted: place.supplanted === null ? null : packSupplanted(packer, place.supplanted),
});

const unpackPlace = (unpacker: Unpacker, place: Packed): Place =>
  ({
    ...place,
    scope: place['scope'] === null ? null : unpacker.pairs(place['scope'] as Json[]),
    onReply: place['onReply'] === null ? null : unpacker.reapply(place['onReply'] as Json),
    supplanted: place['supplanted'] === null ? null : unpackSupplanted(unpacker, place['supplanted'] as Json),
  }) as never;

const KINDS: { readonly [Kind in Message['kind']]: About<Kind> } = {
  apply: {
    pack: (packer, message) =>
      ({
        ...message,
        tree: packer.tree(message.tree),
        fields: packer.object(message.fields),
        variables: message.variables === null ? null : packer.pairs(message.variables),
        place: message.place === null ? null : packPlace(packer, message.place),
      }) as Packed,
    unpack: (unpacker, packed) =>
      ({
        ...packed,
        tree: unpacker.tree(packed['tree'] as Json),
        fields: unpacker.object(packed['fields'] as Json),
        variables: packed['variables'] === null ? null : new Map(unpacker.pairs(packed['variables'] as Json[])),
        place: isObject(packed['place']) ? unpackPlace(unpacker, packed['place'] as Packed) : null,
      }) as never,
    strands: ({ parent, fresh, path }) => [
      ...(parent === null ? [] : [parent.path]),
      ...(fresh === null ? [path] : []),
    ],
    carried: applied,
  },
  reply: { pack: packFields, unpack: unpackFields, strands: receiver, carried: own },
  cancel: {
    pack: (packer, message) =>
      ({
        ...message,
        variables: packAlong(packer, message.variables),
        reapply: message.reapply === null ? null : packer.reapply(message.reapply),
      }) as Packed,
    unpack: (unpacker, packed) =>
      ({
        ...packed,
        ...unpackAlong(unpacker, packed),
        reapply: packed['reapply'] === null ? null : unpacker.reapply(packed['reapply'] as Json),
      }) as never,
    strands: receiver,
    carried: applied,
  },
  cancel_children: {
    pack: (packer, message) => ({ ...message, variables: packAlong(packer, message.variables) }) as Packed,
    unpack: (unpacker, packed) => ({ ...packed, ...unpackAlong(unpacker, packed) }) as never,
    strands: receiver,
    carried: applied,
  },
  fork: { pack: plain, unpack: asKept, strands: receiver, carried: applied },
  fail: { pack: packFields, unpack: unpackFields, strands: receiver, carried: own },
  dispatch: {
    pack: plain,
    unpack: asKept,
    strands: receiver,
    carried: (_, node) => withKey(node.applied, 'params', node.data['params'] ?? {}),
  },
  set_out: { pack: plain, unpack: asKept, strands: receiver, carried: applied },
  dispatch_cancel: { pack: packFields, unpack: unpackFields, strands: receiver, carried: own },
  cancel_process: { pack: plain, unpack: asKept, strands: nowhere, carried: applied },
  raise: { pack: packFields, unpack: unpackFields, strands: receiver, carried: own },
  tag: { pack: packFields, unpack: unpackFields, strands: nowhere, carried: applied },
  intercepted: {
    pack: (packer, message) =>
      ({ ...message, error: packer.object(message.error), fields: packer.object(message.fields) }) as Packed,
    unpack: (unpacker, packed) =>
      ({
        ...packed,
        error: unpacker.object(packed['error'] as Json),
        fields: unpacker.object(packed['fields'] as Json),
      }) as never,
    strands: nowhere,
    carried: applied,
  },
  awake: { pack: plain, unpack: asKept, strands: receiver, carried: applied },
  look: { pack: plain, unpack: asKept, strands: receiver, carried: applied },
  event: { pack: plain, unpack: asKept, strands: receiver, carried: applied },
};

const about = <Kind extends Message['kind']>(kind: Kind): About<Kind> => KINDS[kind] as About<Kind>;

/** The strands that have to be known to handle a message, but for the root, which always is. */
export const strandsOf = (message: Waiting): readonly string[] =>
  message.kind === 'set_down'
    ? message.strands
    : about(message.kind)
        .strands(message as never)
        .filter((path) => path !== ROOT && path !== '');

/** The fields an error keeps that was raised while the expression handled the message. */
export const carriedFields = (message: Message, node: Node): Fields =>
  about(message.kind).carried(message as never, node);

/** Names, within the message of an error, the fields that the error keeps beside it. */
export const CARRIED = 'fields';

const continuations = new Lists();

/** Messages that wait for the workflow's next turn, as text. `hasLarge`: large values that several of them have are written once. */
export function encodeMessages(
  messages: readonly Waiting[],
  baseOf: (fields: object) => string | null = noBase,
  hasLarge = false,
): string {
  const packer = new Packer((value) => {
    const base = baseOf(value);
    return base === null ? null : BASE + base;
  });
  const packed = messages.map((message) =>
    message.kind === 'set_down' ? message : about(message.kind).pack(packer, message as never),
  );
  return JSON.stringify([packer.definitions, hasLarge ? withoutRepeats(packer.table) : packer.table, packed]);
}

/** Messages of a text in which none is set down. */
export const decodeMessages = (text: string, fieldsOf?: (base: string) => Fields | null): Message[] =>
  decodeQueue(text, fieldsOf) as Message[];

/** Messages as they were told to wait. */
export function decodeQueue(text: string, fieldsOf: (base: string) => Fields | null = noBase): Waiting[] {
  const [definitions, table, packed] = continuations.read(text) as [string[], Json[], Packed[]];
  const unpacker = new Unpacker(table, definitions, (name) => fieldsOf(name.slice(BASE.length)));
  return packed.map((message) =>
    message['kind'] === 'set_down'
      ? (message as unknown as SetDown)
      : (about(message['kind'] as Message['kind']).unpack(unpacker, message) as Message),
  );
}
