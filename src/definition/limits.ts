/** How big a definition may be. Whatever exceeds one of these is refused with a complaint that names it. */
export type Limits = {
  /** Bytes of the text in UTF-8. */
  readonly bytes: number;
  /** Nodes on the way from the root to a leaf, both counted. */
  readonly depth: number;
  /** Lists and objects around the innermost part of an attribute's value. */
  readonly valueDepth: number;
  /** Nodes in all. */
  readonly nodes: number;
  /** Attributes of one node. */
  readonly attributes: number;
  /** Complaints given at once; the rest is left for the next try. */
  readonly complaints: number;
};

export const LIMITS: Limits = {
  bytes: 1_048_576,
  depth: 100,
  valueDepth: 100,
  nodes: 50_000,
  attributes: 1_000,
  complaints: 20,
};
