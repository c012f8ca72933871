import { describe, expect, test } from 'vitest';
import { readDefinition, readTree } from '../../src/definition/read.ts';
import { treeToJson, treeToStored } from '../../src/model/tree.ts';
import { JSON_VECTORS, RADIAL, type Vector, XML } from './vectors.ts';

const FORMATS: readonly (readonly ['radial' | 'xml' | 'json', readonly Vector[]])[] = [
  ['radial', RADIAL],
  ['xml', XML],
  ['json', JSON_VECTORS],
];

describe.each(FORMATS)('%s', (format, vectors) => {
  const read = vectors.filter((vector) => 'tree' in vector).map((vector) => [vector.name, vector] as const);
  const refused = vectors.filter((vector) => !('tree' in vector)).map((vector) => [vector.name, vector] as const);

  test.each(read)('%s is read', (_name, vector) => {
    const result = readDefinition(vector.text);
    if (!result.ok) throw new Error(JSON.stringify(result.errors));
    expect(result.format).toBe(format);
    expect(treeToJson(result.tree)).toEqual('tree' in vector ? vector.tree : undefined);
  });

  test.each(refused)('%s is refused with its place', (_name, vector) => {
    const result = readDefinition(vector.text);
    if (result.ok) throw new Error(`read as ${JSON.stringify(treeToJson(result.tree))}`);
    const { message, line, column } = result.errors[0] ?? {};
    expect({ message, line, column }).toEqual({
      message: expect.stringContaining('refused' in vector ? vector.refused : '?'),
      line: 'line' in vector ? vector.line : 0,
      column: 'column' in vector ? vector.column : 0,
    });
  });
});

test('the first character tells the format', () => {
  const format = (text: string): string | null => {
    const result = readDefinition(text);
    return result.ok ? result.format : null;
  };
  expect(format('\uFEFF \n\t<define/>')).toBe('xml');
  expect(format('\uFEFF \n\t["define",{},[]]')).toBe('json');
  expect(format(' \n  define')).toBe('radial');
  expect(format('define a: "<b/>"')).toBe('radial');
  expect(format('<define> alpha')).toBe(null);
  expect(format('[define] x')).toBe(null);
});

test('attributes keep their order, also those that look like numbers', () => {
  const order = (text: string): string[] => {
    const result = readDefinition(text);
    return result.ok ? [...result.tree.attributes.keys()] : [];
  };
  expect(order('["a",{"b":1,"10":2,"1":null,"b":3},[]]')).toEqual(['b', '10', '1']);
  expect(order('a b: 1, 10: 2, 1, b: 3')).toEqual(['b', '10', '1']);
  expect(order('<a c="1" b="2">10</a>')).toEqual(['c', 'b', '10']);
});

test('nothing a definition says changes what objects are', () => {
  for (const text of [
    '["a",{"__proto__":{"polluted":1},"x":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}},[]]',
    'a __proto__: { polluted: 1 }, x: { __proto__: { polluted: 1 } }',
    '<__proto__ polluted="1" __proto__="2"><prototype/></__proto__>',
  ]) {
    const result = readDefinition(text);
    expect(result.ok).toBe(true);
    expect('polluted' in {}).toBe(false);
    if (!result.ok) continue;
    const nested = result.tree.attributes.get('x');
    if (typeof nested === 'object' && nested !== null) expect(Object.getPrototypeOf(nested)).toBe(Object.prototype);
  }
});

describe('what no definition may be', () => {
  const refusal = (text: string): string => {
    const result = readDefinition(text);
    return result.ok ? 'read' : result.errors.map(({ message }) => message).join('\n');
  };

  test('an expression that reads files or changes participants', () => {
    for (const name of ['read', 'registerp', 'unregisterp']) {
      expect(refusal(name)).toContain('not supported');
      expect(refusal(`sequence\n  ${name} x`)).toContain('not supported');
      expect(refusal(`<sequence><${name}/></sequence>`)).toContain('not supported');
    }
  });

  test('but rules and parameters may have such names', () => {
    expect(refusal('filter\n  read type: string\n  define type: string\n  repeat type: number')).toBe('read');
    expect(refusal('participant alpha\n  read x\n    define')).toBe('read');
  });

  test('a definition inside that nobody could call', () => {
    expect(refusal('define\n  define\n    alpha')).toContain('needs a name');
    expect(refusal('sequence\n  process-definition revision: 1\n    alpha')).toContain('needs a name');
    expect(refusal('define\n  define sub\n    alpha\n  define name: 1')).toBe('read');
    expect(refusal('define\n  alpha')).toBe('read');
  });

  test('a loop or a schedule with nothing in it', () => {
    for (const name of ['loop', 'repeat', 'cron', 'every']) {
      expect(refusal(`sequence\n  ${name} x`)).toContain('has nothing to');
      expect(refusal(`sequence\n  ${name} x\n    alpha`)).toBe('read');
    }
    expect(refusal('sequence\n  cursor')).toBe('read');
  });

  test('a call to another engine', () => {
    expect(refusal('sequence\n  subprocess x, engine: y')).toContain('engine');
    expect(refusal('sequence\n  alpha engine: y')).toBe('read');
  });

  test('all complaints come at once, in document order, up to a number', () => {
    const result = readDefinition(`define\n${'  define\n  read x\n'.repeat(100)}`);
    if (result.ok) throw new Error('read');
    expect(result.errors.length).toBe(20);
    expect(result.errors.map(({ line }) => line)).toEqual(Array.from({ length: 20 }, (_, i) => i + 2));
  });
});

test('complaints are short and well-formed, however long the name they are about', () => {
  const long = `x${'🎉'.repeat(50_000)}`;
  const name = 'y'.repeat(100_000);
  for (const text of [
    `${long}\n${long}`,
    `a ${long}: ]`,
    `<${name}>`,
    `<${name}></b>`,
    `<b></${name}>`,
    `<b ${name}="1" ${name}="2"/>`,
    `["a",{"${long}" 1},[]]`,
    `["a",{"${long}":"\\u0000"},[]]`,
    '["a",{"b":"\\\0"},[]]',
    '["a",{"b":"\\\ud83c"},[]]',
    `a 1${'0'.repeat(10_000)}`,
  ]) {
    const result = readDefinition(text);
    if (result.ok) throw new Error(text.slice(0, 20));
    const message = result.errors[0]?.message ?? '';
    expect(message.length).toBeLessThan(300);
    expect(message).toMatch(/^[^\0]+$/);
    expect(message).not.toMatch(/\p{Surrogate}/u);
  }
});

describe('bounds', () => {
  const refusal = (text: string): string => {
    const result = readDefinition(text);
    return result.ok ? 'read' : (result.errors[0]?.message ?? '');
  };
  const nested = {
    xml: (depth: number) => `${'<a>'.repeat(depth)}${'</a>'.repeat(depth)}`,
    json: (depth: number) => `${'["a",{},['.repeat(depth)}${']]'.repeat(depth)}`,
    radial: (depth: number) => Array.from({ length: depth }, (_, i) => `${' '.repeat(i)}a x`).join('\n'),
  };
  const values = {
    json: (depth: number) => `["a",{"b":${'['.repeat(depth)}${']'.repeat(depth)}},[]]`,
    radial: (depth: number) => `a b: ${'['.repeat(depth)}${']'.repeat(depth)}`,
    'json objects': (depth: number) => `["a",{"b":${'{"c":'.repeat(depth)}1${'}'.repeat(depth)}},[]]`,
    'radial objects': (depth: number) => `a b: ${'{ c: '.repeat(depth)}1 ${' }'.repeat(depth)}`,
  };

  test.each(Object.entries(nested))('%s: a hundred levels of expressions and no more', (_format, text) => {
    expect(refusal(text(100))).toBe('read');
    expect(refusal(text(101))).toContain('nested more than 100 deep');
    expect(refusal(text(1_000))).toContain('nested more than 100 deep');
  });

  test.each(Object.entries(values))('%s: a hundred levels in a value and no more', (_format, text) => {
    expect(refusal(text(100))).toBe('read');
    expect(refusal(text(101))).toMatch(/deep/);
    expect(refusal(text(50_000))).toMatch(/deep/);
  });

  test('a megabyte of text and no more, counted in bytes', () => {
    expect(refusal(`a ${'x'.repeat(1_048_574)}`)).toBe('read');
    expect(refusal(`a ${'x'.repeat(1_048_575)}`)).toContain('bigger than 1048576 bytes');
    expect(refusal(`a ${'é'.repeat(524_288)}`)).toContain('bigger than 1048576 bytes');
  });

  test('fifty thousand expressions and no more', () => {
    const wide = {
      radial: (n: number) => `a\n${' b\n'.repeat(n - 1)}`,
      xml: (n: number) => `<a>${'<b/>'.repeat(n - 1)}</a>`,
      json: (n: number) => `["a",{},[${'["b",{},[]],'.repeat(n - 2)}["b",{},[]]]]`,
    };
    for (const text of Object.values(wide)) {
      expect(refusal(text(50_000))).toBe('read');
      expect(refusal(text(50_001))).toContain('more than 50000 expressions');
    }
  });

  test('a thousand attributes and no more', () => {
    const names = (n: number): string[] => Array.from({ length: n }, (_, i) => `k${i}`);
    const many = {
      radial: (n: number) => `a ${names(n).join(', ')}`,
      xml: (n: number) =>
        `<a ${names(n)
          .map((name) => `${name}="1"`)
          .join(' ')}/>`,
      json: (n: number) => JSON.stringify(['a', Object.fromEntries(names(n).map((name) => [name, 1])), []]),
    };
    for (const text of Object.values(many)) {
      expect(refusal(text(1_000))).toBe('read');
      expect(refusal(text(1_001))).toContain('more than 1000 attributes');
    }
  });

  test('a caller may set narrower ones', () => {
    expect(readDefinition('a\n b\n  c', { limits: { depth: 2 } }).ok).toBe(false);
    expect(readDefinition('a\n b\n  c', { limits: { bytes: 5 } }).ok).toBe(false);
    expect(readTree(['a', {}, [['b', {}, []]]], { limits: { bytes: 10 } }).ok).toBe(false);
  });
});

describe('a tree given as data', () => {
  test('is taken as it is', () => {
    const value = ['define', { name: 'x', a: { b: [1, null] } }, [['alpha', { x: null }, []]]];
    const result = readTree(value);
    if (!result.ok) throw new Error(JSON.stringify(result.errors));
    expect(treeToJson(result.tree)).toEqual(value);
  });

  test.each([
    [{ a: 1 }, 'at $)'],
    [['a', {}], 'at $)'],
    [[1, {}, []], 'name'],
    [['a', [], []], 'attributes'],
    [['a', [['b', 1]], []], 'attributes'],
    [['a', {}, [['b', {}, ['c']]]], '$[2][0][2][0]'],
    [['a', {}, [['b', {}, [['c', {}, null]]]]], '$[2][0][2][0]'],
    [['a', { b: '\0' }, []], 'U+0000'],
    [['a', {}, [['read', {}, []]]], 'not supported'],
  ])('%j is refused with its path', (value, part) => {
    const result = readTree(value);
    expect(result.ok).toBe(false);
    if (!result.ok) expect(result.errors[0]).toEqual({ message: expect.stringContaining(part), line: 1, column: 1 });
  });

  test('may be as deep as it likes to be refused', () => {
    const deep = JSON.parse(`["a",{"b":${'['.repeat(100_000)}${']'.repeat(100_000)}},[]]`);
    expect(readTree(deep).ok).toBe(false);
    expect(readTree(JSON.parse(`${'["a",{},['.repeat(5_000)}${']]'.repeat(5_000)}`)).ok).toBe(false);
  });

  test('keeps __proto__ as an ordinary attribute', () => {
    const result = readTree(JSON.parse('["a",{"__proto__":{"b":1}},[]]'));
    if (!result.ok) throw new Error('refused');
    expect(treeToStored(result.tree)).toEqual(['a', [['__proto__', { b: 1 }]], []]);
  });
});
