import {
  autocompletion,
  type CompletionContext,
  type CompletionResult,
  completionKeymap,
} from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { json } from '@codemirror/lang-json';
import { xml } from '@codemirror/lang-xml';
import { HighlightStyle, indentUnit, StreamLanguage, syntaxHighlighting } from '@codemirror/language';
import { type Diagnostic, lintGutter, setDiagnostics } from '@codemirror/lint';
import { highlightSelectionMatches, searchKeymap } from '@codemirror/search';
import { Compartment, EditorState } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { COMMON_ATTRIBUTES, EXPRESSION_NAMES } from '../../src/model/vocabulary.ts';
import { radial } from './radial-mode.ts';

/*
 * The editor of definitions, loaded when somebody edits one. It lives in a shadow root, where it adopts its styles instead of writing `<style>`,
 * which the policy of the pages forbids.
 */

export type Format = 'radial' | 'json' | 'xml';
export type Complaint = {
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly isError: boolean;
};
const namedAs = (label: string) =>
  EditorView.contentAttributes.of({ 'aria-label': label, spellcheck: 'false', autocapitalize: 'off' });

export type Mounted = {
  /** Another text; what is the same already is left alone, with its cursor. */
  setText(text: string): void;
  setFormat(format: Format): void;
  /** What it is called to who cannot see it. */
  setLabel(label: string): void;
  setComplaints(complaints: readonly Complaint[]): void;
  /** Counted from 1. */
  goTo(line: number, column: number): void;
  leave(): void;
};

const COLOURS = HighlightStyle.define([
  { tag: tags.comment, color: 'var(--dim)', fontStyle: 'italic' },
  { tag: tags.keyword, color: 'var(--accent)', fontWeight: '600' },
  { tag: [tags.typeName, tags.tagName], color: 'var(--words)', fontWeight: '600' },
  { tag: [tags.propertyName, tags.attributeName], color: 'var(--waits)' },
  { tag: [tags.string, tags.attributeValue], color: 'var(--done)' },
  { tag: tags.variableName, color: 'var(--failed)' },
  { tag: [tags.number, tags.atom, tags.bool, tags.null], color: 'var(--waits)' },
]);
const THEME = EditorView.theme({
  '&': { color: 'var(--words)', backgroundColor: 'var(--panel)', fontSize: '12.5px' },
  '.cm-content': { fontFamily: 'var(--mono)', caretColor: 'var(--words)', minHeight: '360px' },
  '.cm-scroller': { lineHeight: '1.55', maxHeight: '70vh' },
  '&.cm-focused': { outline: '3px solid var(--accent)', outlineOffset: '-1px' },
  '.cm-gutters': { backgroundColor: 'var(--ground)', color: 'var(--dim)', border: 'none' },
  '.cm-activeLine': { backgroundColor: 'color-mix(in srgb, var(--live-ground) 45%, transparent)' },
  '.cm-activeLineGutter': { backgroundColor: 'var(--live-ground)' },
  '.cm-cursor': { borderLeftColor: 'var(--words)' },
  '&.cm-focused .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: 'var(--live-ground) !important' },
  '.cm-tooltip, .cm-panels': {
    backgroundColor: 'var(--panel)',
    color: 'var(--words)',
    border: '1px solid var(--line)',
  },
  '.cm-tooltip-autocomplete ul li[aria-selected]': {
    backgroundColor: 'var(--accent-ground)',
    color: 'var(--on-accent)',
  },
});

const languageOf = (format: Format) =>
  format === 'json' ? json() : format === 'xml' ? xml() : [StreamLanguage.define(radial), indentUnit.of('  ')];

/** Names of expressions at the beginning of a line, names of attributes behind it. */
function complete(context: CompletionContext): CompletionResult | null {
  const word = context.matchBefore(/[\w]+/);
  if (word === null && !context.explicit) return null;
  const from = word?.from ?? context.pos;
  const line = context.state.doc.lineAt(context.pos);
  const before = line.text.slice(0, from - line.from);
  const isHead = /^\s*<?$/.test(before) || /\[\s*"$/.test(before);
  const names = isHead ? EXPRESSION_NAMES : /['"][^'"]*$/.test(before) ? [] : COMMON_ATTRIBUTES;
  return {
    from,
    options: [...names].map((label) => ({
      label,
      type: isHead ? 'keyword' : 'property',
      apply: isHead ? label : `${label}: `,
    })),
    validFor: /^\w*$/,
  };
}

export function mountEditor(
  host: HTMLElement,
  {
    text,
    label,
    format,
    changed,
    save,
  }: {
    readonly text: string;
    readonly label: string;
    readonly format: Format;
    readonly changed: (text: string) => void;
    /** Ctrl S; null: there is nothing to save to. */
    readonly save: () => void;
  },
): Mounted {
  const root = host.shadowRoot ?? host.attachShadow({ mode: 'open' });
  const language = new Compartment();
  const name = new Compartment();
  let now = format;
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(),
        history(),
        drawSelection(),
        highlightActiveLine(),
        highlightSelectionMatches(),
        lintGutter(),
        autocompletion({ override: [complete], activateOnTyping: true }),
        syntaxHighlighting(COLOURS),
        THEME,
        language.of(languageOf(format)),
        EditorState.tabSize.of(2),
        EditorView.lineWrapping,
        name.of(namedAs(label)),
        keymap.of([
          {
            key: 'Mod-s',
            preventDefault: true,
            run: () => {
              save();
              return true;
            },
          },
          ...completionKeymap,
          ...searchKeymap,
          ...historyKeymap,
          ...defaultKeymap,
          // Tab indents; Escape, then Tab leaves, as the keymap of the editor has it.
          indentWithTab,
        ]),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) changed(update.state.doc.toString());
        }),
      ],
    }),
  });
  const at = (line: number, column: number): number => {
    const { doc } = view.state;
    const found = doc.line(Math.max(1, Math.min(line, doc.lines)));
    return Math.min(found.to, found.from + Math.max(0, column - 1));
  };
  return {
    setText(next) {
      const current = view.state.doc.toString();
      if (next !== current) view.dispatch({ changes: { from: 0, to: current.length, insert: next } });
    },
    setFormat(next) {
      if (next === now) return;
      now = next;
      view.dispatch({ effects: language.reconfigure(languageOf(next)) });
    },
    setLabel: (next) => view.dispatch({ effects: name.reconfigure(namedAs(next)) }),
    setComplaints(complaints) {
      const found: Diagnostic[] = complaints.map(({ line, column, message, isError }) => {
        const from = at(line, column);
        const word = view.state.wordAt(from);
        return {
          from,
          to: word?.to ?? Math.min(view.state.doc.length, from + 1),
          severity: isError ? 'error' : 'warning',
          message,
        };
      });
      view.dispatch(setDiagnostics(view.state, found));
    },
    goTo(line, column) {
      view.dispatch({ selection: { anchor: at(line, column) }, scrollIntoView: true });
      view.focus();
    },
    leave: () => view.destroy(),
  };
}
