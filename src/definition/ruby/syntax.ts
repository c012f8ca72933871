/*
 * What is used of the tree that Ruby's own parser makes of a text. The classes are the parser's; here is only what their nodes have, so
 * that this room needs no parser to be understood or tested.
 */

/** Where a node stands in the text: bytes of UTF-8. */
export type Span = { readonly startOffset: number; readonly length: number };

export type RubyNode = {
  readonly location: Span;
  /** The nodes below it, in the order of the text. */
  compactChildNodes(): readonly RubyNode[];
};

type RubyText = { readonly value: string; readonly validEncoding: boolean };

/** By the name of their class: the members that are read. */
export type RubyNodes = {
  CallNode: RubyNode & {
    readonly receiver: RubyNode | null;
    readonly name: string;
    readonly arguments_: { readonly arguments_: readonly RubyNode[] } | null;
    readonly block: RubyNode | null;
  };
  BlockNode: RubyNode & { readonly parameters: RubyNode | null; readonly body: RubyNode | null };
  StatementsNode: RubyNode & { readonly body: readonly RubyNode[] };
  ParenthesesNode: RubyNode & { readonly body: RubyNode | null };
  KeywordHashNode: RubyNode & { readonly elements: readonly RubyNode[] };
  HashNode: RubyNode & { readonly elements: readonly RubyNode[] };
  AssocNode: RubyNode & { readonly key: RubyNode; readonly value: RubyNode };
  ArrayNode: RubyNode & { readonly elements: readonly RubyNode[] };
  StringNode: RubyNode & { readonly unescaped: RubyText };
  SymbolNode: RubyNode & { readonly unescaped: RubyText };
  InterpolatedStringNode: RubyNode & { readonly parts: readonly RubyNode[] };
  InterpolatedSymbolNode: RubyNode & { readonly parts: readonly RubyNode[] };
  RegularExpressionNode: RubyNode & {
    readonly unescaped: RubyText;
    isIgnoreCase(): boolean;
    isMultiLine(): boolean;
    isExtended(): boolean;
    isAscii8bit(): boolean;
  };
  FloatNode: RubyNode & { readonly value: number | null };
  ConstantReadNode: RubyNode & { readonly name: string };
  ConstantPathNode: RubyNode & { readonly parent: RubyNode | null; readonly name: string | null };
};

export type RubySyntax = {
  readonly value: RubyNode;
  readonly errors: readonly { readonly message: string; readonly location: Span }[];
};

/** Ruby's parser. Null: the text is nested deeper than it can follow. */
export type ParseRuby = (text: string) => RubySyntax | null;

export const kindOf = (node: RubyNode): string => node.constructor.name;

export const isKind = <Kind extends keyof RubyNodes>(kind: Kind, node: RubyNode | null): node is RubyNodes[Kind] =>
  node !== null && kindOf(node) === kind;
