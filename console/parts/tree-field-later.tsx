import { useEffect, useState } from 'preact/hooks';
import type { TreeField } from './tree-field.tsx';

type Props = Parameters<typeof TreeField>[0];

/** The field in which a tree is edited, loaded when it is wanted: the picture and all that edits it come with it, and most who see a list want neither. */
export function TreeFieldLater(props: Props) {
  const [Field, setField] = useState<typeof TreeField | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    let gone = false;
    import('./tree-field.tsx').then(
      (loaded) => gone || setField(() => loaded.TreeField),
      () => gone || setFailed(true),
    );
    return () => {
      gone = true;
    };
  }, []);
  if (failed)
    return (
      <p class="problem" role="alert">
        What edits a tree could not be loaded. Reload the page and try again; without another tree it goes on as it was.
      </p>
    );
  return Field === null ? <div class="skeleton" /> : <Field {...props} />;
}
