import { useEffect, useRef, useState } from 'preact/hooks';
import type { Complaint, Format, Mounted } from './codemirror.ts';

export type { Complaint, Format } from './codemirror.ts';

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
  useEffect(() => {
    let gone = false;
    import('./codemirror.ts').then(
      ({ mountEditor }) => {
        if (gone || host.current === null) return;
        mounted.current = mountEditor(host.current, {
          text: latest.current.text,
          label,
          format: latest.current.format,
          changed: (next) => latest.current.changed(next),
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
  useEffect(() => mounted.current?.setText(text), [text]);
  useEffect(() => mounted.current?.setFormat(format), [format, ready]);
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
