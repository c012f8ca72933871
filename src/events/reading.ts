/* What all who read events have in common. */

/** Where a reader's frames go. `write` resolves when there is room for more. */
export type EventSink = { readonly write: (text: string) => Promise<void> };

/** A reader that was sent nothing for so long gets a sign of life: proxies cut what is silent for a minute. */
export const HEARTBEAT_MS = 15_000;

/** Frames are put together up to this many characters, and what is on its way to one reader stays about that small. */
const PIECE_CHARACTERS_MAX = 32_768;

/** Collects frames and writes them in pieces. */
export function makePieces(sink: EventSink): {
  readonly add: (text: string) => Promise<void> | void;
  readonly flush: () => Promise<void>;
} {
  let parts: string[] = [];
  let size = 0;
  const flush = async (): Promise<void> => {
    if (parts.length === 0) return;
    const text = parts.join('');
    parts = [];
    size = 0;
    await sink.write(text);
  };
  return {
    add: (text) => {
      parts.push(text);
      size += text.length;
      return size >= PIECE_CHARACTERS_MAX ? flush() : undefined;
    },
    flush,
  };
}
