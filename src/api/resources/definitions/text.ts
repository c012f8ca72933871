import type { DefinitionVersion } from '../../../store/tables/definition-name.ts';
import type { Call, Reply } from '../../operation.ts';
import type { Parts } from '../../parts.ts';
import { Problem } from '../../problem.ts';

/* The text of a version in the media type that was asked for. */

const XML = { type: 'application/xml', ending: 'xml' };
const FORMATS: ReadonlyMap<string, { readonly type: string; readonly ending: string }> = new Map([
  ['xml', XML],
  ['bpmn', { ...XML, ending: 'bpmn' }],
  ['json', { type: 'application/json', ending: 'json' }],
  ['radial', { type: 'text/plain; charset=utf-8', ending: 'radial' }],
]);
const formatNamed = (format: string): { readonly type: string; readonly ending: string } =>
  FORMATS.get(format) ?? { type: 'text/plain; charset=utf-8', ending: 'txt' };
/** Media types an Accept names are looked at up to this number. */
const ACCEPTED_MAX = 50;

/** Formats by the media types that ask for them. */
const BY_TYPE = new Map<string, 'xml' | 'json' | 'radial'>([
  ['application/xml', 'xml'],
  ['text/xml', 'xml'],
  ['application/json', 'json'],
  ['text/plain', 'radial'],
]);

/** @throws Problem `not_acceptable` when the format that is asked for cannot say it */
export async function textReplyFor(
  parts: Pick<Parts, 'definitions'>,
  call: Pick<Call, 'header'>,
  version: DefinitionVersion & { readonly text: string },
): Promise<Reply> {
  const { format, text, name } = version;
  const wanted = wantedFormats(call.header('accept'), format);
  for (const one of wanted) {
    if (one === format) return reply(version, format, text);
    if (format === 'bpmn') continue;
    const made = await parts.definitions.convert(text, {
      from: null,
      to: one as 'xml' | 'json' | 'radial',
      name: null,
    });
    if (made.ok) return reply(version, one, made.text);
  }
  throw new Problem(
    'not_acceptable',
    `The definition ${name} is ${format}, and cannot be had in what Accept asks for; it is ${formatNamed(format).type}`,
  );
}

/** The formats an Accept names, those it wants most in front. */
function wantedFormats(accept: string | null, own: string): readonly string[] {
  if (accept === null || accept.trim() === '') return [own];
  const asked = accept
    .split(',', ACCEPTED_MAX)
    .map((part) => {
      const [type = '', ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase());
      const quality = parameters.find((parameter) => parameter.startsWith('q='));
      return { type, quality: quality === undefined ? 1 : Number(quality.slice(2)) };
    })
    .filter(({ quality }) => quality > 0)
    .sort((a, b) => b.quality - a.quality);
  return asked.flatMap(({ type }) => {
    if (type === '*/*') return [own];
    if (type === 'application/bpmn+xml') return own === 'bpmn' ? [own] : [];
    if (type === 'application/*') return own === 'radial' ? ['json', 'xml'] : [own];
    if (type === 'text/*') return ['radial'];
    const format = BY_TYPE.get(type);
    // A diagram is XML.
    if (format === 'xml' && own === 'bpmn') return [own];
    return format === undefined ? [] : [format];
  });
}

const reply = ({ name, version, source }: DefinitionVersion, format: string, text: string): Reply => ({
  kind: 'bytes',
  status: 200,
  type: formatNamed(format).type,
  bytes: Buffer.from(text, 'utf8'),
  etag: `"${source.slice(0, 32)}-${format}"`,
  headers: {
    'Content-Disposition': `attachment; filename="${name.replace('/', '-')}-${version}.${formatNamed(format).ending}"`,
    'Cache-Control': 'private, no-cache',
  },
});
