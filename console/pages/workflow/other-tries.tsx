import { Fragment } from 'preact';
import { isObject } from '../../../src/model/json.ts';
import { part } from '../../api/calls.ts';
import { useResource } from '../../live/resource.ts';
import { WorkflowLink } from '../../parts/said.tsx';
import { objectsOf, textOf } from '../../picture/standing.ts';

/** Other tries that are named, the newest. */
const SHOWN = 3;

/** Workflows that were launched again from a place of this one: the other end of what they say themselves. */
export function OtherTries({ id }: { readonly id: string }) {
  const list = useResource(`v1/workflows?retry_of=${part(id)}&limit=${SHOWN + 1}`);
  const tries = isObject(list.value.value) ? objectsOf(list.value.value['workflows']) : [];
  if (tries.length === 0) return null;
  return (
    <span>
      launched again as{' '}
      {tries.slice(0, SHOWN).map((one) => (
        <Fragment key={textOf(one['id'])}>
          <WorkflowLink id={textOf(one['id'])} />{' '}
        </Fragment>
      ))}
      {tries.length > SHOWN && 'and others'}
    </span>
  );
}
