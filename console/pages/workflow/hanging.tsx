import { Glyph } from '../../parts/glyph.tsx';
import { visible } from '../../parts/texts.ts';
import { type Drawing, HANDLER } from '../../picture/layout.ts';
import type { Seen } from '../../picture/states.ts';

/** What runs in place of a box hangs dotted at its right edge, and is solid when it runs. */
export function Hangings({
  drawn,
  seenIn,
  hidden,
}: {
  readonly drawn: Drawing;
  readonly seenIn: (expid: string, lane: number) => Seen | undefined;
  /** Places that are not shown from afar. */
  readonly hidden: (expid: string) => boolean;
}) {
  return (
    <>
      {drawn.hangings.map(({ place, name, text, x, y, lane }) => {
        if (hidden(place.expid)) return null;
        const runs = seenIn(place.expid, lane)?.handler === name;
        const words = `${name.replaceAll('_', ' ')}: ${text}`;
        return (
          <span
            key={`${place.expid} ${name} ${lane}`}
            class={`hanging ${runs ? 'runs' : ''}`}
            title={visible(runs ? `${words}; it runs` : words)}
            style={{ left: `${x}px`, top: `${y}px`, width: `${HANDLER.width}px`, height: `${HANDLER.height}px` }}
          >
            {runs && Glyph({ name: 'live', size: 10 })}
            <span class="dim">{name.replaceAll('_', ' ').replace('on ', 'on\u00a0')}</span>
            <bdi>{visible(text)}</bdi>
            {runs && <span class="unseen"> runs</span>}
          </span>
        );
      })}
    </>
  );
}
