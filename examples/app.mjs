// A whole application: the server, a participant in it, another behind a URL, and a launch. `node app.mjs`, with the package installed.
import { createServer } from 'node:http';
import { participant } from 'rota/client';
import { startRota } from 'rota/server';

// Nothing is kept; name a folder or `postgres://…` for that. Without `port` nobody else could reach the server.
const rota = await startRota({ database: 'memory:', port: 0 });

// Messages to participants are signed with this; whoever has it can tell ours from others'.
const { secret } = await rota.client.secrets.create({ kind: 'webhook' });

// A participant behind a URL. What it returns is merged over the fields.
const shop = participant({
  secret,
  rota: rota.client,
  handlers: {
    stock: async ({ fields }) => ({ reserved: fields.items.length }),
    shipping: async ({ fields }) => ({ shipped: `${fields.reserved} items to ${fields.who}` }),
  },
});
const web = createServer(shop.node);
await new Promise((resolve) => web.listen(0, '127.0.0.1', resolve));

const workflow = `
define order
  stock
  shipping if: '\${f:reserved} > 0'
`;
const { id } = await rota.client.launch({
  workflow,
  callback: `http://127.0.0.1:${web.address().port}`,
  fields: { who: process.argv[2] ?? 'Ada', items: ['pen', 'ink'] },
});

for await (const { kind, participant } of rota.client.events(id, { kinds: 'workflow.*,workitem.*' })) {
  console.log(kind, participant ?? '');
  if (kind === 'workflow.completed') break;
}
console.log((await rota.client.show(id)).fields.shipped);

web.close();
await rota.stop();
