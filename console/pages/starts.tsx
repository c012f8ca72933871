import { useState } from 'preact/hooks';
import { isObject, type Json, type JsonObject } from '../../src/model/json.ts';
import { Button, Dialog, type useAction } from '../parts/action.tsx';
import { keysOf } from '../parts/definition-keys.ts';
import { Table } from '../parts/list.tsx';
import { ProblemNote } from '../parts/problem.tsx';
import { Text } from '../parts/said.tsx';
import { SchemaField } from '../parts/schema-form.tsx';
import { objectsOf, textOf } from '../picture/standing.ts';

/* What launches a stored definition by itself: events from outside, and times. */

const text = (title: string, description = ''): JsonObject => ({ type: 'string', title, description });
const TRIGGERS: JsonObject = {
  type: 'array',
  title: 'Events',
  maxItems: 20,
  items: {
    type: 'object',
    title: 'Event',
    required: ['type'],
    properties: {
      type: text('Type', 'such as order.placed'),
      source: text('Source', 'only events of this source'),
      key: text('Key', 'only events with this key'),
      where: text('Where', 'only where this condition holds, such as ${f:data.total} > 100'),
      business_key: text('Business key', 'what the workflow is known by, such as ${f:data.id}'),
      fields: { title: 'Fields', description: 'what the workflow begins with' },
      enabled: { type: 'boolean', title: 'On', default: true },
    },
  },
};
const SCHEDULES: JsonObject = {
  type: 'array',
  title: 'Times',
  maxItems: 20,
  items: {
    type: 'object',
    title: 'Time',
    properties: {
      name: text('Name'),
      cron: text('Cron line', 'such as 0 9 * * 1-5; this, or Every, or Once'),
      every: text('Every', 'a duration, such as 1h'),
      at: { type: 'string', format: 'date-time', title: 'Once, at (UTC)' },
      zone: text('Zone', 'such as Europe/Rome; UTC unless said'),
      overlap: { title: 'While the one before is not over', enum: ['skip', 'queue', 'allow', 'cancel'] },
      catch_up: { title: 'What was missed', enum: ['none', 'one', 'all'] },
      fields: { title: 'Fields', description: 'what the workflow begins with' },
      paused: { type: 'boolean', title: 'Paused' },
    },
  },
};

/** What is empty is left out: it means that nothing was said. */
const stripped = (list: Json | undefined): Json =>
  (Array.isArray(list) ? (list as readonly Json[]) : []).map((one) =>
    isObject(one) ? Object.fromEntries(Object.entries(one).filter(([, value]) => value !== '')) : one,
  );

/** The events that start it, and a way to change them and its times. */
export function Starts({ shown, edit }: { readonly shown: JsonObject; readonly edit: () => void }) {
  const triggers = objectsOf(shown['triggers']);
  return (
    <section class="stack" aria-label="What starts it">
      <div class="row apart">
        <h2>What starts it by itself</h2>
        <Button look="tiny" needs="operate" onPress={edit}>
          Events and times…
        </Button>
      </div>
      {triggers.length === 0 ? (
        <p class="small dim">No event does.</p>
      ) : (
        <Table
          rows={triggers}
          keyOf={(one) => JSON.stringify(one)}
          columns={[
            { title: 'Event', look: 'mono small', cell: (one) => <Text text={textOf(one['type'])} /> },
            { title: 'Source', look: 'mono small', cell: (one) => <Text text={textOf(one['source'])} /> },
            { title: 'Key', look: 'mono small', cell: (one) => <Text text={textOf(one['key'])} /> },
            { title: 'Where', look: 'mono small', cell: (one) => <Text text={textOf(one['where'])} /> },
            { title: 'State', cell: (one) => (one['enabled'] === false ? 'off' : 'on') },
          ]}
        />
      )}
    </section>
  );
}

/** Both lists as a form. Saving makes a new version with the same text. */
export function StartsDialog({
  path,
  shown,
  etag,
  action,
  close,
}: {
  readonly path: string;
  readonly shown: JsonObject;
  readonly etag: string | null;
  readonly action: ReturnType<typeof useAction>;
  readonly close: () => void;
}) {
  const [triggers, setTriggers] = useState<Json | undefined>(shown['triggers'] ?? []);
  const [schedules, setSchedules] = useState<Json | undefined>(shown['schedules'] ?? []);
  return (
    <Dialog title={`What starts ${textOf(shown['name'])}`} close={close}>
      <p>Saved as a new version with the same text, which is active at once.</p>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void action.act({
            path,
            method: 'PUT',
            body: {
              definition: shown['definition'] ?? '',
              ...keysOf(shown),
              triggers: stripped(triggers),
              schedules: stripped(schedules),
            },
            ...(etag === null ? {} : { ifMatch: etag }),
          });
        }}
      >
        <SchemaField
          schema={TRIGGERS}
          name="triggers"
          pointer="triggers"
          value={triggers}
          wrong={[]}
          change={setTriggers}
        />
        <SchemaField
          schema={SCHEDULES}
          name="schedules"
          pointer="schedules"
          value={schedules}
          wrong={[]}
          change={setSchedules}
        />
        {action.problem !== null && <ProblemNote problem={action.problem} />}
        <div class="row">
          <Button type="submit" look="primary" needs="operate" busy={action.busy}>
            Save
          </Button>
          <Button onPress={close}>Close</Button>
        </div>
      </form>
    </Dialog>
  );
}
