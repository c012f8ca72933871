import { Type } from '../../schema.ts';
import { Fields, reason, Tree } from '../../schema-parts.ts';

/** Body of a replay of an error, or of the re-application of an expression. */
export const Reapply = Type.Object(
  { fields: Type.Optional(Fields), tree: Type.Optional(Tree), reason },
  { title: 'Reapply', description: 'Runs an expression again, with other fields or another tree where they are given' },
);
