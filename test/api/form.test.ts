import { describe, expect, test } from 'vitest';
import { readForm } from '../../src/api/reading/form.ts';

describe('a form', () => {
  test.each([
    ['', {}],
    ['a=1&b=', { a: '1', b: '' }],
    ['a[b][c]=1&a[b][d]=2', { a: { b: { c: '1', d: '2' } } }],
    ['a.b=1', { 'a.b': '1' }],
    ['a[]=1&a[]=2', { a: ['1', '2'] }],
    ['a[0]=1&a[1]=2', { a: ['1', '2'] }],
    ['a[1]=x', { a: { 1: 'x' } }],
    ['a=1&a=2', { a: ['1', '2'] }],
    ['a[b]=1&a[b]=2', { a: { b: '2' } }],
    [
      'i[][s]=x&i[][q]=1&i[][s]=y&i[][q]=2',
      {
        i: [
          { s: 'x', q: '1' },
          { s: 'y', q: '2' },
        ],
      },
    ],
    ['i[][t][]=1&i[][t][]=2&i[][s]=x', { i: [{ t: ['1', '2'], s: 'x' }] }],
    ['i[][t][u]=1&i[][t][u]=2', { i: [{ t: { u: '1' } }, { t: { u: '2' } }] }],
    ['i[0][s]=x&i[1][s]=y', { i: [{ s: 'x' }, { s: 'y' }] }],
    ['a%5Bb%5D=%C3%A9+%2B', { a: { b: 'é +' } }],
    ['constructor=1&a[toString]=2', { constructor: '1', a: { toString: '2' } }],
  ])('%s is read', (text, value) => {
    expect(readForm(text)).toEqual(value);
  });

  test.each([
    ['a=1&a[b]=2', 'kind'],
    ['a[b]=2&a=1', 'kind'],
    ['a[]=1&a[b]=2', 'kind'],
    ['a[]=1&a[][b]=2', 'kind'],
    ['a=%ff', 'percent'],
    ['a=%', 'percent'],
    ['a=%zz', 'percent'],
    ['a[b=1', 'brackets'],
    ['a]b=1', 'brackets'],
    ['[a]=1', 'brackets'],
    ['a[b]c=1', 'brackets'],
    ['=1', 'brackets'],
    ['a[][][b]=1', 'list in a list'],
    ['a[__proto__][b]=1', '__proto__'],
    ['__proto__=1', '__proto__'],
    [`a${'[b]'.repeat(12)}=1`, 'deep'],
  ])('%s is refused', (text, why) => {
    expect(() => readForm(text)).toThrow(why);
  });
});
