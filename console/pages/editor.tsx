import { useEffect, useState } from 'preact/hooks';
import { go, place, wholeLink } from '../address/router.ts';
import { PageHead } from '../app/page.tsx';
import { draftOf, keepDraft } from '../app/settings.ts';
import { Button } from '../parts/action.tsx';
import { deflated, inflated, LINKED_MAX } from '../parts/deflate.ts';
import { Preview, useChecked } from '../parts/preview.tsx';
import { Copy, Text } from '../parts/said.tsx';
import { toLine } from './launch.tsx';

type Format = 'radial' | 'json' | 'xml';
const FORMATS: readonly Format[] = ['radial', 'json', 'xml'];
const BEGIN = `define hello
  alice task: 'say hello'
  bob task: 'answer \${greeting}', timeout: '2d'
`;

/** A definition as text, its complaints and its picture side by side; the three formats are the same tree. */
export function Editor() {
  const [text, setText] = useState(draftOf('editor') ?? BEGIN);
  const [said, say] = useState<string | null>(null);
  const [shared, share] = useState<string | null>(null);
  const [came, setCame] = useState(false);
  const { checked, problem } = useChecked(text);
  useEffect(() => {
    const packed = new URLSearchParams(place.value.hash).get('d');
    if (packed !== null)
      void inflated(packed).then((got) => {
        if (got === null) say('The link holds no definition that can be read.');
        else {
          setText(got);
          setCame(true);
        }
      });
  }, []);
  useEffect(() => {
    keepDraft('editor', text);
    share(null);
  }, [text]);
  const convert = async (format: Format): Promise<void> => {
    const { converted } = await import('../parts/convert.ts');
    const done = converted(text, format);
    if (done.ok) {
      setText(done.text);
      say(/^\s*#|<!--/m.test(text) ? 'Comments are lost on converting.' : null);
    } else say(done.message);
  };
  return (
    <>
      <PageHead title="Edit a definition">
        <Button
          look="primary"
          why={checked?.valid ? null : 'the definition cannot be read yet'}
          onPress={() => {
            keepDraft('launch.text', text);
            go('/workflows/new');
          }}
        >
          Launch…
        </Button>
      </PageHead>
      {came && <p class="note warn">This draft came with a link. Nothing of it runs unless you launch it.</p>}
      <div class="split">
        <div class="stack">
          <div class="row">
            {FORMATS.map((format) => (
              <Button key={format} look="tiny" pressed={formatOf(text) === format} onPress={() => void convert(format)}>
                {format === 'radial' ? 'Radial' : format.toUpperCase()}
              </Button>
            ))}
            <Button look="tiny" onPress={() => void convert(formatOf(text))}>
              Format
            </Button>
            <Button
              look="tiny"
              why={text.length > LINKED_MAX ? `a link holds ${LINKED_MAX} characters at most` : null}
              onPress={() => void deflated(text).then((packed) => share(wholeLink(`/definitions/edit#d=${packed}`)))}
            >
              Make a link
            </Button>
            {shared !== null && <Copy what="Copy the link" text={shared} />}
          </div>
          {said !== null && (
            <p class="note warn small" role="status">
              <Text text={said} />
            </p>
          )}
          <div class="field">
            <label for="text">Definition ({formatOf(text)})</label>
            <textarea
              id="text"
              rows={26}
              spellcheck={false}
              value={text}
              aria-invalid={checked !== null && !checked.valid ? 'true' : undefined}
              onInput={(event) => setText(event.currentTarget.value)}
            />
          </div>
        </div>
        <Preview checked={checked} problem={problem} goTo={toLine('text')} />
      </div>
    </>
  );
}

/** As the server tells it, by the first character. */
function formatOf(text: string): Format {
  const first = text.trimStart().charAt(0);
  return first === '<' ? 'xml' : first === '[' || first === '{' ? 'json' : 'radial';
}
