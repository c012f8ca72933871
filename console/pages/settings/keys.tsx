import { useState } from 'preact/hooks';
import { isObject, type JsonObject } from '../../../src/model/json.ts';
import { part } from '../../api/calls.ts';
import { me } from '../../api/session.ts';
import { useResource } from '../../live/resource.ts';
import { Button, Dialog, useAction } from '../../parts/action.tsx';
import { Chip } from '../../parts/glyph.tsx';
import { ListState, Table } from '../../parts/list.tsx';
import { ProblemNote } from '../../parts/problem.tsx';
import { Text, Time } from '../../parts/said.tsx';
import { ShownOnce, TypedDialog } from '../../parts/typed.tsx';
import { objectsOf, textOf, textOrNull } from '../../picture/standing.ts';

const SCOPES = ['read', 'launch', 'operate', 'admin'] as const;
type Doing = { readonly verb: 'rotate' | 'revoke'; readonly key: JsonObject };

/** API keys: who has them, what they may do, when they were used. */
export function Keys() {
  const list = useResource('v1/keys?limit=200');
  const [making, make] = useState(false);
  const [doing, act] = useState<Doing | null>(null);
  const [shown, show] = useState<string | null>(null);
  const keys = isObject(list.value.value) ? objectsOf(list.value.value['keys']) : [];
  const done = (answer: unknown): void => {
    make(false);
    act(null);
    if (isObject(answer) && typeof answer['key'] === 'string') show(answer['key']);
    void list.again();
  };
  return (
    <section class="stack" aria-label="Keys">
      <div class="row apart">
        <h2>Keys</h2>
        <Button look="primary" needs="admin" onPress={() => make(true)}>
          New key…
        </Button>
      </div>
      {me.value?.kind === 'open' && (
        <p class="note warn small">
          This server asks nobody who they are. With the first key it does: then this page asks for that key, too.
        </p>
      )}
      <ListState list={list} count={keys.length} empty="There is no key yet" />
      <Table
        rows={keys}
        keyOf={(one) => textOf(one['id'])}
        columns={[
          {
            title: 'State',
            cell: (one) => (
              <Chip state={one['status'] === 'active' ? 'delivered' : 'cancelled'} word={textOf(one['status'])} />
            ),
          },
          { title: 'Name', cell: (one) => <Text text={textOf(one['name'])} /> },
          { title: 'Begins with', look: 'mono small', cell: (one) => `${textOf(one['prefix'])}_…` },
          { title: 'Scopes', cell: (one) => (Array.isArray(one['scopes']) ? one['scopes'].join(', ') : '') },
          { title: 'Tenant', cell: (one) => <Text text={textOf(one['tenant'])} /> },
          { title: 'Made', cell: (one) => <Time at={textOrNull(one['created_at'])} /> },
          { title: 'Last used', cell: (one) => <Time at={textOrNull(one['last_used_at'])} /> },
          { title: 'Ends', cell: (one) => <Time at={textOrNull(one['expires_at'])} /> },
          {
            title: 'Do',
            look: 'act',
            cell: (one) =>
              one['status'] === 'active' ? (
                <div class="row">
                  <Button look="tiny" needs="admin" onPress={() => act({ verb: 'rotate', key: one })}>
                    Rotate…
                  </Button>
                  <Button look="tiny danger" needs="admin" onPress={() => act({ verb: 'revoke', key: one })}>
                    Revoke…
                  </Button>
                </div>
              ) : null,
          },
        ]}
      />
      {making && <NewKey close={() => make(false)} done={done} />}
      {doing !== null && (
        <TypedDialog
          title={`${doing.verb === 'rotate' ? 'Rotate' : 'Revoke'} the key ${textOf(doing.key['name'])}`}
          word={textOf(doing.key['name'])}
          verb={doing.verb === 'rotate' ? 'Rotate it' : 'Revoke it'}
          path={`v1/keys/${part(textOf(doing.key['id']))}/${doing.verb}`}
          close={() => act(null)}
          done={done}
        >
          <p>
            {doing.verb === 'rotate'
              ? 'It gets another secret, shown once; the one before holds for one more day.'
              : 'Nobody is let in with it any more, and sessions begun with it end.'}{' '}
            Last used <Time at={textOrNull(doing.key['last_used_at'])} />.
          </p>
        </TypedDialog>
      )}
      {shown !== null && <ShownOnce title="The new key" text={shown} close={() => show(null)} />}
    </section>
  );
}

function NewKey({ close, done }: { readonly close: () => void; readonly done: (answer: unknown) => void }) {
  const [name, setName] = useState('');
  const [scopes, setScopes] = useState<readonly string[]>(['read']);
  const [days, setDays] = useState('');
  const action = useAction((answer) => done(answer.value));
  const why =
    name.trim() === ''
      ? 'give it a name'
      : scopes.length === 0
        ? 'choose a scope'
        : days === '' || /^[1-9]\d{0,3}$/.test(days)
          ? null
          : 'days are a whole number';
  return (
    <Dialog title="New key" close={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (why === null)
            void action.act({
              path: 'v1/keys',
              body: {
                name: name.trim(),
                scopes: [...scopes],
                ...(days === '' ? {} : { expires_in: Number(days) * 86_400 }),
              },
            });
        }}
      >
        <label class="field">
          <span class="label">Name</span>
          <input value={name} maxLength={100} onInput={(event) => setName(event.currentTarget.value)} />
        </label>
        <fieldset class="row">
          <legend class="label">It may</legend>
          {SCOPES.map((scope) => (
            <label class="row" key={scope}>
              <input
                type="checkbox"
                checked={scopes.includes(scope)}
                onChange={(event) =>
                  setScopes(event.currentTarget.checked ? [...scopes, scope] : scopes.filter((one) => one !== scope))
                }
              />
              {scope}
            </label>
          ))}
        </fieldset>
        <label class="field">
          <span class="label">Days until it ends (optional)</span>
          <input value={days} inputMode="numeric" onInput={(event) => setDays(event.currentTarget.value.trim())} />
        </label>
        {action.problem !== null && <ProblemNote problem={action.problem} />}
        <div class="row">
          <Button type="submit" look="primary" needs="admin" busy={action.busy} why={why}>
            Make it
          </Button>
          <Button onPress={close}>Close</Button>
        </div>
      </form>
    </Dialog>
  );
}
