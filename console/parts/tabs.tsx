import { useRef } from 'preact/hooks';

/** Tabs by the ARIA practice: arrows move, the chosen one is in the tab order. */
export function Tabs<Name extends string>({
  label,
  names,
  chosen,
  choose,
  words,
  controls,
  tight = false,
}: {
  readonly label: string;
  readonly names: readonly Name[];
  readonly chosen: Name;
  readonly choose: (name: Name) => void;
  readonly words?: (name: Name) => string;
  readonly controls: string;
  readonly tight?: boolean;
}) {
  const list = useRef<HTMLDivElement>(null);
  const move = (by: number): void => {
    const next = names[(names.indexOf(chosen) + by + names.length) % names.length] as Name;
    choose(next);
    list.current?.querySelector<HTMLElement>(`[data-name="${next}"]`)?.focus();
  };
  return (
    <div
      ref={list}
      class={`tabs ${tight ? 'tight' : ''}`}
      role="tablist"
      aria-label={label}
      onKeyDown={(event) => {
        if (event.key === 'ArrowRight') move(1);
        else if (event.key === 'ArrowLeft') move(-1);
        else return;
        event.preventDefault();
      }}
    >
      {names.map((name) => (
        <button
          key={name}
          type="button"
          role="tab"
          data-name={name}
          aria-selected={name === chosen}
          aria-controls={controls}
          tabIndex={name === chosen ? 0 : -1}
          onClick={() => choose(name)}
        >
          {words === undefined ? name.charAt(0).toUpperCase() + name.slice(1) : words(name)}
        </button>
      ))}
    </div>
  );
}
