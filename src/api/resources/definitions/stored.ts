import { createHash } from 'node:crypto';
import { LIMITS } from '../../../definition/limits.ts';
import { canonicalJson, isObject, type Json, type JsonObject, ownValue, withoutKeys } from '../../../model/json.ts';
import type { Tree } from '../../../model/tree.ts';
import { definitionOf } from '../../../registry/definitions.ts';
import { nameComplaint, readReference, VERSION_MAX } from '../../../registry/names.ts';
import { SEALED_KEY } from '../../../registry/own-participants.ts';
import { roomComplaint, type Wanted } from '../../../registry/room.ts';
import type { Route } from '../../../registry/routes.ts';
import { newSchedules } from '../../../registry/schedules.ts';
import type { ChangedName, DefinitionName, DefinitionVersion } from '../../../store/tables/definition-name.ts';
import { answers } from '../../answers.ts';
import { type Call, jsonReply, type Operation, type Reply } from '../../operation.ts';
import { cursorFor, cursorOf, limitOf } from '../../page.ts';
import type { DefinitionRead, Parts } from '../../parts.ts';
import { Problem } from '../../problem.ts';
import { Reasoned } from '../../schema-parts.ts';
import { timeView } from '../../time.ts';
import { type ApiWarning, warningHeader } from '../../warnings.ts';
import { toolPrefix } from '../mcp/names.ts';
import { Launched } from '../workflows/schemas.ts';
import { makeReadOptions } from './options.ts';
import { callbacksOf, makeRun, noSuchDefinition } from './running.ts';
import {
  Definition,
  DefinitionList,
  DefinitionPost,
  DefinitionPut,
  DefinitionStored,
  DefinitionVersionList,
  Run,
} from './schemas.ts';
import { startsOf } from './starts.ts';
import { textReplyFor } from './text.ts';

/** Times a change is tried against others who change the same name. */
const TRIES_MAX = 5;
/** What a definition may come as, beside JSON. */
const DOCUMENTS = ['text/plain', 'application/xml', 'text/xml', 'application/bpmn+xml'] as const;
const NOT_EVERYWHERE = 'registry not everywhere yet';

/**
 * Definitions under a name: stored in versions that never change, and run by name. It is one thing, for all of them read, check and change the one row of a
 * name by the same rules.
 */
export function storedDefinitionOperations(parts: Parts): readonly Operation[] {
  const path = '/v1/definitions/:definition_name';
  const readOptions = makeReadOptions(parts);
  const run = makeRun(parts);
  const page = [
    { name: 'limit', description: 'Items per page, 1 to 1000, usually 100' },
    { name: 'cursor', description: 'The next_cursor of the page before' },
  ];
  const stored = {
    ...answers(201, 'A new version, active from now on', DefinitionStored, 400, 409, 412, 422),
    200: { description: 'It is the active version already', schema: DefinitionStored },
  };
  return [
    {
      id: 'putDefinition',
      method: 'put',
      path,
      summary: 'Store a definition under a name: a new version, unless it is the one that is active',
      access: 'operate',
      body: { schema: DefinitionPut, checked: 'here', documents: DOCUMENTS },
      answers: stored,
      handle: (call) => put(call, wantedName(call.params['definition_name'] ?? '')),
    },
    {
      id: 'postDefinition',
      method: 'post',
      path: '/v1/definitions',
      summary: 'The same with the name in the body',
      access: 'operate',
      body: { schema: DefinitionPost, checked: 'here' },
      answers: stored,
      handle: (call) => put(call, wantedName(String(call.body['name'] ?? ''))),
    },
    {
      id: 'listDefinitions',
      method: 'get',
      path: '/v1/definitions',
      summary: 'Stored definitions by name',
      access: 'read',
      query: [
        { name: 'prefix', description: 'Only names that begin so' },
        { name: 'q', description: 'Only those with this in their name or description' },
        ...page,
      ],
      answers: answers(200, 'A page', DefinitionList, 400),
      handle: list,
    },
    {
      id: 'getStoredDefinition',
      method: 'get',
      path,
      summary: 'A stored definition: its text and its keys',
      access: 'read',
      query: [{ name: 'version', description: 'The active one where it is left out' }],
      answers: answers(200, 'The active version, or the one asked for', Definition, 404),
      handle: get,
    },
    {
      id: 'deleteDefinition',
      method: 'delete',
      path,
      summary: 'End a name: nothing starts by it any more; its workflows go on',
      access: 'operate',
      answers: {
        204: { description: 'It is gone; a PUT brings it back with the next version' },
        ...answers(404, '', null, 404, 412),
      },
      handle: remove,
    },
    {
      id: 'listDefinitionVersions',
      method: 'get',
      path: `${path}/versions`,
      summary: 'The versions of a definition, the newest first',
      access: 'read',
      query: page,
      answers: answers(200, 'A page', DefinitionVersionList, 400, 404),
      handle: versions,
    },
    {
      id: 'getDefinitionText',
      method: 'get',
      path: `${path}/versions/:version`,
      summary: 'The text of a version, byte for byte, or in the format that Accept asks for',
      access: 'read',
      answers: {
        ...answers(404, '', null, 404, 406),
        200: {
          description: 'The text',
          type: 'text/plain',
          also: ['application/xml', 'application/json', 'application/bpmn+xml'],
        },
      },
      handle: async (call) => {
        const found = await versionOf(call, numberOf(call.params['version'] ?? ''));
        const text = await parts.store.stored.text(found.source);
        if (text === null) throw new Error(`The text of ${found.name}@${found.version} is stored`);
        return textReplyFor(parts, call, { ...found, text });
      },
    },
    {
      id: 'activateDefinition',
      method: 'post',
      path: `${path}/versions/:version/activate`,
      summary: 'Make a version the active one: back, or on',
      access: 'operate',
      body: { schema: Reasoned, checked: 'here' },
      answers: answers(200, 'It is active', DefinitionStored, 404, 409, 412, 422),
      handle: activate,
    },
    {
      id: 'runDefinition',
      method: 'post',
      path: `${path}/run`,
      summary: 'Launch a workflow of a stored definition',
      access: 'launch',
      body: { schema: Run, checked: 'here' },
      answers: {
        ...answers(201, 'It is launched; Location is its address', Launched, 400, 404, 409, 422),
        200: {
          description: 'There is one with this business key already; or it is over, and this is its answer',
          schema: Launched,
        },
      },
      answersItself: true,
      handle: (call) => {
        const { version, ...body } = call.body;
        const reference = readReference(call.params['definition_name'] ?? '');
        if (reference === null) throw noSuchDefinition(call.params['definition_name'] ?? '');
        const pinned = typeof version === 'number' ? version : reference.version;
        return run(call, { name: reference.name, version: pinned, body, startedBy: 'run', waits: true });
      },
    },
  ];

  async function put(call: Call, name: string): Promise<Reply> {
    for (let i = 0; i < TRIES_MAX; i++) {
      const reply = await putOnce(call, name);
      if (reply !== 'stale') return reply;
    }
    throw new Problem('overloaded', 'Others change this definition again and again; try again in a moment');
  }

  async function putOnce(call: Call, name: string): Promise<Reply | 'stale'> {
    const { tenant } = call.principal;
    const before = await parts.store.stored.name(tenant, name);
    checkPreconditions(call, before);
    const isThere = before !== null && before.active !== null;
    const old = isThere ? (JSON.parse(before.options) as JsonObject) : {};
    const body: JsonObject =
      call.document === null ? call.body : { ...withoutKeys(old, SEALED_KEY), definition: call.document.text };
    const text = textIn(body);
    call.large('definition', text.length, LIMITS.bytes);
    const read = parts.definitions.read(text);
    if (!read.ok) throw unreadable(read.errors);
    const format = parts.definitions.formatOf(text);
    const { options, route, isPublic, schedules, warnings } = readOptions(body, read, format === 'bpmn');
    if (isPublic && !call.principal.scopes.has('admin'))
      throw new Problem('scope_missing', 'A public route needs the scope admin');
    if (options['mcp'] === true) checkToolName(tenant, name);
    const optionsText = canonicalJson(parts.registry.own.stored(tenant, name, options, old));
    const sha256 = sha(`${text}\n${optionsText}`);
    const ready = parts.definitions.prepare(read.tree);
    const told = { tenant, name, format, tree: ready.tree, options, warnings, read };
    if (isThere && before.sha256 === sha256)
      return storedReply(200, { ...told, sha256, version: before.active ?? 1 }, []);
    checkRoom(tenant, before, { name, options, characters: optionsText.length, hasRoute: route !== null });
    const last = (before?.last ?? 0) + 1;
    if (last > VERSION_MAX) throw new Problem('limit_exceeded', `A definition has at most ${VERSION_MAX} versions`);
    const now: ChangedName = {
      ...{ tenant, name, active: last, last, ver: (before?.ver ?? 0) + 1 },
      ...{ hash: ready.hash, source: sha(text), sha256, format, options: optionsText },
      ...columnsOf(route, isPublic),
    };
    const outcome = await parts.store.stored.add(
      now,
      { text, stored: ready.text, note: noteIn(body), createdBy: call.principal.actor },
      newSchedules(name, schedules, parts.clock.now(), parts.ids.fraction),
    );
    if (outcome === 'taken') throw routeTaken(tenant, name, route, isPublic);
    if (outcome === 'stale') return 'stale';
    return storedReply(201, { ...told, sha256, version: last }, await spread());
  }

  async function activate(call: Call): Promise<Reply> {
    for (let i = 0; i < TRIES_MAX; i++) {
      const reply = await activateOnce(call);
      if (reply !== 'stale') return reply;
    }
    throw new Problem('overloaded', 'Others change this definition again and again; try again in a moment');
  }

  async function activateOnce(call: Call): Promise<Reply | 'stale'> {
    const { tenant } = call.principal;
    const name = nameIn(call);
    const before = await parts.store.stored.name(tenant, name);
    if (before === null || before.active === null) throw noSuchDefinition(name);
    checkPreconditions(call, before);
    const version = numberOf(call.params['version'] ?? '');
    const row = version === null ? null : await parts.store.stored.version(tenant, name, version);
    if (row === null) throw noSuchDefinition(`${name}@${call.params['version'] ?? ''}`);
    const definition = definitionOf(row);
    const { options } = definition;
    const tree = await parts.trees.tree(row.hash);
    if (tree === null) throw new Error(`The tree of ${name}@${row.version} is stored`);
    const { route, isPublic, schedules } = readOptions(options, { ok: true, tree }, row.format === 'bpmn');
    if (isPublic && !call.principal.scopes.has('admin'))
      throw new Problem('scope_missing', 'A public route needs the scope admin');
    const told = { tenant, name, format: row.format, tree, options, warnings: [], read: { ok: true, tree } as const };
    const { hash, source, sha256, format } = row;
    if (before.active === row.version) return storedReply(200, { ...told, sha256, version: row.version }, []);
    if (options['mcp'] === true) checkToolName(tenant, name);
    checkRoom(tenant, before, { name, options, characters: row.options.length, hasRoute: route !== null });
    const outcome = await parts.store.stored.change(
      {
        ...{ tenant, name, active: row.version, last: before.last, ver: before.ver + 1 },
        ...{ hash, source, sha256, format, options: row.options },
        ...columnsOf(route, isPublic),
      },
      newSchedules(name, schedules, parts.clock.now(), parts.ids.fraction),
    );
    if (outcome === 'taken') throw routeTaken(tenant, name, route, isPublic);
    if (outcome === 'stale') return 'stale';
    return storedReply(200, { ...told, sha256, version: row.version }, await spread());
  }

  async function remove(call: Call): Promise<Reply> {
    const { tenant } = call.principal;
    const name = nameIn(call);
    for (let i = 0; i < TRIES_MAX; i++) {
      const before = await parts.store.stored.name(tenant, name);
      if (before === null || before.active === null) throw noSuchDefinition(name);
      checkPreconditions(call, before);
      const { changedAt: _changedAt, ...row } = before;
      const outcome = await parts.store.stored.change({ ...row, active: null, ver: before.ver + 1 });
      if (outcome === 'done') return { kind: 'empty', status: 204, headers: warningHeader(await spread()) };
    }
    throw new Problem('overloaded', 'Others change this definition again and again; try again in a moment');
  }

  async function list(call: Call): Promise<Reply> {
    const { tenant } = call.principal;
    const limit = limitOf(call.query);
    const after = cursorOf('definitions', call.query);
    const prefix = call.query.get('prefix') ?? '';
    const wanted = (call.query.get('q') ?? '').toLowerCase();
    const matching = [...parts.registry.definitions.of(tenant)]
      .filter(({ name }) => name.startsWith(prefix) && (after === null || name > after))
      .filter(
        ({ name, options }) =>
          wanted === '' ||
          name.toLowerCase().includes(wanted) ||
          String(options['description'] ?? '')
            .toLowerCase()
            .includes(wanted),
      )
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    const shown = matching.slice(0, limit);
    return jsonReply(200, {
      definitions: shown.map((one) => ({
        name: one.name,
        version: one.version,
        description: one.options['description'] ?? null,
        format: one.format,
        input_schema: one.options['input_schema'] ?? null,
        route: one.options['route'] ?? null,
        updated_at: timeView(one.changedAt),
      })),
      next_cursor: matching.length > shown.length ? cursorFor('definitions', shown.at(-1)?.name ?? '') : null,
    });
  }

  async function get(call: Call): Promise<Reply> {
    const { tenant } = call.principal;
    const reference = readReference(call.params['definition_name'] ?? '');
    if (reference === null) throw noSuchDefinition(call.params['definition_name'] ?? '');
    const { name } = reference;
    const row = await parts.store.stored.name(tenant, name);
    if (row === null || row.active === null) throw noSuchDefinition(name);
    const asked = call.query.get('version');
    const version = (asked === null ? null : numberOf(asked)) ?? reference.version ?? (asked === null ? row.active : 0);
    const found = await parts.store.stored.version(tenant, name, version);
    const text = found === null ? null : await parts.store.stored.text(found.source);
    if (found === null || text === null) throw noSuchDefinition(`${name}@${asked ?? version}`);
    return jsonReply(
      200,
      {
        ...withoutKeys(JSON.parse(found.options) as JsonObject, SEALED_KEY),
        name,
        version: found.version,
        active: found.version === row.active,
        sha256: found.sha256,
        format: found.format,
        definition: text,
        ...(found.note === null ? {} : { note: found.note }),
        created_at: timeView(found.createdAt),
        created_by: found.createdBy,
      },
      { ETag: `"${found.sha256}"` },
    );
  }

  async function versions(call: Call): Promise<Reply> {
    const { tenant } = call.principal;
    const name = nameIn(call);
    const row = await parts.store.stored.name(tenant, name);
    if (row === null || row.active === null) throw noSuchDefinition(name);
    const listName = `versions of ${name}`;
    const { items, next } = await parts.store.stored.versions(tenant, name, {
      limit: limitOf(call.query),
      after: cursorOf(listName, call.query),
    });
    return jsonReply(200, {
      versions: items.map((item) => ({ ...versionView(item), active: item.version === row.active })),
      next_cursor: next === null ? null : cursorFor(listName, next),
    });
  }

  /** @throws Problem */
  async function versionOf(call: Call, version: number | null): Promise<DefinitionVersion> {
    const { tenant } = call.principal;
    const name = nameIn(call);
    const row = await parts.store.stored.name(tenant, name);
    const found =
      row === null || row.active === null || version === null
        ? null
        : await parts.store.stored.version(tenant, name, version);
    if (found === null) throw noSuchDefinition(`${name}@${call.params['version'] ?? ''}`);
    return found;
  }

  /** Warnings where not every node knows yet. */
  async function spread(): Promise<readonly ApiWarning[]> {
    parts.scheduled?.();
    if (await parts.registry.memory.spread()) return [];
    return [{ code: 'registry_not_everywhere', message: NOT_EVERYWHERE, pointer: '#' }];
  }

  function storedReply(
    status: number,
    about: {
      readonly name: string;
      readonly version: number;
      readonly sha256: string;
      readonly format: string;
      readonly tree: Tree;
      readonly options: JsonObject;
      readonly warnings: readonly string[];
      readonly read: Extract<DefinitionRead, { ok: true }>;
    },
    spreading: readonly ApiWarning[],
  ): Reply {
    const { name, version, sha256, format, tree, options, read } = about;
    const callbacks = callbacksOf(options);
    const own = ownValue(options, 'participants');
    const doubts = [
      ...parts.definitions.warnings(read, isObject(callbacks) ? { ...callbacks, ...(isObject(own) ? own : {}) } : null),
      ...(read.warnings ?? []),
    ];
    const narrow = about.warnings.map((message) => ({ code: 'schedule_narrow', message, pointer: '#/schedules' }));
    return jsonReply(
      status,
      {
        name,
        version,
        sha256,
        format,
        active: true,
        ...(format === 'bpmn' ? { process: (tree.attributes.get('id') ?? null) as Json } : {}),
        participants: [...parts.definitions.participants(tree)],
        starts: startsOf(tree),
        ...(format === 'bpmn' ? { elements: elementsOf(tree) } : {}),
        warnings: [...doubts, ...narrow].map((warning) => ({ ...warning })),
      },
      {
        Location: `${parts.basePath()}/v1/definitions/${name}/versions/${version}`,
        ETag: `"${sha256}"`,
        ...warningHeader(spreading),
      },
    );
  }

  function routeTaken(tenant: string, name: string, route: Route | null, isPublic: boolean): Problem {
    const other = route === null ? null : parts.registry.routes.takenBy(tenant, name, route, isPublic);
    return new Problem('route_taken', `This route leads to ${other ?? 'another definition'} already`, {
      told: { definition: other },
    });
  }

  /** Two names that models would call by the same word cannot both be tools. */
  function checkToolName(tenant: string, name: string): void {
    for (const other of parts.registry.definitions.of(tenant))
      if (other.name !== name && other.options['mcp'] === true && toolPrefix(other.name) === toolPrefix(name)) {
        const detail = `The tools of ${other.name} are called ${toolPrefix(name)}_…, too; take another name`;
        throw new Problem('request_invalid', detail, { complaints: [{ detail, pointer: '#/mcp' }] });
      }
  }

  /** @throws Problem when a tenant has as much as it may */
  function checkRoom(tenant: string, before: DefinitionName | null, wanted: Wanted): void {
    const { definitions, routes } = parts.registry;
    const complaint = roomComplaint(wanted, {
      ...definitions.size(tenant),
      routes: routes.count(tenant),
      before:
        before === null || before.active === null
          ? null
          : { characters: before.options.length, hasRoute: before.routeShape !== null },
      definitions: definitions.of(tenant),
    });
    if (complaint !== null) throw new Problem('limit_exceeded', complaint);
  }
}

const sha = (text: string): string => createHash('sha256').update(text).digest('hex');

const columnsOf = (route: Route | null, isPublic: boolean) => ({
  routeMethod: route?.method ?? null,
  routeShape: route?.shape ?? null,
  routePublic: route === null ? null : isPublic,
});

const versionView = (row: DefinitionVersion): JsonObject => ({
  version: row.version,
  hash: row.hash,
  sha256: row.sha256,
  format: row.format,
  note: row.note,
  created_at: timeView(row.createdAt),
  created_by: row.createdBy,
});

/** The name of something that is there. @throws Problem when nothing can have it */
function nameIn(call: Call): string {
  const name = call.params['definition_name'] ?? '';
  if (nameComplaint(name) !== null) throw noSuchDefinition(name);
  return name;
}

/** A name that something is to have. @throws Problem */
function wantedName(name: string): string {
  const complaint = nameComplaint(name);
  if (complaint === null) return name;
  throw new Problem('request_invalid', `The name ${complaint}`, {
    complaints: [{ detail: `the name ${complaint}`, pointer: '#/name' }],
  });
}

const numberOf = (text: string): number | null => (/^[1-9]\d{0,8}$/.test(text) ? Number(text) : null);

const noteIn = (body: JsonObject): string | null => {
  const note = ownValue(body, 'note');
  return typeof note === 'string' && note !== '' ? note : null;
};

/** The text of the definition; a tree is written as JSON. @throws Problem */
function textIn(body: JsonObject): string {
  const given = ['definition', 'workflow'].filter((name) => Object.hasOwn(body, name));
  const [name] = given;
  if (name === undefined || given.length > 1) {
    const detail =
      name === undefined ? 'definition is missing: the text, or a tree' : 'Give either definition or workflow';
    throw new Problem('request_invalid', detail, { complaints: [{ detail, pointer: '#/definition' }] });
  }
  const value = body[name];
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function unreadable(errors: Extract<DefinitionRead, { ok: false }>['errors']): Problem {
  const places = errors.slice(0, 5).map(({ message, line, column }) => `${message} (line ${line}, column ${column})`);
  return new Problem('workflow_invalid', places.join('; '), {
    complaints: errors.map(({ message, line, column, element }) => ({
      ...{ detail: message, pointer: '#/definition', line, column },
      ...(element !== undefined && { element }),
    })),
  });
}

/** `If-Match`, `If-None-Match: *`. @throws Problem */
function checkPreconditions(call: Call, row: DefinitionName | null): void {
  const tag = row === null || row.active === null ? null : `"${row.sha256}"`;
  const ifMatch = call.header('if-match');
  const ifNone = call.header('if-none-match');
  const names = (header: string): boolean =>
    tag !== null && header.split(',').some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === tag);
  if (ifMatch !== null && !names(ifMatch))
    throw new Problem(
      'precondition_failed',
      tag === null ? 'There is no such definition' : `The definition is at ${tag} now`,
    );
  if (ifNone !== null && names(ifNone)) throw new Problem('precondition_failed', `The definition is there, at ${tag}`);
}

/** Of BPMN all elements that can hold a token, those of sub-processes too. */
function elementsOf(tree: Tree): Json[] {
  const found: Json[] = [];
  const open: Tree[] = [tree];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const id = next.attributes.get('id');
    const type = next.attributes.get('type');
    if (typeof id === 'string' && typeof type === 'string') found.push({ id, type });
    open.push(...next.children.toReversed());
  }
  return found;
}
