import { expect, test } from 'vitest';
import { followedBy, type Op } from '../../src/model/rows.ts';

type Row = { readonly id: string; readonly n: number };
const born: Op<Row> = { kind: 'put', row: { id: 'a', n: 1 }, isNew: true };
const put: Op<Row> = { kind: 'put', row: { id: 'a', n: 2 } };
const patch: Op<Row> = { kind: 'patch', set: { n: 3 } };
const gone: Op<Row> = { kind: 'delete' };

test.each<readonly [string, Op<Row> | undefined, Op<Row>, Op<Row>]>([
  ['alone stays what it is', undefined, born, born],
  ['and changed is new still', born, patch, { kind: 'put', row: { id: 'a', n: 3 }, isNew: true }],
  ['and deleted is deleted', born, gone, gone],
  ['and written whole may have been there before', put, born, { kind: 'put', row: { id: 'a', n: 1 } }],
  ['after a deletion may be there before', gone, born, { kind: 'put', row: { id: 'a', n: 1 } }],
  ['after a change may be there before', patch, born, { kind: 'put', row: { id: 'a', n: 1 } }],
])('a new row %s', (_, first, second, both) => {
  expect(followedBy(first, second)).toEqual(both);
});

test('what was deleted stays so, whatever changes', () => {
  expect(followedBy(gone, patch)).toEqual(gone);
  expect(followedBy(patch, patch)).toEqual(patch);
});
