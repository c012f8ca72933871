import { createHash } from 'node:crypto';
import type { JsonObject } from '../../../model/json.ts';
import { type Call, type Operation, type Reply, textReply } from '../../operation.ts';
import type { Parts } from '../../parts.ts';
import { Problem } from '../../problem.ts';
import { Problem as ProblemSchema } from '../../schema-parts.ts';
import { DOCS_POLICY, type DocsFile, readDocs, readManual } from './page.ts';

/* The interface described: for machines (JSON, YAML) and for people. */

/** @param document made from all operations, asked for when somebody first wants to read it */
export function docsOperations(parts: Parts, document: () => JsonObject): readonly Operation[] {
  const files = once(readDocs);
  const manual = once(readManual);
  const json = once(() => fileReply('application/json', JSON.stringify(document())));
  const yaml = once(() => fileReply('application/yaml', parts.asYaml(document())));
  return [
    {
      id: 'openapi',
      method: 'get',
      path: '/openapi.json',
      summary: 'This description',
      access: 'open',
      answers: { 200: { description: 'An OpenAPI 3.1 document', type: 'application/json' }, 304: NOT_MODIFIED },
      handle: json,
    },
    {
      id: 'openapiYaml',
      method: 'get',
      path: '/openapi.yaml',
      summary: 'This description, as YAML',
      access: 'open',
      answers: { 200: { description: 'An OpenAPI 3.1 document', type: 'application/yaml' }, 304: NOT_MODIFIED },
      handle: yaml,
    },
    ...(parts.docs
      ? [
          {
            id: 'docs',
            method: 'get',
            path: '/docs',
            summary: 'This description as a page, where calls can be tried',
            access: 'open',
            answers: { 200: { description: 'The page', type: 'text/html' }, 304: NOT_MODIFIED },
            // Behind a slash the same links would lead elsewhere: that page has its own.
            handle: ({ path }) => page(files(), path.endsWith('/') ? '/' : ''),
          } satisfies Operation,
          {
            id: 'docsFile',
            method: 'get',
            path: '/docs/:file',
            summary: 'A script or style of that page',
            access: 'open',
            answers: {
              200: { description: 'The file', type: 'text/javascript', also: ['text/css', 'text/html'] },
              304: NOT_MODIFIED,
              308: { description: 'The manual is at Location' },
              404: { description: 'There is no such file', schema: ProblemSchema },
            },
            handle: (call) => {
              const file = call.params['file'] ?? '';
              if (file !== 'manual') return page(files(), asFile(call, file));
              return call.path.endsWith('/') ? page(manual(), 'index.html') : TO_MANUAL;
            },
          } satisfies Operation,
          {
            id: 'docsManual',
            method: 'get',
            path: '/docs/manual/:file',
            summary: 'The manual as pages: index.html is the first',
            access: 'open',
            answers: {
              200: {
                description: 'A page, or what belongs to one',
                type: 'text/html',
                also: ['text/css', 'text/javascript', 'application/json'],
              },
              304: NOT_MODIFIED,
              404: { description: 'There is no such page', schema: ProblemSchema },
            },
            handle: (call) => page(manual(), asFile(call, call.params['file'] ?? '')),
          } satisfies Operation,
        ]
      : []),
  ];
}

const NOT_MODIFIED = { description: 'It is the one you have (If-None-Match)' };

/** Relative, so that it is right behind a path, too. */
const TO_MANUAL: Reply = textReply(308, 'manual/', { Location: 'manual/' });

/** The name of a file; with a slash behind it there is none of that name, for whatever it refers to would be looked for below it. */
const asFile = ({ path }: Call, file: string): string => (path.endsWith('/') ? `${file}/` : file);

function page(files: ReadonlyMap<string, DocsFile> | null, name: string): Reply {
  const file = files?.get(name);
  if (file === undefined)
    throw new Problem(
      'route_not_found',
      files === null ? 'This page was not built here: npm run build' : `There is no file ${name.slice(0, 100)} here`,
    );
  return { ...fileReply(file.type, file.bytes), headers: { 'Content-Security-Policy': DOCS_POLICY, ...REVALIDATED } };
}

/** A browser asks whether it is still the same. */
const REVALIDATED = { 'Cache-Control': 'no-cache' };

function fileReply(type: string, content: string | Uint8Array): Reply {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
  return { kind: 'bytes', status: 200, type, bytes, etag, headers: REVALIDATED };
}

function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
