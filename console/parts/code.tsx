import { useEffect, useRef, useState } from 'preact/hooks';
import type { Complaint, Format, Mounted } from './codemirror.ts';

export type { Complaint, Format } from './codemirror.ts';

/** Texts of the editor that its page has not shown yet. */
const TOLD_MAX = 1_000;

/** A text with line numbers, colours, complaints where they are, and completion; its code is loaded when it is first wanted. */
export function CodeEditor({
  label,
  text,
  format,
  complaints,
  changed,
  save,
  place,
}: {
  readonly label: string;
  readonly text: string;
  readonly format: Format;
  readonly complaints: readonly Complaint[];
  readonly changed: (text: string) => void;
  readonly save: () => void;
  /** Told how to go to a line and column once it is there. */
  readonly place: (goTo: (line: number, column: number) => void) => void;
}) {
  const host = useRef<HTMLDivElement>(null);
  const mounted = useRef<Mounted | null>(null);
  const [failed, setFailed] = useState(false);
  const [ready, setReady] = useState(false);
  const latest = useRef({ text, format, changed, save });
  latest.current = { text, format, changed, save };
  // What the page says back late is older than what stands there: put in again, the two would take turns for ever.
  const told = useRef<string[]>([]);
  useEffect(() => {
    let gone = false;
    import('./codemirror.ts').then(
      ({ mountEditor }) => {
        if (gone || host.current === null) return;
        mounted.current = mountEditor(host.current, {
          text: latest.current.text,
          label,
          format: latest.current.format,
          changed: (next) => {
            told.current = [...told.current.slice(1 - TOLD_MAX), next];
            latest.current.changed(next);
          },
          save: () => latest.current.save(),
        });
        place((line, column) => mounted.current?.goTo(line, column));
        setReady(true);
      },
      () => gone || setFailed(true),
    );
    return () => {
      gone = true;
      mounted.current?.leave();
      mounted.current = null;
    };
  }, []);
  useEffect(() => {
    const at = told.current.lastIndexOf(text);
    if (at < 0) mounted.current?.setText(text);
    told.current = at < 0 ? [] : told.current.slice(at + 1);
  }, [text]);
  useEffect(() => mounted.current?.setFormat(format), [format, ready]);
  useEffect(() => mounted.current?.setLabel(label), [label, ready]);
  const said = JSON.stringify(complaints);
  useEffect(() => mounted.current?.setComplaints(complaints), [said, ready]);
  // Without its code a plain field does as well.
  if (failed)
    return (
      <textarea
        aria-label={label}
        rows={26}
        spellcheck={false}
        value={text}
        onInput={(event) => changed(event.currentTarget.value)}
      />
    );
  return <div ref={host} class="code-editor" aria-busy={!ready} />;
}
