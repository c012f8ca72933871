import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { ParseRuby } from '../definition/ruby/syntax.ts';

/*
 * Ruby's own parser, as WebAssembly: loaded when the first text in Ruby comes, for most servers never see one.
 *
 * The package's own loader is not used for two reasons. It starts the module with Node's WASI, which warns on standard error; the parser
 * asks nothing of a system, so each such call is answered with an error. And the module has a stack of 64 KB between its data and its heap,
 * which a text that is nested a hundred deep fills; beyond that the stack grows into the data, nobody notices, and the tree is a wrong one.
 * So the stack is moved to memory of its own, twelve times as large, with a guard below it that tells when a text was too deep after all.
 */

const PAGE = 65_536;
/** The module as it is published: three pages of memory, and a stack that begins at 164,416. */
const MEMORY = { section: 5, found: [0x01, 0x00, 0x03], wanted: [0x01, 0x00, 0x0f] };
const STACK = {
  section: 6,
  found: [0x7f, 0x01, 0x41, 0xc0, 0x84, 0x0a, 0x0b],
  wanted: [0x7f, 0x01, 0x41, 0x80, 0x80, 0x3c, 0x0b],
};
/** The heap ends where the third page does; the stack begins, downwards, at the end of the fifteenth, which is as far as its number reaches. */
const GUARD_FROM = 3 * PAGE;
const GUARD_BYTES = PAGE;
const GUARD_BYTE = 0xa5;

type Parser = typeof import('@ruby/prism/src/parsePrism.js');
type Exports = Parameters<Parser['parsePrism']>[0] & {
  readonly memory: { readonly buffer: ArrayBuffer };
  _initialize(): void;
};
type Module = object;
/** What is used of the global of this name; Node has it, its types do not. */
type WasmApi = {
  compile(bytes: Uint8Array): Promise<Module>;
  Module: { imports(module: Module): readonly { readonly module: string; readonly name: string }[] };
  Instance: new (module: Module, imports: object) => { readonly exports: Exports };
  RuntimeError: new (message: string) => Error;
};
const wasm = (globalThis as unknown as { readonly WebAssembly: WasmApi }).WebAssembly;

/*
 * How it reads (encoding false: whatever a comment says of the encoding, the text has become UTF-8 on its way here).
 * The oldest grammar the parser knows: the Ruby of definitions is older still, and `it` a name there as any other.
 */
const GRAMMAR = '3.3.0';

let loading: Promise<readonly [Parser, Module]> | null = null;

/** @throws when the package is another one than this file knows */
export async function loadRuby(): Promise<ParseRuby> {
  loading ??= Promise.all([import('@ruby/prism/src/parsePrism.js'), compile()]).catch((error: unknown) => {
    // A file that could not be read just now may be readable the next time.
    loading = null;
    throw error;
  });
  const [{ parsePrism }, module] = await loading;
  let started: Exports | null = null;
  return (text) => {
    try {
      started ??= start(module);
      const syntax = parsePrism(started, text, { version: GRAMMAR, encoding: false });
      if (isGuardWhole(started)) return syntax;
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof wasm.RuntimeError)) throw error;
    }
    // What has run out of its stack is not used again.
    started = null;
    return null;
  };
}

async function compile(): Promise<Module> {
  const published = await readFile(fileURLToPath(import.meta.resolve('@ruby/prism/src/prism.wasm')));
  return wasm.compile(withRoomForStack(published));
}

function start(module: Module): Exports {
  const imports = new Map<string, Record<string, () => number>>();
  for (const { module: of, name } of wasm.Module.imports(module)) {
    const functions = imports.get(of) ?? {};
    functions[name] = () => BAD_DESCRIPTOR;
    imports.set(of, functions);
  }
  const { exports } = new wasm.Instance(module, Object.fromEntries(imports));
  exports._initialize();
  guardOf(exports).fill(GUARD_BYTE);
  return exports;
}

/** WASI's `badf`: there is no such file. */
const BAD_DESCRIPTOR = 8;

const guardOf = ({ memory }: Exports): Uint8Array => new Uint8Array(memory.buffer, GUARD_FROM, GUARD_BYTES);
const isGuardWhole = (exports: Exports): boolean => guardOf(exports).every((byte) => byte === GUARD_BYTE);

function withRoomForStack(published: Uint8Array): Uint8Array {
  const bytes = Uint8Array.from(published);
  for (const { section, found, wanted } of [MEMORY, STACK]) {
    const at = sectionOf(bytes, section);
    // The list of globals begins with how many there are: one byte more or two.
    const from = [0, 1, 2].find((skip) => at !== null && found.every((byte, i) => bytes[at + skip + i] === byte));
    if (at === null || from === undefined)
      throw new Error('@ruby/prism is another version than the one whose memory is known here (src/server/prism.ts)');
    bytes.set(wanted, at + from);
  }
  return bytes;
}

/** Where the content of a section begins. */
function sectionOf(bytes: Uint8Array, wanted: number): number | null {
  let at = 8;
  const number = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const id = bytes[at++];
    const length = number();
    if (id === wanted) return at;
    at += length;
  }
  return null;
}
