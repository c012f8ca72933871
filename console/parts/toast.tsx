import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { link } from '../address/router.ts';
import { Text } from './said.tsx';

/* What was done without a question asked says so, with a link to what came of it, or a way back. */

export type Toast = {
  /** What was done. */
  readonly words: string;
} & (
  | {
      /** Where what came of it stands, below the console. */
      readonly to: string;
    }
  | {
      /** Makes it as it was before: for what is kept on this device alone. */
      readonly undo: () => void;
    }
);

const said = signal<Toast | null>(null);

export const say = (toast: Toast): void => {
  said.value = toast;
};

/** How long it stands there unless it is closed, in milliseconds: long enough to be read and gone to by keys. */
const STANDS_MS = 20_000;

/** In the corner of every page; read out once, and never in the way of what is pressed. */
export function Toasts() {
  const { value } = said;
  useEffect(() => {
    if (value === null) return;
    const timer = setTimeout(() => {
      if (said.peek() === value) said.value = null;
    }, STANDS_MS);
    return () => clearTimeout(timer);
  }, [value]);
  const close = (): void => {
    said.value = null;
  };
  return (
    <div role="status" class={value === null ? 'unseen' : 'toast row'}>
      {value !== null && (
        <>
          <span>
            <Text text={value.words} />.
          </span>
          {'to' in value ? (
            <a href={link(value.to)} onClick={close}>
              What came of it
            </a>
          ) : (
            <button
              type="button"
              class="more-link"
              onClick={() => {
                value.undo();
                close();
              }}
            >
              Undo
            </button>
          )}
          <button type="button" aria-label="Close" onClick={close}>
            ×
          </button>
        </>
      )}
    </div>
  );
}
