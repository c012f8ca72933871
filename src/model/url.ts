/**
 * A text as a URL; null: it is none.
 *
 * Not by `URL.canParse`: Node 20 compiles that for what is called often, and then reads letters such as ü as half of others, so that
 * `https://münchen.example/` is a URL for the first four thousand calls and none after that.
 */
export function urlOf(text: string): URL | null {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}
