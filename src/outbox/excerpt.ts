import type { IncomingMessage } from 'node:http';
import type { AnswerExcerpt } from './message.ts';

/*
 * What a participant has answered when it refused: the beginning of its answer, for whoever finds out why. Only of texts, and without what looks
 * like a secret: what is sent back here may be what somebody had sent there.
 */

/** Bytes of an answer that are kept. */
export const EXCERPT_BYTES_MAX = 1_024;
const TYPE_LENGTH_MAX = 100;
const TEXT =
  /^(?:text\/|application\/(?:[\w.+-]+\+)?(?:json|xml|problem\+json)\b|application\/x-www-form-urlencoded\b)/i;
const HIDDEN = '***';

/** Gathers the beginning of an answer. `end`: null where there was no body. */
export function makeExcerpt({ headers }: Pick<IncomingMessage, 'headers'>): {
  take(chunk: Buffer): void;
  end(): AnswerExcerpt | null;
} {
  const chunks: Buffer[] = [];
  let size = 0;
  return {
    take: (chunk) => {
      if (size < EXCERPT_BYTES_MAX) chunks.push(chunk.subarray(0, EXCERPT_BYTES_MAX - size));
      size += chunk.length;
    },
    end: () => {
      if (size === 0) return null;
      const type = headers['content-type']?.slice(0, TYPE_LENGTH_MAX) ?? null;
      const isPacked = headers['content-encoding'] !== undefined && headers['content-encoding'] !== 'identity';
      const isText = !isPacked && (type === null || TEXT.test(type));
      return { type, bytes: size, excerpt: isText ? redacted(textOf(Buffer.concat(chunks))) : null };
    },
  };
}

/** As text; what is cut in the middle of a character, or no text, is replaced, and so is what no database holds. */
const textOf = (bytes: Buffer): string =>
  new TextDecoder()
    .decode(bytes)
    .replaceAll('\u0000', '\ufffd')
    .replace(/\ufffd+$/, '');

const SECRET_NAMES = [
  'passw',
  'secret',
  'token',
  'apikey',
  'api_key',
  'api-key',
  'auth',
  'cookie',
  'credential',
  'signature',
];
const isSecretName = (name: string): boolean => {
  const small = name.toLowerCase();
  return SECRET_NAMES.some((part) => small.includes(part));
};

/** Without keys of ours, tokens, and values whose names say that they are secret. */
export function redacted(text: string): string {
  return text
    .replaceAll(/rota_[0-9A-Za-z]{12}_[0-9A-Za-z]{1,49}/g, HIDDEN)
    .replaceAll(/wh(?:sec|sk)_[A-Za-z0-9+/=]{1,200}/g, HIDDEN)
    .replaceAll(/eyJ[\w-]{10,4000}\.[\w-]{0,4000}\.?[\w-]{0,4000}/g, HIDDEN)
    .replaceAll(/\b(Bearer|Basic) {1,3}[^\s"',;]{1,4000}/gi, `$1 ${HIDDEN}`)
    .replaceAll(
      /(["']?)([A-Za-z][\w.-]{0,40})\1(\s{0,3}[:=]\s{0,3})("(?:[^"\\]|\\.)*"?|'[^']*'?|(?!\/\/)[^\s,;}&<"']+)/g,
      (whole: string, quote: string, name: string, between: string, value: string) =>
        isSecretName(name)
          ? `${quote}${name}${quote}${between}${value.startsWith('"') ? `"${HIDDEN}"` : HIDDEN}`
          : whole,
    );
}
