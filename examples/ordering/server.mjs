// An ordering service on a diagram: orders, their state, and the webhook of whoever takes the money. `node examples/ordering/server.mjs`
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import process from 'node:process';
import { participant, Rota, RotaError } from 'rota/client';
import { startRota } from 'rota/server';

const { HOST = '127.0.0.1', PORT = '8081', DATA_DIR = 'memory:' } = process.env;
const NAME = 'ordering-items-workflow';
const BPMN = readFileSync(new URL(`${NAME}.bpmn`, import.meta.url), 'utf8');
const TASKS = [
  ...['validate-order', 'send-bill', 'send-friendly-reminder'],
  ...['update-accounting', 'package-and-deliver', 'send-cancellation'],
];

// With ROTA_URL a server that runs elsewhere; else one in this process.
const own = process.env.ROTA_URL ? null : await startRota({ database: DATA_DIR, port: 0 });
const rota = own?.client ?? new Rota();

const work = (workitem) => console.log(`order ${workitem.workflow_id}: ${workitem.participant}`);
const tasks = participant({ secret: null, rota, handlers: Object.fromEntries(TASKS.map((task) => [task, work])) });

const page = (title, body) =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title><body><h1>${title}</h1>${body}</body></html>`;
const INDEX = page(
  'Orders',
  `<form method="post" action="/api/order"><button>Order something</button></form>
   <form action="/show-process.html"><label>Order <input name="orderId"></label> <button>Show it</button></form>
   <form method="post" action="/api/receive-payment"><label>Order <input name="orderId"></label>
     <label>Amount <input name="amount"></label> <button>Pay</button></form>
   <p><a href="/${NAME}.bpmn">The diagram</a></p>`,
);
const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

const text = (status, body, headers = {}) => ({
  status,
  body,
  headers: { 'Content-Type': 'text/plain; charset=utf-8', ...headers },
});
const html = (body) => text(200, body, { 'Content-Type': 'text/html; charset=utf-8' });
const json = (body) => text(200, JSON.stringify(body), { 'Content-Type': 'application/json' });

/** What of a request may stand in its query or in a form. */
async function wordsOf(request, url) {
  let body = '';
  for await (const chunk of request) {
    body += chunk;
    if (body.length > 10_000) break;
  }
  return new URLSearchParams([...url.searchParams, ...new URLSearchParams(body)]);
}

/** The workflow of an order; null: there is none. */
async function orderOf(id) {
  try {
    return await rota.request('GET', `/v1/workflows/${encodeURIComponent(id)}?view=summary`);
  } catch (error) {
    if (error instanceof RotaError && error.status === 404) return null;
    throw error;
  }
}

async function answer(request, url) {
  const words = await wordsOf(request, url);
  const id = words.get('orderId') ?? '';
  switch (`${request.method} ${url.pathname}`) {
    case 'GET /':
      return html(INDEX);
    case `GET /${NAME}.bpmn`:
      return text(200, BPMN, { 'Content-Type': 'application/xml' });
    case 'POST /api/order': {
      const order = await rota.run(NAME);
      return text(302, '', { Location: `/show-process.html?orderId=${encodeURIComponent(order.id)}` });
    }
    case 'GET /api/order': {
      if (id === '') return text(400, 'Say which: ?orderId=…');
      const order = await orderOf(id);
      return order === null
        ? text(404, 'There is no such order')
        : json({ orderId: id, state: order.state, createdAt: order.created_at });
    }
    case 'GET /show-process.html': {
      const order = id === '' ? null : await orderOf(id);
      if (order === null) return text(404, 'There is no such order');
      const picture = await rota.request('GET', `/v1/workflows/${encodeURIComponent(id)}/diagram.svg`);
      return html(page(`Order ${escaped(id)}`, `<p>${order.state}</p>${picture}<p><a href="/">All forms</a></p>`));
    }
    case 'GET /api/receive-payment':
    case 'POST /api/receive-payment': {
      const amount = words.get('amount') ?? '';
      const order = id === '' || amount === '' ? null : await orderOf(id);
      if (order === null)
        return text(400, "A payment needs 'orderId' and 'amount', in a form or the query, and an order that is there");
      await rota.message(id, 'payment-received', { amount });
      return text(200, 'Thank you');
    }
    default:
      return text(404, 'There is nothing here');
  }
}

const web = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://here');
  if (url.pathname === '/tasks') return void tasks.node(request, response);
  void answer(request, url)
    .catch((error) => {
      // A payment for an order that is over by now, or a server that is away.
      const status = error instanceof RotaError ? (error.status ?? 503) : 500;
      return text(status, error.message);
    })
    .then(({ status, headers, body }) => response.writeHead(status, headers).end(body));
});
await new Promise((resolve) => web.listen(Number(PORT), HOST, resolve));
const here = `http://${HOST}:${web.address().port}`;
await rota.definitions.put(NAME, { definition: BPMN, callback: `${here}/tasks` });
console.log(`listening at ${here}`);

for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, async () => {
    web.close();
    web.closeAllConnections();
    await own?.stop();
  });
