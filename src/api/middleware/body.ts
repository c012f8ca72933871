import type { Context, Next } from 'koa';
import { HttpMethodEnum, koaBody } from 'koa-body';
import { isObject, type JsonObject } from '../../model/json.ts';
import { Problem } from '../problem.ts';

/** Bodies may have this many bytes (contract.md: 4 MB), counted after unpacking. */
export const BODY_BYTES_MAX = 4 * 1024 * 1024;
/** Parameters of a form, and how deep their keys may be nested. */
const FORM_PARAMETERS_MAX = 2_000;
const FORM_DEPTH_MAX = 12;
const FORM_LIST_MAX = 200;

const JSON_TYPE = /^application\/(json|[\w.+-]+\+json)$/;
const FORM_TYPE = 'application/x-www-form-urlencoded';
const CHARSETS: ReadonlySet<string> = new Set(['utf-8', 'utf8', 'us-ascii']);

export type ReadBody = { readonly body: JsonObject; readonly raw: string; readonly isForm: boolean };
export type BodyReader = (ctx: Context) => Promise<ReadBody>;

/**
 * Makes what reads a JSON or form body into an object.
 *
 * A body without a Content-Type is a form (contract.md). Everything that cannot be read faithfully is refused: unknown types
 * and charsets, broken JSON, lists and bare values, keys that would be dropped or mangled silently.
 */
export function makeBodyReader(): BodyReader {
  const read = koaBody({
    multipart: false,
    text: false,
    includeUnparsed: true,
    jsonLimit: BODY_BYTES_MAX,
    formLimit: BODY_BYTES_MAX,
    jsonTypes: ['application/json', 'application/*+json'],
    urlencodedTypes: [FORM_TYPE],
    parsedMethods: [HttpMethodEnum.POST, HttpMethodEnum.PATCH],
    // Without these, dots would nest, deep keys would be mangled and whatever exceeds a limit silently dropped.
    queryString: {
      allowDots: false,
      depth: FORM_DEPTH_MAX,
      strictDepth: true,
      parameterLimit: FORM_PARAMETERS_MAX,
      throwOnLimitExceeded: true,
      arrayLimit: FORM_LIST_MAX,
      plainObjects: true,
    },
  });
  const done: Next = async () => {};

  return async (ctx) => {
    if (!hasBody(ctx)) return { body: {}, raw: '', isForm: false };
    const isForm = checkType(ctx);
    try {
      await read(ctx, done);
    } catch (error) {
      throw problemOf(error);
    }
    const body: unknown = ctx.request.body ?? {};
    const raw = typeof ctx.request.rawBody === 'string' ? ctx.request.rawBody : '';
    if (isForm && /(^|&|\[|%5B)__proto__/i.test(raw))
      throw new Problem('body_malformed', 'No parameter of a form can be called __proto__');
    if (!isObject(body)) throw new Problem('body_malformed', 'The body must be a JSON object, not a list or a value');
    return { body, raw, isForm };
  };
}

const hasBody = (ctx: Context): boolean =>
  ctx.get('Transfer-Encoding') !== '' || !['', '0'].includes(ctx.get('Content-Length'));

/** @returns whether the body is a form. */
function checkType(ctx: Context): boolean {
  const given = ctx.get('Content-Type').trim();
  if (given === '') {
    ctx.req.headers['content-type'] = FORM_TYPE;
    return true;
  }
  const [type = '', ...parameters] = given.split(';').map((part) => part.trim().toLowerCase());
  if (type !== FORM_TYPE && !JSON_TYPE.test(type))
    throw new Problem(
      'media_type_unsupported',
      `Bodies of type ${JSON.stringify(type.slice(0, 100))} are not read here; send application/json or ${FORM_TYPE}`,
    );
  for (const parameter of parameters) {
    const [, charset] = /^charset\s*=\s*"?([^"]*)"?$/.exec(parameter) ?? [];
    if (charset !== undefined && !CHARSETS.has(charset.trim()))
      throw new Problem(
        'media_type_unsupported',
        `The charset ${JSON.stringify(charset.slice(0, 100))} is not read here; send UTF-8`,
      );
  }
  return type === FORM_TYPE;
}

function problemOf(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const status = 'status' in error ? error.status : undefined;
  if (status === 413) return new Problem('body_too_large', `The body has more than ${BODY_BYTES_MAX} bytes`);
  if (status === 415) return new Problem('media_type_unsupported', `The body cannot be unpacked: ${error.message}`);
  // Everything else that reading can throw is about what was sent: syntax, limits of forms, a broken gzip, a lost connection.
  return new Problem('body_malformed', `The body cannot be read: ${error.message.slice(0, 300)}`);
}
