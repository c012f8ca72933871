import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';

/**
 * A part of a page that is loaded when it is shown for the first time; from then on it is there at once.
 *
 * @param failed what is said where it could not be loaded
 */
export function later<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
  failed = 'This part of the page could not be loaded: a newer version may run here, or the server does not answer. Reload the page.',
): ComponentType<Props> & { readonly fetch: () => Promise<unknown> } {
  let loaded: ComponentType<Props> | null = null;
  /** For whoever waits with the page until the part is there. */
  const fetch = async (): Promise<ComponentType<Props>> => {
    loaded ??= await load();
    return loaded;
  };
  function Later(props: Props) {
    const [Part, setPart] = useState<ComponentType<Props> | null>(() => loaded);
    const [hasFailed, setFailed] = useState(false);
    useEffect(() => {
      // What came between this part's first drawing and now is taken, too.
      if (Part !== null) return;
      let gone = false;
      fetch().then(
        (part) => gone || setPart(() => part),
        () => gone || setFailed(true),
      );
      return () => {
        gone = true;
      };
    }, []);
    if (hasFailed)
      return (
        <p class="problem" role="alert">
          {failed}
        </p>
      );
    return Part === null ? <div class="skeleton fill" /> : <Part {...props} />;
  }
  return Object.assign(Later, { fetch });
}
