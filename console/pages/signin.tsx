import { signIn as codec } from '../address/pages.ts';
import { go, pageOrHome, query } from '../address/router.ts';
import { PageHead } from '../app/page.tsx';
import { SignInForm } from '../app/sign-in.tsx';
import { Mark } from '../parts/glyph.tsx';

/** Where a server that asks for keys sends a browser first; then on to the page it came for. */
export function SignIn() {
  const { state } = codec.read(query.value);
  return (
    <div class="signin">
      <p class="mark">
        <Mark /> Rota
      </p>
      <PageHead title="Sign in" takes={false} />
      <p class="dim">
        This server asks who you are. A key comes from whoever looks after it, or from <code>rota keys create</code>.
      </p>
      <SignInForm done={() => go(pageOrHome(state.next), 'replace')} />
    </div>
  );
}
