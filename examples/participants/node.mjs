// A participant for Node, with the package: `ROTA_WEBHOOK_SECRET=whsec_… node node.mjs`. Without a secret it takes messages from anybody.
import { createServer } from 'node:http';
import { participant } from 'rota/client';

const { HOST = '127.0.0.1', PORT = '8081', ROTA_WEBHOOK_SECRET = null } = process.env;

const { node } = participant({
  secret: ROTA_WEBHOOK_SECRET,
  // The work. What is returned is merged over the fields; what is thrown fails the workitem.
  handlers: {
    '*': async ({ participant, fields }) => ({ [`${participant}_greeting`]: `Hello, ${fields.who ?? 'nobody'}` }),
  },
});

const server = createServer(node);
server.listen(Number(PORT), HOST, () => console.log(`listening at http://${HOST}:${server.address().port}`));
