import { signal } from '@preact/signals';
import { options } from 'preact';

/* What is on paper has to be whole before the browser takes its picture of the page. */

/** Whether the page is being printed: then it shows what paper wants instead of what a screen has room for. */
export const printing = signal(false);

/** Follows the browser; what it asks for is painted at once, for it waits for nothing. */
export function followPrinting(): void {
  const turn = (isPrinting: boolean): void => {
    const { debounceRendering: before } = options;
    options.debounceRendering = (paint) => paint();
    printing.value = isPrinting;
    if (before === undefined) delete options.debounceRendering;
    else options.debounceRendering = before;
  };
  window.addEventListener('beforeprint', () => turn(true));
  window.addEventListener('afterprint', () => turn(false));
}
