import { Fault } from '../../../model/fault.ts';
import type { JsonObject } from '../../../model/json.ts';
import { nameComplaint, specComplaints } from '../../../registry/participant-spec.ts';
import { PARTICIPANTS_MAX, type ParticipantEntry } from '../../../registry/participants.ts';
import { answers } from '../../answers.ts';
import { shown } from '../../ids.ts';
import { type Call, jsonReply, type Operation, type Reply } from '../../operation.ts';
import { cursorFor, cursorOf, limitOf } from '../../page.ts';
import type { Parts } from '../../parts.ts';
import { Problem } from '../../problem.ts';
import { timeView } from '../../time.ts';
import { askedView, figuresOf } from './figures.ts';
import { Form, Participant, ParticipantFigures, ParticipantList, ParticipantPut } from './schemas.ts';

/** Who does the work, by name and by pattern of names. */
export function participantOperations(parts: Parts): readonly Operation[] {
  const { participants, memory } = parts.registry;
  const path = '/v1/participants/:participant';

  return [
    {
      id: 'listParticipants',
      method: 'get',
      path: '/v1/participants',
      summary: 'Registered participants, the newest first',
      access: 'read',
      query: [
        { name: 'limit', description: 'Items per page, 1 to 1000, usually 100' },
        { name: 'cursor', description: 'The next_cursor of the page before' },
      ],
      answers: answers(200, 'A page', ParticipantList, 400),
      handle: async (call) => {
        const limit = limitOf(call.query);
        const after = cursorOf('participants', call.query);
        const { tenant } = call.principal;
        const all = participants.list(tenant);
        const from = after === null ? 0 : all.findIndex((one) => isBehind(one, after));
        const rest = from < 0 ? [] : all.slice(from);
        const page = rest.slice(0, limit);
        const last = page.at(-1);
        const names = page.map(({ name }) => name);
        const figures = names.length === 0 ? null : await parts.figures?.participants(tenant, names);
        return jsonReply(200, {
          participants: page.map((entry) => {
            const asked = figures?.get(entry.name);
            return { ...view(entry), figures: asked === undefined ? null : askedView(asked) };
          }),
          next_cursor: last === undefined || rest.length <= limit ? null : cursorFor('participants', placeOf(last)),
        });
      },
    },
    {
      id: 'putParticipant',
      method: 'put',
      path,
      summary: 'Register a participant, or change it',
      access: 'admin',
      audit: { action: 'participant.put' },
      body: { schema: ParticipantPut, checked: 'here' },
      answers: {
        ...answers(201, 'It is registered, on all nodes', Participant, 412, 422),
        200: { description: 'It is changed; the next try meets it', schema: Participant },
      },
      handle: async (call) => {
        const name = nameOf(call);
        const wrong = nameComplaint(name);
        if (wrong !== null) throw invalid([{ detail: `the name ${wrong}`, pointer: '#' }]);
        const complaints = specComplaints(call.body, parts.targetComplaint);
        if (complaints.length > 0) throw invalid(complaints);
        const { tenant } = call.principal;
        const before = participants.get(tenant, name);
        checkMatch(call, before);
        const conditional = call.header('if-match') !== null || call.header('if-none-match') !== null;
        for (let tries = 0; ; tries++) {
          const put = await participants.put(tenant, name, call.body, conditional ? (before?.revision ?? null) : null);
          if (put === 'full')
            throw new Fault('limit_exceeded', `There are ${PARTICIPANTS_MAX} participants, as many as there may be`);
          if (put !== 'changed')
            return answered(put.isNew ? 201 : 200, put.entry, await memory.spread(), parts.basePath());
          if (conditional || tries >= CHANGED_MAX) throw changed(name);
          await memory.refresh();
        }
      },
    },
    {
      id: 'getParticipant',
      method: 'get',
      path,
      summary: 'One registered participant',
      access: 'read',
      answers: answers(200, 'With its ETag; secrets are ***', Participant, 404),
      handle: async (call) => {
        const entry = entryOf(call);
        const figures = await figuresOf(parts, call.principal.tenant, entry.name);
        return jsonReply(200, { ...view(entry), figures }, { ETag: etagOf(entry) });
      },
    },
    {
      id: 'getParticipantFigures',
      method: 'get',
      path: '/v1/stats/participants/:participant',
      summary: 'How a participant is doing, registered or not',
      access: 'read',
      answers: answers(200, 'As of now', ParticipantFigures),
      handle: async (call) =>
        jsonReply(200, { name: nameOf(call), figures: await figuresOf(parts, call.principal.tenant, nameOf(call)) }),
    },
    {
      id: 'deleteParticipant',
      method: 'delete',
      path,
      summary: 'Register a participant no more',
      access: 'admin',
      audit: { action: 'participant.delete' },
      answers: answers(204, 'It is gone, on all nodes', null, 404, 412),
      handle: async (call) => {
        const entry = entryOf(call);
        checkMatch(call, entry);
        if (!(await participants.delete(call.principal.tenant, entry.name, entry.revision))) throw changed(entry.name);
        return { kind: 'empty', status: 204, headers: spreadHeaders(await memory.spread()) };
      },
    },
    {
      id: 'getForm',
      method: 'get',
      path: '/v1/forms/:participant',
      summary: 'What a person is asked for',
      access: 'read',
      answers: answers(200, 'The form of its participant', Form, 404),
      handle: (call) => {
        const name = nameOf(call);
        const found = participants.find(call.principal.tenant, name);
        if (found === null || found.form === null)
          throw new Problem('form_not_found', `No participant ${shown(name)} has a form`);
        return jsonReply(200, { name, form: found.form });
      },
    },
  ];

  /** @throws Problem when there is none, or it is another tenant's */
  function entryOf(call: Call): ParticipantEntry {
    const entry = participants.get(call.principal.tenant, nameOf(call));
    if (entry === null) throw new Problem('participant_not_found', `There is no participant ${shown(nameOf(call))}`);
    return entry;
  }
}

/** A write that met another one is tried again so often. */
const CHANGED_MAX = 3;

const nameOf = ({ params }: Call): string => params['participant'] ?? '';

const etagOf = ({ revision }: ParticipantEntry): string => `"${revision}"`;

function checkMatch(call: Call, entry: ParticipantEntry | null): void {
  const match = call.header('if-match');
  const none = call.header('if-none-match');
  const fits = (header: string): boolean =>
    entry !== null && (header.trim() === '*' || header.split(',').some((tag) => tag.trim() === etagOf(entry)));
  if (match !== null && !fits(match)) throw changed(nameOf(call));
  if (none !== null && fits(none)) throw changed(nameOf(call));
}

const changed = (name: string): Fault =>
  new Fault('precondition_failed', `The participant ${shown(name)} is not as the request expects it: read it again`);

const invalid = (complaints: readonly { readonly detail: string; readonly pointer: string }[]): Problem =>
  new Problem(
    'request_invalid',
    complaints
      .map(({ detail }) => detail)
      .slice(0, 5)
      .join('; '),
    { complaints },
  );

/** What is said where a node did not answer in time. */
const NOT_EVERYWHERE = 'registry not everywhere yet';

/** What a caller is told whose write not all nodes know yet. */
export const spreadHeaders = (isEverywhere: boolean): Readonly<Record<string, string>> =>
  isEverywhere ? {} : { 'Rota-Warning': NOT_EVERYWHERE };

function answered(status: number, entry: ParticipantEntry, isEverywhere: boolean, base: string): Reply {
  return jsonReply(status, view(entry), {
    ETag: etagOf(entry),
    ...(status === 201 ? { Location: `${base}/v1/participants/${encodeURIComponent(entry.name)}` } : {}),
    ...spreadHeaders(isEverywhere),
  });
}

const view = ({ name, spec, createdAt, changedAt }: ParticipantEntry): JsonObject => ({
  name,
  kind: 'callback',
  ...spec,
  created_at: timeView(createdAt),
  updated_at: timeView(changedAt),
});

/** Newest first, then by name. */
const placeOf = ({ createdAt, name }: ParticipantEntry): string => JSON.stringify([createdAt, name]);
function isBehind(entry: ParticipantEntry, place: string): boolean {
  const [createdAt, name] = JSON.parse(place) as readonly [number, string];
  return entry.createdAt < createdAt || (entry.createdAt === createdAt && entry.name > name);
}
