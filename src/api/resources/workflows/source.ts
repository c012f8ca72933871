import type { JsonObject } from '../../../model/json.ts';
import { treeToJson } from '../../../model/tree.ts';
import { makeBoundedMap } from '../../../runtime/bounded.ts';
import { sourceHash } from '../../../store/tables/source.ts';
import { noSuchWorkflow, workflowIdOf } from '../../ids.ts';
import { type Call, jsonReply, type Reply } from '../../operation.ts';
import type { Parts } from '../../parts.ts';
import { show } from './show.ts';

/* The definition a workflow was launched with, as it was posted. */

/** Texts whose row is known to be there; each is written once by each node. */
const KNOWN_MAX = 10_000;
/** Texts whose hashes are remembered, in characters of all: the same ones are launched again and again. */
const HASHED_CHARACTERS_MAX = 1_000_000;
/** A row that was written goes with its definition, a week after its last launch at the earliest. */
const KNOWN_MS = 86_400_000;

/** Makes what keeps the text of a launch, before it is launched. Answers its hash; null: it was posted as a tree. */
export function makeSourceKeeper(
  parts: Pick<Parts, 'store' | 'clock'>,
): (definition: string, text: unknown) => Promise<string | null> {
  const known = makeBoundedMap<number>(KNOWN_MAX);
  const hashes = makeBoundedMap<string>(HASHED_CHARACTERS_MAX);
  const hashOf = (text: string): string => {
    const remembered = hashes.get(text);
    if (remembered !== undefined) return remembered;
    const hash = sourceHash(text);
    hashes.set(text, hash, text.length);
    return hash;
  };
  return async (definition, text) => {
    if (typeof text !== 'string') return null;
    const hash = hashOf(text);
    const key = `${definition} ${hash}`;
    const now = parts.clock.now();
    const keptAt = known.get(key);
    if (keptAt === undefined || now - keptAt > KNOWN_MS) {
      await parts.store.sources.keep({ definition, hash, text });
      known.set(key, now);
    }
    return hash;
  };
}

/** Byte for byte; where there is no text, the tree as JSON. */
export async function getSource(parts: Parts, call: Call): Promise<Reply> {
  const id = workflowIdOf(call);
  const row = await parts.store.read.workflow(call.principal.tenant, id);
  if (row === null) throw noSuchWorkflow(id);
  const key = row.source === null ? null : { definition: row.definition, hash: row.source };
  const posted = key === null ? null : await parts.store.sources.text(key);
  const text = posted ?? JSON.stringify(await treeOf(parts, row.definition));
  const { type, extension } = formatOf(text);
  return {
    ...{ kind: 'text', status: 200, type, text },
    headers: { 'Content-Disposition': `attachment; filename="${id}.${extension}"` },
  };
}

/** The tree of the definition, and the expressions that live in it. */
export async function getTree(parts: Parts, call: Call): Promise<Reply> {
  const reply = await show(parts, call);
  if (reply.kind !== 'text') return reply;
  const { id, tree, expressions, expressions_cursor } = JSON.parse(reply.text) as JsonObject;
  return jsonReply(200, { id, tree, expressions, expressions_cursor } as JsonObject);
}

async function treeOf(parts: Parts, hash: string) {
  const tree = await parts.trees.tree(hash);
  return tree === null ? null : treeToJson(tree);
}

/** What a text is is told by its first character, as its reader does. */
function formatOf(text: string): { readonly type: string; readonly extension: string } {
  const first = text.trimStart()[0];
  if (first === '<') return { type: 'application/xml', extension: 'xml' };
  return first === '[' || first === '{'
    ? { type: 'application/json', extension: 'json' }
    : { type: 'text/plain', extension: 'radial' };
}
