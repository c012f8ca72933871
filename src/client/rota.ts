import { RotaError } from './error.ts';
import { type Entry, eventsOf, type Watching } from './events.ts';
import { type Filter, historyOf, mergedOf, pagesOf, type When } from './pages.ts';
import { type CallOptions, type Middleware, makeSender, pause, type Query, type Retry, type Sender } from './send.ts';
import type {
  Callback,
  Convert,
  Converted,
  Deliveries,
  Fail,
  HistoryEntry,
  Launch,
  Launched,
  Proceed,
  Validate,
  Validation,
  Workflow,
  WorkflowList,
  WorkflowRetried,
  Workitem,
} from './types.ts';

export type RotaOptions = {
  /**
   * Where the server is; `ROTA_URL`, else `http://127.0.0.1:8080`. Several, such as those of cells: lists are those of all of them, merged by time, and every other
   * call throws `several_servers`.
   */
  readonly url?: string | readonly string[] | undefined;
  /** An API key or a token; `ROTA_API_KEY`, else none. */
  readonly key?: string | undefined;
  /** Of a key of all tenants: the one to act in. */
  readonly tenant?: string | undefined;
  readonly fetch?: typeof fetch | undefined;
  readonly retry?: Partial<Retry> | false | undefined;
  readonly middlewares?: readonly Middleware[] | undefined;
};

export type Fields = Readonly<Record<string, unknown>>;
/** What a server answers where no type says more. */
export type Value = Readonly<Record<string, unknown>>;
/** A workitem: the id, the URL it was sent with, what was sent, or as a list has it. */
export type WorkitemLike =
  | string
  | Pick<Callback, 'workflow_id' | 'workitem_id' | 'proceed_url'>
  | Pick<Workitem, 'id' | 'workflow_id'>;
export type LaunchBody = Partial<Launch> & { readonly definition?: string; readonly [option: string]: unknown };
/** `inputs` (or `fields`) of a stored definition, and whatever a launch may say besides. */
export type RunBody = { readonly inputs?: unknown; readonly fields?: Fields; readonly [option: string]: unknown };
export type CloudEvent = {
  readonly source: string;
  readonly type: string;
  readonly id?: string;
  readonly specversion?: '1.0';
  readonly [attribute: string]: unknown;
};
export type Reasoned = { readonly reason?: string | undefined };

const URL_WITHOUT_SAYING = 'http://127.0.0.1:8080';
const RETRY: Retry = { tries: 5, maxDelay: 30 };
const NO_RETRY: Retry = { tries: 1, maxDelay: 0 };
/** How `wait` looks: soon at first, then less often. */
const WAIT_MS = { first: 50, factor: 1.5, most: 2_000 } as const;

const settingOf = (name: string): string | undefined => {
  const value = globalThis.process?.env?.[name];
  return value === '' ? undefined : value;
};
const path = (parts: readonly string[]): string => `/v1/${parts.map(encodeURIComponent).join('/')}`;
const workflowPath = (id: string, ...more: readonly string[]): string => path(['workflows', id, ...more]);

/** A server, spoken to over HTTP with `fetch` and nothing else. What does not succeed throws a `RotaError`. It is one thing: a list of calls. */
export class Rota {
  /** Without a slash at the end; of several the first. */
  readonly url: string;
  readonly #senders: readonly Sender[];

  constructor(options: RotaOptions = {}) {
    const { key = settingOf('ROTA_API_KEY'), tenant, retry, middlewares = [] } = options;
    const given = options.url === undefined || options.url.length === 0 ? settingOf('ROTA_URL') : options.url;
    const urls = [given ?? URL_WITHOUT_SAYING].flat().map((url) => url.replace(/\/+$/, ''));
    this.url = urls[0] ?? URL_WITHOUT_SAYING;
    const shared = {
      headers: {
        Accept: 'application/json, text/plain;q=0.9, */*;q=0.5',
        ...(key === undefined ? {} : { Authorization: `Bearer ${key}` }),
        ...(tenant === undefined ? {} : { 'Rota-Tenant': tenant }),
      },
      fetch: options.fetch ?? ((request) => globalThis.fetch(request)),
      retry: retry === false ? NO_RETRY : { ...RETRY, ...retry },
      middlewares,
    };
    this.#senders = urls.map((base) => makeSender({ base, ...shared }));
  }

  /** The server, where there is one. */
  get #sender(): Sender {
    const [sender, second] = this.#senders;
    if (sender === undefined || second !== undefined)
      throw new RotaError('This is a call to one server, and several were named; only lists are those of all', {
        code: 'several_servers',
        retryable: false,
      });
    return sender;
  }

  /**
   * Any call there is. @param where a path such as `/v1/ping`, or a whole address
   * @returns of JSON what it says, else the text; null when there is none
   */
  async request<Result = unknown>(
    method: string,
    where: string,
    asked: {
      readonly body?: unknown;
      readonly query?: Query | undefined;
      readonly headers?: Readonly<Record<string, string>>;
    } = {},
    options: CallOptions = {},
  ): Promise<Result> {
    return (await this.#sender.send({ method, path: where, ...asked }, options)).value as Result;
  }

  async ping(options?: CallOptions): Promise<{ readonly ping: string }> {
    return this.request('GET', '/v1/ping', {}, options);
  }

  /** Launches a definition as text or tree (`workflow`), or a stored one (`definition: 'order@3'`). */
  async launch(body: LaunchBody, options?: CallOptions): Promise<Launched & Value> {
    return this.request('POST', '/v1/workflows', { body }, options);
  }

  /** Runs a stored definition. @param name `order`, or with a version `order@3` */
  async run(name: string, body: RunBody = {}, options?: CallOptions): Promise<Launched & Value> {
    const [, plain = name, version] = /^(.+)@(\d{1,9})$/.exec(name) ?? [];
    const versioned = version === undefined ? body : { version: Number(version), ...body };
    return this.request('POST', path(['definitions', plain, 'run']), { body: versioned }, options);
  }

  async show(id: string, options?: CallOptions): Promise<Workflow> {
    return this.request('GET', workflowPath(id), {}, options);
  }

  /**
   * Resolves once a workflow is over, or in error and waiting for somebody.
   *
   * @param timeout seconds; then it throws `timeout`. Without one it waits for as long as it takes
   */
  async wait(
    id: string,
    { timeout }: { readonly timeout?: number | undefined } = {},
    options: CallOptions = {},
  ): Promise<Workflow> {
    const end = timeout === undefined ? Number.POSITIVE_INFINITY : performance.now() + timeout * 1000;
    for (let ms: number = WAIT_MS.first; ; ms = Math.min(ms * WAIT_MS.factor, WAIT_MS.most)) {
      const workflow = await this.show(id, options);
      if (workflow.ended_at !== null || workflow.status === 'error') return workflow;
      const left = end - performance.now();
      if (left <= 0)
        throw new RotaError(`Workflow ${id} is still ${workflow.status} after ${timeout} s`, {
          ...{ code: 'timeout', retryable: true },
        });
      await pause(Math.min(ms, left), options.signal);
    }
  }

  /** Hands a workitem back. */
  async proceed(it: WorkitemLike, body: Partial<Proceed> = {}, options?: CallOptions): Promise<void> {
    await this.request('POST', workitemUrl(it, 'proceed'), { body }, options);
  }

  /** Gives a workitem up; `retry: true` counts as one failed try instead. */
  async fail(it: WorkitemLike, body: Fail, options?: CallOptions): Promise<void> {
    await this.request('POST', workitemUrl(it, 'fail'), { body }, options);
  }

  /** Says that work goes on. @returns `heartbeat_due_at`, `deadline_at` */
  async heartbeat(
    it: WorkitemLike,
    body: { readonly extend?: string | number; readonly progress?: Value } = {},
    options?: CallOptions,
  ): Promise<Value> {
    return this.request('POST', workitemUrl(it, 'heartbeat'), { body }, options);
  }

  async cancel(
    id: string,
    body: Reasoned & { readonly compensate?: boolean } = {},
    options?: CallOptions,
  ): Promise<void> {
    await this.request('POST', workflowPath(id, 'cancel'), { body }, options);
  }

  async kill(id: string, body: Reasoned = {}, options?: CallOptions): Promise<void> {
    await this.request('POST', workflowPath(id, 'kill'), { body }, options);
  }

  async pause(id: string, body: Reasoned = {}, options?: CallOptions): Promise<void> {
    await this.request('POST', workflowPath(id, 'pause'), { body }, options);
  }

  async resume(id: string, body: Reasoned = {}, options?: CallOptions): Promise<void> {
    await this.request('POST', workflowPath(id, 'resume'), { body }, options);
  }

  /**
   * Goes on from a step: its place (`0_1`), its name, tag or element; left out: from what is in error. What stands before it is not done again.
   * `fields` are merged over those at hand. `fork`: as another workflow, which begins there.
   */
  async retry(
    id: string,
    body: Reasoned & { readonly from?: string | undefined; readonly fields?: Fields; readonly fork?: boolean } = {},
    options?: CallOptions,
  ): Promise<WorkflowRetried> {
    return this.request<WorkflowRetried>('POST', workflowPath(id, 'retry'), { body }, options);
  }

  /**
   * Tries again what failed. @param expression the id of the expression that is in error; needed where several are
   * @throws RotaError `expression_ambiguous` with the errors there are, or `error_not_found`
   */
  async replay(
    id: string,
    {
      expression,
      ...body
    }: Reasoned & { readonly expression?: string | undefined; readonly fields?: Fields; readonly tree?: unknown } = {},
    options?: CallOptions,
  ): Promise<void> {
    const failed = expression ?? (await this.#onlyErrorOf(id, options));
    await this.request('POST', workflowPath(id, 'errors', failed, 'replay'), { body }, options);
  }

  async #onlyErrorOf(id: string, options?: CallOptions): Promise<string> {
    const { errors } = await this.show(id, options);
    const [only, ...others] = errors;
    if (only === undefined)
      throw new RotaError(`Nothing in ${id} is in error`, { code: 'error_not_found', retryable: false });
    if (others.length > 0)
      throw new RotaError(`${errors.length} expressions of ${id} are in error; say which`, {
        ...{ code: 'expression_ambiguous', retryable: false },
        errors: errors.map((one) => ({ detail: `${one.expression_id}  ${one.class}: ${one.message}` })),
      });
    return only.expression_id;
  }

  /** A workflow as lines of JSON, for `import` on another server. */
  async export(id: string, options?: CallOptions): Promise<string> {
    return this.request('GET', workflowPath(id, 'export'), { headers: { Accept: 'application/x-ndjson' } }, options);
  }

  /** Takes in what `export` gave. @returns `imported`: `{ id, was? }` of each, `definitions` */
  async import(
    lines: string,
    { newIds, dryRun }: { readonly newIds?: boolean; readonly dryRun?: boolean } = {},
    options?: CallOptions,
  ): Promise<Value> {
    const query = { new_ids: newIds === true ? 1 : undefined, dry_run: dryRun === true ? 1 : undefined };
    const headers = { 'Content-Type': 'application/x-ndjson' };
    return this.request('POST', '/v1/import', { body: lines, query, headers }, options);
  }

  /** A message to one workflow. */
  async message(id: string, name: string, data: Value = {}, options?: CallOptions): Promise<Value> {
    return this.request('POST', workflowPath(id, 'messages', name), { body: data }, options);
  }

  /** Sends an event (CloudEvents 1.0), or several in one request. What it lacks of `specversion` and `id` is added. */
  async send(events: CloudEvent, options?: CallOptions): Promise<Value>;
  async send(events: readonly CloudEvent[], options?: CallOptions): Promise<readonly Value[]>;
  async send(events: CloudEvent | readonly CloudEvent[], options?: CallOptions): Promise<Value | readonly Value[]> {
    const whole = (event: CloudEvent): CloudEvent => ({ specversion: '1.0', id: crypto.randomUUID(), ...event });
    const isBatch = Array.isArray(events);
    return this.request(
      'POST',
      '/v1/events',
      {
        body: isBatch ? (events as readonly CloudEvent[]).map(whole) : whole(events as CloudEvent),
        headers: { 'Content-Type': `application/cloudevents${isBatch ? '-batch' : ''}+json` },
      },
      options,
    );
  }

  list(filter: Filter = {}, options?: CallOptions): AsyncGenerator<WorkflowList['workflows'][number], void, undefined> {
    return this.#pages<WorkflowList['workflows'][number]>('/v1/workflows', 'workflows', {
      at: 'launched_at',
      newestFirst: true,
    })(filter, options);
  }

  history(
    id: string,
    filter: Filter = {},
    options?: CallOptions,
  ): AsyncGenerator<HistoryEntry & Value, void, undefined> {
    return historyOf(this.#sender, workflowPath(id, 'history'), filter, options);
  }

  /** What happens, as it happens: of one workflow from its beginning to its end, or of all from now on. */
  events(
    id?: string | null,
    watching: Watching = {},
    options: CallOptions = {},
  ): AsyncGenerator<Entry, void, undefined> {
    return eventsOf(this.#sender, id ?? null, watching, options);
  }

  #pages<Item = Value>(where: string, member: string, when?: When) {
    return (filter: Filter = {}, options?: CallOptions): AsyncGenerator<Item, void, undefined> => {
      const lists = this.#senders.map((sender) => pagesOf<Item>(sender, where, member, filter, options));
      return mergedOf(lists, lists.length === 1 ? undefined : when);
    };
  }

  #get<Result = Value>(...parts: readonly string[]) {
    return (id: string, options?: CallOptions): Promise<Result> =>
      this.request('GET', path([...parts, id]), {}, options);
  }

  #act<Body = Value, Result = Value>(first: string, verb: string) {
    return (id: string, body?: Body, options?: CallOptions): Promise<Result> =>
      this.request('POST', path([first, id, verb]), { body: body ?? {} }, options);
  }

  #delete(first: string) {
    return async (id: string, options?: CallOptions): Promise<void> => {
      await this.request('DELETE', path([first, id]), {}, options);
    };
  }

  readonly errors = { list: this.#pages('/v1/errors', 'errors', { at: 'at', newestFirst: true }) };

  readonly workitems = {
    list: this.#pages<Workitem>('/v1/workitems', 'workitems', { at: 'opened_at', newestFirst: false }),
    get: (it: WorkitemLike, options?: CallOptions): Promise<Workitem> =>
      this.request('GET', workitemUrl(it, null), {}, options),
    /** Edits fields. Nobody else's edit is overwritten: what is given as a workitem must still stand as it was read. */
    patch: async (
      it: WorkitemLike,
      body: Reasoned & { readonly fields: Fields },
      options?: CallOptions,
    ): Promise<Workitem> => {
      const revision =
        typeof it === 'object' && 'revision' in it ? it.revision : (await this.workitems.get(it)).revision;
      const headers = { 'If-Match': `"${revision}"` };
      return this.request('PATCH', workitemUrl(it, null), { body, headers }, options);
    },
    /** Takes it as one's own for a while, `ttl` in seconds. */
    claim: (
      it: WorkitemLike,
      body: { readonly assignee: string; readonly ttl?: number },
      options?: CallOptions,
    ): Promise<Workitem & Value> => this.request('POST', workitemUrl(it, 'claim'), { body }, options),
    release: (it: WorkitemLike, body: Value = {}, options?: CallOptions): Promise<Workitem & Value> =>
      this.request('POST', workitemUrl(it, 'release'), { body }, options),
    redeliver: async (it: WorkitemLike, body: Reasoned = {}, options?: CallOptions): Promise<void> => {
      await this.request('POST', workitemUrl(it, 'redeliver'), { body }, options);
    },
    deliveries: (it: WorkitemLike, options?: CallOptions): Promise<Deliveries> =>
      this.request('GET', workitemUrl(it, 'deliveries'), {}, options),
  };

  readonly definitions = {
    /** Stores a definition: its text alone, or an object of all its keys (`definition`, `callbacks`, `input_schema`, …). */
    put: (name: string, definition: string | Value, options: CallOptions = {}): Promise<Value> =>
      this.request(
        'PUT',
        path(['definitions', name]),
        {
          body: definition,
          ...(typeof definition === 'string' ? { headers: { 'Content-Type': mediaTypeOf(definition) } } : {}),
        },
        options,
      ),
    get: (
      name: string,
      { version }: { readonly version?: number | undefined } = {},
      options?: CallOptions,
    ): Promise<Value> => this.request('GET', path(['definitions', name]), { query: { version } }, options),
    /** The text byte for byte as it was stored; of the active version unless one is named. */
    text: async (
      name: string,
      { version }: { readonly version?: number | undefined } = {},
      options?: CallOptions,
    ): Promise<string> => String((await this.definitions.get(name, { version }, options))['definition']),
    list: this.#pages('/v1/definitions', 'definitions'),
    versions: (name: string, filter?: Filter, options?: CallOptions): AsyncGenerator<Value, void, undefined> =>
      pagesOf(this.#sender, path(['definitions', name, 'versions']), 'versions', filter, options),
    activate: (name: string, version: number, options?: CallOptions): Promise<Value> =>
      this.request('POST', path(['definitions', name, 'versions', String(version), 'activate']), { body: {} }, options),
    delete: this.#delete('definitions'),
    validate: (body: Validate, options?: CallOptions): Promise<Validation> =>
      this.request('POST', '/v1/definitions/validate', { body }, options),
    convert: (body: Convert, options?: CallOptions): Promise<Converted> =>
      this.request('POST', '/v1/definitions/convert', { body }, options),
  };

  readonly batches = {
    create: (body: Value, options?: CallOptions): Promise<Value> =>
      this.request('POST', '/v1/batches', { body }, options),
    get: this.#get('batches'),
    list: this.#pages('/v1/batches', 'batches', { at: 'created_at', newestFirst: true }),
    items: (id: string, filter?: Filter, options?: CallOptions): AsyncGenerator<Value, void, undefined> =>
      pagesOf(this.#sender, path(['batches', id, 'items']), 'items', filter, options),
    stop: this.#act<Reasoned, unknown>('batches', 'stop'),
  };

  readonly subscriptions = {
    create: (body: Value & { readonly url: string }, options?: CallOptions): Promise<Value> =>
      this.request('POST', '/v1/subscriptions', { body }, options),
    get: this.#get('subscriptions'),
    list: this.#pages('/v1/subscriptions', 'subscriptions'),
    /** Changes what is named (a merge patch). */
    patch: (id: string, body: Value, options?: CallOptions): Promise<Value> =>
      this.request(
        'PATCH',
        path(['subscriptions', id]),
        { body, headers: { 'Content-Type': 'application/merge-patch+json' } },
        options,
      ),
    delete: this.#delete('subscriptions'),
    test: this.#act<Value, unknown>('subscriptions', 'test'),
    deliveries: (id: string, filter?: Filter, options?: CallOptions): AsyncGenerator<Value, void, undefined> =>
      pagesOf(this.#sender, path(['subscriptions', id, 'deliveries']), 'deliveries', filter, options),
    redeliver: this.#act('subscriptions', 'redeliver'),
  };

  readonly schedules = {
    list: this.#pages('/v1/schedules', 'schedules'),
    get: this.#get('schedules'),
    pause: this.#act<Reasoned>('schedules', 'pause'),
    resume: this.#act<Reasoned>('schedules', 'resume'),
    run: this.#act('schedules', 'run'),
    backfill: this.#act<{ readonly from: string; readonly to: string }>('schedules', 'backfill'),
  };

  readonly participants = {
    put: (name: string, body: Value, options?: CallOptions): Promise<Value> =>
      this.request('PUT', path(['participants', name]), { body }, options),
    get: this.#get('participants'),
    list: this.#pages('/v1/participants', 'participants'),
    delete: this.#delete('participants'),
  };

  /** Events that came in, and who waits for which. */
  readonly received = {
    list: this.#pages('/v1/events', 'events', { at: 'received_at', newestFirst: true }),
    get: this.#get('events'),
    redeliver: this.#act<{ readonly start?: boolean }>('events', 'redeliver'),
  };
  readonly waits = { list: this.#pages('/v1/waits', 'waits', { at: 'since', newestFirst: true }) };

  readonly keys = {
    create: (body: Value, options?: CallOptions): Promise<Value> => this.request('POST', '/v1/keys', { body }, options),
    get: this.#get('keys'),
    list: this.#pages('/v1/keys', 'keys'),
    rotate: this.#act('keys', 'rotate'),
    revoke: this.#act<Reasoned, unknown>('keys', 'revoke'),
  };

  readonly secrets = {
    create: (body: Value, options?: CallOptions): Promise<Value> =>
      this.request('POST', '/v1/secrets', { body }, options),
    get: this.#get('secrets'),
    list: this.#pages('/v1/secrets', 'secrets'),
    reveal: this.#act<Reasoned>('secrets', 'reveal'),
    rotate: this.#act('secrets', 'rotate'),
    revoke: this.#act<Reasoned, unknown>('secrets', 'revoke'),
  };
}

/** The address of a workitem, or of what is done to it: `verb` takes the place of the `proceed` in a proceed_url. */
function workitemUrl(it: WorkitemLike, verb: string | null): string {
  const last = verb === null ? [] : [verb];
  if (typeof it !== 'string') {
    if ('proceed_url' in it) return verbOf(it.proceed_url, verb);
    return workflowPath(it.workflow_id, 'workitems', it.id, ...last);
  }
  if (/^https?:\/\//i.test(it)) return verbOf(it, verb);
  // An id is expid!subid!workflow_id.
  return workflowPath(it.slice(it.lastIndexOf('!') + 1), 'workitems', it, ...last);
}

function verbOf(proceedUrl: string, verb: string | null): string {
  const url = new URL(proceedUrl);
  url.pathname = url.pathname.replace(/\/proceed\/?$/, verb === null ? '' : `/${verb}`);
  return url.href;
}

/** What a text of a definition is sent as; anything else than XML or a tree is Radial. */
function mediaTypeOf(text: string): string {
  const start = text.trimStart();
  if (start.startsWith('[')) return 'application/json';
  if (!start.startsWith('<')) return 'text/plain';
  return text.includes('http://www.omg.org/spec/BPMN/20100524/MODEL') ? 'application/bpmn+xml' : 'application/xml';
}
