import { useState } from 'preact/hooks';
import { isObject, type JsonObject } from '../../../src/model/json.ts';
import { part } from '../../api/calls.ts';
import { useResource } from '../../live/resource.ts';
import { Button, Dialog, useAction } from '../../parts/action.tsx';
import { Chip } from '../../parts/glyph.tsx';
import { ListState, Table } from '../../parts/list.tsx';
import { ProblemNote } from '../../parts/problem.tsx';
import { Text, Time } from '../../parts/said.tsx';
import { ShownOnce, TypedDialog } from '../../parts/typed.tsx';
import { objectsOf, textOf, textOrNull } from '../../picture/standing.ts';

type Doing = { readonly verb: 'rotate' | 'revoke' | 'reveal'; readonly secret: JsonObject };
const ABOUT = {
  rotate: 'It gets another value; both hold for a while, so that nobody has to change at the same moment.',
  revoke: 'Nothing is signed with it any more.',
  reveal: 'It is shown, to be given to its participant; that it was shown stands in the audit.',
} as const;

/** What callbacks are signed with. */
export function Secrets() {
  const list = useResource('v1/secrets?limit=200');
  const [making, make] = useState(false);
  const [doing, act] = useState<Doing | null>(null);
  const [shown, show] = useState<string | null>(null);
  const secrets = isObject(list.value.value) ? objectsOf(list.value.value['secrets']) : [];
  const done = (answer: unknown): void => {
    make(false);
    act(null);
    if (isObject(answer)) {
      const text = textOrNull(answer['secret']) ?? textOrNull(answer['public_key']);
      if (text !== null) show(text);
    }
    void list.again();
  };
  return (
    <section class="stack" aria-label="Secrets">
      <div class="row apart">
        <h2>Secrets</h2>
        <Button look="primary" needs="admin" onPress={() => make(true)}>
          New secret…
        </Button>
      </div>
      <ListState
        list={list}
        count={secrets.length}
        empty="There is no secret yet"
        about="A secret signs the messages that participants are sent, so that they can tell who sent them."
      />
      <Table
        rows={secrets}
        keyOf={(one) => textOf(one['id'])}
        columns={[
          {
            title: 'State',
            cell: (one) => (
              <Chip state={one['status'] === 'active' ? 'delivered' : 'cancelled'} word={textOf(one['status'])} />
            ),
          },
          {
            title: 'For',
            cell: (one) => (one['kind'] === 'webhook' ? 'signing callbacks' : 'tokens of proceed_url'),
          },
          { title: 'Of URLs', look: 'mono small', cell: (one) => <Text text={textOf(one['match']) || 'all'} /> },
          { title: 'Kind', cell: (one) => textOf(one['type']) },
          { title: 'Made', cell: (one) => <Time at={textOrNull(one['created_at'])} /> },
          { title: 'Before it until', cell: (one) => <Time at={textOrNull(one['previous_until'])} /> },
          {
            title: 'Do',
            look: 'act',
            cell: (one) =>
              one['status'] === 'active' ? (
                <div class="row">
                  {one['kind'] === 'webhook' && (
                    <Button look="tiny" needs="admin" onPress={() => act({ verb: 'reveal', secret: one })}>
                      Show…
                    </Button>
                  )}
                  <Button look="tiny" needs="admin" onPress={() => act({ verb: 'rotate', secret: one })}>
                    Rotate…
                  </Button>
                  <Button look="tiny danger" needs="admin" onPress={() => act({ verb: 'revoke', secret: one })}>
                    Revoke…
                  </Button>
                </div>
              ) : null,
          },
        ]}
      />
      {making && <NewSecret close={() => make(false)} done={done} />}
      {doing !== null && (
        <TypedDialog
          title={`${doing.verb.charAt(0).toUpperCase()}${doing.verb.slice(1)} the secret ${textOf(doing.secret['id'])}`}
          word={textOf(doing.secret['id'])}
          verb={doing.verb === 'reveal' ? 'Show it' : doing.verb === 'rotate' ? 'Rotate it' : 'Revoke it'}
          path={`v1/secrets/${part(textOf(doing.secret['id']))}/${doing.verb}`}
          close={() => act(null)}
          done={done}
        >
          <p>{ABOUT[doing.verb]}</p>
          <p>
            {doing.secret['kind'] === 'webhook' ? (
              <>
                It signs what is sent to{' '}
                {textOf(doing.secret['match']) === '' ? (
                  'all URLs that have no other secret'
                ) : (
                  <>
                    URLs that begin with{' '}
                    <span class="mono">
                      <Text text={textOf(doing.secret['match'])} />
                    </span>
                  </>
                )}
                : who takes that checks it with this secret.
              </>
            ) : (
              'It makes the tokens of proceed_url: what participants were given with them is checked with it.'
            )}{' '}
            Made <Time at={textOrNull(doing.secret['created_at'])} how="both" />.
          </p>
        </TypedDialog>
      )}
      {shown !== null && <ShownOnce title="The secret" text={shown} close={() => show(null)} />}
    </section>
  );
}

function NewSecret({ close, done }: { readonly close: () => void; readonly done: (answer: unknown) => void }) {
  const [match, setMatch] = useState('');
  const [type, setType] = useState<'v1' | 'v1a'>('v1');
  const action = useAction((answer) => done(answer.value));
  return (
    <Dialog title="New secret for callbacks" close={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void action.act({
            path: 'v1/secrets',
            body: { kind: 'webhook', type, ...(match.trim() === '' ? {} : { match: match.trim() }) },
          });
        }}
      >
        <label class="field">
          <span class="label">For URLs that begin with (empty: all)</span>
          <input value={match} onInput={(event) => setMatch(event.currentTarget.value)} />
        </label>
        <label class="field">
          <span class="label">Kind</span>
          <select value={type} onChange={(event) => setType(event.currentTarget.value as 'v1' | 'v1a')}>
            <option value="v1">v1: a shared secret (HMAC-SHA256)</option>
            <option value="v1a">v1a: a pair of keys (ed25519); receivers have the public half</option>
          </select>
        </label>
        {action.problem !== null && <ProblemNote problem={action.problem} />}
        <div class="row">
          <Button type="submit" look="primary" needs="admin" busy={action.busy}>
            Make it
          </Button>
          <Button onPress={close}>Close</Button>
        </div>
      </form>
    </Dialog>
  );
}
