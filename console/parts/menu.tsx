import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { visible } from './texts.ts';

/** What is wanted less often, behind `⋯`. Escape, a press elsewhere and a choice close it. */
export function Menu({
  label,
  sign = '⋯',
  children,
}: {
  readonly label: string;
  /** What stands on it. */
  readonly sign?: string;
  readonly children: ComponentChildren;
}) {
  const menu = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const close = (event: Event): void => {
      if (menu.current?.open && !menu.current.contains(event.target as Node)) menu.current.open = false;
    };
    document.addEventListener('pointerdown', close);
    return () => document.removeEventListener('pointerdown', close);
  }, []);
  return (
    <details
      ref={menu}
      class="menu"
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || menu.current === null || !menu.current.open) return;
        menu.current.open = false;
        menu.current.querySelector('summary')?.focus();
        event.stopPropagation();
      }}
    >
      <summary class={sign === '⋯' ? 'button' : 'button tiny'} aria-label={visible(label)} title={visible(label)}>
        {sign}
      </summary>
      <div
        class="menu-list"
        onClick={(event) => {
          // What was copied says so first.
          const chosen = (event.target as Element).closest('a, .button:not(.tiny)');
          if (chosen !== null && menu.current !== null) menu.current.open = false;
        }}
      >
        {children}
      </div>
    </details>
  );
}
