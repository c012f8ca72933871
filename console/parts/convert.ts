import { printJson, printRadial, printXml } from '../../src/definition/print.ts';
import { readDefinition } from '../../src/definition/read.ts';

/** A definition in another format, with the server's own readers and printers; or why it cannot be said there. */
export function converted(
  text: string,
  format: 'radial' | 'json' | 'xml',
): { readonly ok: true; readonly text: string } | { readonly ok: false; readonly message: string } {
  const read = readDefinition(text);
  if (!read.ok) {
    const [first] = read.errors;
    return { ok: false, message: `It cannot be read yet: ${first?.message ?? ''} (line ${first?.line ?? '?'})` };
  }
  if (format === 'json') return { ok: true, text: printJson(read.tree) };
  return format === 'xml' ? printXml(read.tree) : printRadial(read.tree);
}
