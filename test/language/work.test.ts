import { expect, test } from 'vitest';
import { LanguageError } from '../../src/language/language-error.ts';
import { bothOf, makeMeter, spendValue } from '../../src/language/work.ts';

const failure = (run: () => void): LanguageError => {
  try {
    run();
  } catch (error) {
    if (error instanceof LanguageError) return error;
    throw error;
  }
  throw new Error('it did not fail');
};

test('a meter lets its budget be spent to the last unit and not one more', () => {
  const meter = makeMeter(10, 'the filter');
  meter.spend(4);
  meter.spend(6);
  expect(meter.spent()).toBe(10);
  const error = failure(() => meter.spend(1));
  expect(error.errorClass).toBe('LimitExceeded');
  expect(error.message).toContain('the filter takes more work than is allowed (more than 10 ');
});

test('of two meters the tighter one ends the work', () => {
  const [wide, tight] = [makeMeter(100, 'wide'), makeMeter(3, 'tight')];
  expect(failure(() => bothOf(wide, tight).spend(4)).message).toContain('tight');
  expect(wide.spent()).toBe(4);
});

test('the size of a value counts its characters, keys and elements', () => {
  const sizeOf = (value: Parameters<typeof spendValue>[1]): number => {
    const meter = makeMeter(1_000, 'it');
    spendValue(meter, value);
    return meter.spent();
  };
  expect(sizeOf(null)).toBe(1);
  expect(sizeOf('four')).toBe(5);
  expect(sizeOf([1, 2])).toBe(5);
  expect(sizeOf({ key: 'text' })).toBe(1 + 4 + 5);
});

test('a value beyond the budget is not read to its end', () => {
  let read = 0;
  const items = new Proxy(new Array<string>(100).fill('x'.repeat(100)), {
    get: (target, key, receiver) => {
      if (typeof key === 'string' && /^\d+$/.test(key)) read += 1;
      return Reflect.get(target, key, receiver) as unknown;
    },
  });
  failure(() => spendValue(makeMeter(50, 'it'), items));
  expect(read).toBe(0);
});
