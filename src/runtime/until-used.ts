/** Calls `wake` once, when there is some of a kind of which there is none now, or might be. Returns how to call it off. */
export type UntilUsed = (wake: () => void) => () => void;
