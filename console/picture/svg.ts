import { jumpsOf, jumpWires } from './commands.ts';
import type { Place } from './figure.ts';
import { type Drawing, HANDLER, HEAD } from './layout.ts';
import type { PlaceState, Seen } from './states.ts';

/* The picture as a file: the same boxes and wires as in the page, in light colours. */

type Look = { readonly line: string; readonly ground: string; readonly dashes?: string; readonly width?: number };
const NOT_YET: Look = { line: '#7d8898', ground: '#fff', dashes: '4 3' };
const LOOKS: { readonly [state in PlaceState]?: Look } = {
  live: { line: '#1f5fbf', ground: '#e7f0fd', width: 2 },
  waits: { line: '#8a5a00', ground: '#fdf3dc', width: 2 },
  failed: { line: '#b3261e', ground: '#fdecea', width: 3 },
  cancelling: { line: '#8a5a00', ground: '#fdf3dc', width: 2, dashes: '6 4' },
  done: { line: '#187646', ground: '#e9f6ef' },
  cancelled: { line: '#7d8898', ground: '#fff', width: 2, dashes: '2 3' },
  skipped: { line: '#7d8898', ground: '#fff', dashes: '1 3' },
};

/** What XML cannot say is left out. */
const escaped = (text: string): string =>
  text
    .replace(/(?![\t\n\r])[\p{Cc}\p{Cs}\p{Cn}]/gu, '�')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');

/** Characters that have room in a box of that width. */
const fitting = (text: string, width: number): string => {
  const most = Math.max(4, Math.floor((width - 24) / 7));
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
};

/**
 * A whole SVG document. Texts of strangers are escaped: they are only ever texts.
 *
 * @param root what is drawn, for the arrows of its commands; null: without
 */
export function svgOf(drawn: Drawing, seen: ReadonlyMap<string, Seen>, root: Place | null = null): string {
  // Of the commands those that were obeyed have their arrows.
  const jumps = (root === null ? [] : jumpWires(drawn, jumpsOf(root))).flatMap(({ from, path }) =>
    seen.get(from)?.hasFired
      ? [`<path d="${path}" fill="none" stroke="#1f5fbf" stroke-width="2" marker-end="url(#tip)"/>`]
      : [],
  );
  const boxes = drawn.boxes.map(({ place, x, y, width, height, folded }) => {
    const state = seen.get(place.expid)?.state ?? 'to come';
    const { line, ground, dashes, width: stroke = 1 } = LOOKS[state] ?? NOT_YET;
    const isEnd = place.children.length === 0 || folded;
    const box = `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="6" fill="${isEnd ? ground : 'none'}" stroke="${line}" stroke-width="${stroke}"${dashes === undefined ? '' : ` stroke-dasharray="${dashes}"`}/>`;
    const words = `<text x="${x + 12}" y="${y + Math.min(18, HEAD - 10)}" font-weight="600">${escaped(fitting(place.title, width))}</text>`;
    const second =
      isEnd && height > HEAD
        ? `<text x="${x + 12}" y="${y + 36}" font-size="11" fill="#566273">${escaped(fitting(state === 'to come' ? place.caption : state, width))}</text>`
        : '';
    return `<g><title>${escaped(`${place.title}: ${state}`)}</title>${box}${words}${second}</g>`;
  });
  const wires = drawn.wires.map(
    ({ path, arrow, kind, words }) =>
      `<path d="${path}" fill="none" stroke="#737f90"${kind === 'aside' ? ' stroke-dasharray="1 4"' : ''}${arrow ? ' marker-end="url(#tip)"' : ''}/>${
        words === undefined
          ? ''
          : `<text x="${words.x}" y="${words.y}" font-size="11" fill="#566273">${escaped(words.text)}</text>`
      }`,
  );
  const labels = drawn.labels.map(
    ({ x, y, text }) => `<text x="${x}" y="${y}" font-size="11" fill="#566273">${escaped(text)}</text>`,
  );
  const hangings = drawn.hangings.map(({ place, name, text, x, y }) => {
    const runs = seen.get(place.expid)?.handler === name;
    const middle = y + HANDLER.height / 2;
    return `<g><path d="M${x - HANDLER.gap} ${middle}H${x}" stroke="#7d8898" stroke-dasharray="1 3"/><rect x="${x}" y="${y}" width="${HANDLER.width}" height="${HANDLER.height}" rx="5" fill="${runs ? '#e7f0fd' : '#fff'}" stroke="${runs ? '#1f5fbf' : '#7d8898'}"${runs ? ' stroke-width="2"' : ' stroke-dasharray="1 3"'}/><text x="${x + 7}" y="${middle + 4}" font-size="11">${escaped(fitting(`${name.replaceAll('_', ' ')}: ${text}`, HANDLER.width + 10))}</text></g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${drawn.width}" height="${drawn.height}" viewBox="0 0 ${drawn.width} ${drawn.height}" font-family="system-ui, sans-serif" font-size="13" fill="#1b2430">
<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="#737f90"/></marker></defs>
${wires.join('\n')}
${boxes.join('\n')}
${labels.join('\n')}
${jumps.join('\n')}
${hangings.join('\n')}
</svg>
`;
}
