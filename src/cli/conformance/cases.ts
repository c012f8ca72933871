/* What a server does that keeps the contract (docs/api-v1.md, The four calls), as seen from outside: workflows with what must come of them, and single calls. */

/** A workflow that is launched, and played by one listener behind every name. */
export type Played = {
  readonly name: string;
  readonly workflow: string;
  readonly fields?: Readonly<Record<string, unknown>>;
  /** What a participant answers each time it is asked; who is not named answers nothing. `fail`: it gives up. */
  readonly answers?: Readonly<
    Record<string, { readonly fields?: object; readonly fail?: string; readonly hold?: true }>
  >;
  /** Held workitems of this participant: then the workflow is cancelled. */
  readonly cancelAt?: string;
  /** Participants in the order in which they are asked (`active`); of branches in any order, between braces. */
  readonly asked: string;
  /** Who is told to stop, as `name:status`, in any order. */
  readonly told?: readonly string[];
  readonly status: string;
  /** Fields it ends with, at least. */
  readonly ends?: Readonly<Record<string, unknown>>;
};

/** A call and what it must be answered. */
export type Called = {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly type?: string;
  readonly body?: string;
  readonly status: number;
  /** Members the JSON answer has, at least. */
  readonly says?: Readonly<Record<string, unknown>>;
};

const FORM = 'application/x-www-form-urlencoded';

export const CALLED: readonly Called[] = [
  { name: 'call/ping', method: 'GET', path: '/v1/ping', status: 200, says: { ping: 'pong' } },
  {
    name: 'call/launch-without-definition',
    ...{ method: 'POST', path: '/v1/workflows', type: 'application/json', body: '{"callback":"http://127.0.0.1:9/"}' },
    status: 400,
  },
  {
    name: 'call/launch-without-callbacks',
    ...{ method: 'POST', path: '/v1/workflows', type: FORM, body: 'workflow=define' },
    status: 400,
  },
  {
    name: 'call/launch-with-both',
    ...{ method: 'POST', path: '/v1/workflows', type: 'application/json' },
    body: '{"workflow":"define","callback":"http://127.0.0.1:9/","callbacks":{"a":"http://127.0.0.1:9/"}}',
    status: 400,
  },
  {
    name: 'call/launch-of-broken-xml',
    ...{ method: 'POST', path: '/v1/workflows', type: 'application/json' },
    body: '{"workflow":"<process-definition><a></process-definition>","callback":"http://127.0.0.1:9/"}',
    ...{ status: 400, says: { error: 'workflow is invalid' } },
  },
  {
    name: 'call/launch-of-broken-json',
    ...{ method: 'POST', path: '/v1/workflows', type: 'application/json', body: '{', status: 400 },
  },
  {
    name: 'call/cancel-of-nothing',
    ...{ method: 'POST', path: '/v1/workflows/20000101-0000-bababa-bababa/cancel', type: FORM, body: '', status: 400 },
    says: { error: 'workflow_id not found' },
  },
  { name: 'call/show-of-nothing', method: 'GET', path: '/v1/workflows/20000101-0000-bababa-bababa', status: 404 },
  { name: 'call/nowhere', method: 'GET', path: '/v1/nowhere-at-all', status: 404 },
];

export const PLAYED: readonly Played[] = [
  { name: 'flow/sequence', workflow: 'define\n  a\n  b\n  c\n', asked: 'a b c', status: 'completed' },
  {
    name: 'flow/xml',
    workflow: '<process-definition name="x"><participant ref="a"/><b/></process-definition>',
    ...{ asked: 'a b', status: 'completed' },
  },
  {
    name: 'flow/tree',
    workflow: '["define",{"name":"x"},[["a",{},[]],["participant",{"ref":"b"},[]]]]',
    ...{ asked: 'a b', status: 'completed' },
  },
  {
    name: 'flow/concurrence',
    workflow: 'define\n  concurrence\n    a\n    b\n  c\n',
    ...{ asked: '{a b} c', status: 'completed' },
  },
  {
    name: 'flow/first-of-two',
    workflow: 'define\n  concurrence count: 1\n    a\n    b\n  c\n',
    ...{ answers: { b: { hold: true } }, asked: '{a b} c', told: ['b:cancel'], status: 'completed' },
  },
  {
    name: 'flow/subprocess',
    workflow: 'define\n  sub\n  b\n  define sub\n    a\n',
    ...{ asked: 'a b', status: 'completed' },
  },
  {
    name: 'flow/iterator',
    workflow: "define\n  iterator on: 'x, y', to: 'f:it'\n    a\n",
    ...{ asked: 'a a', status: 'completed', ends: { it: 'y' } },
  },
  {
    name: 'flow/cursor-rewinds',
    workflow: "define\n  cursor\n    a\n    rewind if: '${f:again}'\n  b\n",
    ...{ fields: { again: false }, asked: 'a b', status: 'completed' },
  },
  {
    name: 'flow/if',
    workflow: "define\n  a if: '${f:yes}'\n  b unless: '${f:yes}'\n",
    ...{ fields: { yes: true }, asked: 'a', status: 'completed' },
  },
  {
    name: 'fields/merged',
    workflow: 'define\n  a\n  b\n',
    ...{ fields: { x: 1, y: { z: 1 } }, answers: { a: { fields: { x: 2, y: { w: 3 } } } } },
    ...{ asked: 'a b', status: 'completed', ends: { x: 2, y: { w: 3 } } },
  },
  {
    name: 'fields/set',
    workflow: "define\n  set 'f:x': 7\n  a\n",
    ...{ asked: 'a', status: 'completed', ends: { x: 7 } },
  },
  {
    name: 'fields/substituted',
    workflow: "define\n  participant '${f:who}'\n",
    ...{ fields: { who: 'a' }, asked: 'a', status: 'completed' },
  },
  {
    name: 'errors/unhandled',
    workflow: 'define\n  a\n  b\n',
    ...{ answers: { a: { fail: 'no' } }, asked: 'a', status: 'error' },
  },
  {
    name: 'errors/handled',
    workflow: "define\n  sequence on_error: 'c'\n    a\n    b\n",
    ...{ answers: { a: { fail: 'no' } }, asked: 'a c', status: 'completed' },
  },
  {
    name: 'errors/cancelled',
    workflow: 'define\n  concurrence\n    a\n    b\n',
    ...{ answers: { a: { hold: true }, b: { hold: true } }, cancelAt: 'b' },
    ...{ asked: '{a b}', told: ['a:cancel', 'b:cancel'], status: 'cancelled' },
  },
  {
    name: 'errors/on-cancel',
    workflow: "define\n  sequence on_cancel: 'c'\n    a\n",
    ...{ answers: { a: { hold: true } }, cancelAt: 'a', asked: 'a c', told: ['a:cancel'], status: 'cancelled' },
  },
  {
    name: 'time/timeout',
    workflow: "define\n  a timeout: '1s', on_timeout: 'c'\n  b\n",
    ...{ answers: { a: { hold: true } }, asked: 'a c b', told: ['a:timeout'], status: 'completed' },
  },
  { name: 'time/wait', workflow: "define\n  wait '1s'\n  a\n", asked: 'a', status: 'completed' },
];
