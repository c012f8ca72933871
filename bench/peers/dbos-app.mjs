// The three-step work of goals/load.ts on DBOS, behind the same HTTP as our own server, so that the same participants and launchers
// measure it. Runs in the folder DBOS was installed into; started by dbos.ts.
import { randomUUID } from 'node:crypto';
import http from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const { DBOS } = createRequire(join(process.cwd(), 'package.json'))('@dbos-inc/dbos-sdk');
const PORT = Number(process.env.PORT);
const STEPS = ['auto a', 'auto b', 'auto c'];
/** Seconds a workflow waits for its participant. */
const PATIENCE_SECONDS = 600;
const agent = new http.Agent({ keepAlive: true, maxSockets: 256 });

const post = (url, value) =>
  new Promise((resolve, reject) => {
    const body = JSON.stringify(value);
    const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
    const request = http.request(url, { method: 'POST', agent, headers }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode));
    });
    request.on('error', reject);
    request.end(body);
  });

const work = DBOS.registerWorkflow(
  async (callback, given) => {
    let fields = given;
    for (const participant of STEPS) {
      const id = DBOS.workflowID;
      const workitem = `${participant.replace(' ', '-')}!${id}`;
      const proceed_url = `http://127.0.0.1:${PORT}/v1/workflows/${id}/workitems/${workitem}/proceed`;
      const message = { workflow_id: id, workitem_id: workitem, participant, status: 'active', fields, proceed_url };
      await DBOS.runStep(() => post(callback, message), { name: participant });
      const answer = await DBOS.recv(participant.replace(' ', '-'), PATIENCE_SECONDS);
      fields = { ...fields, ...answer };
    }
    return fields;
  },
  { name: 'work' },
);

const readAll = async (request) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return chunks.length === 0 ? {} : JSON.parse(Buffer.concat(chunks).toString());
};

async function handle(request) {
  if (request.url === '/readyz') return [200, 'ok'];
  const body = await readAll(request);
  const [, , , id, , workitem] = request.url.split('/');
  if (workitem === undefined) {
    const workflowID = randomUUID();
    await DBOS.startWorkflow(work, { workflowID })(body.callback, body.fields);
    return [201, JSON.stringify({ id: workflowID })];
  }
  await DBOS.send(id, body.fields, decodeURIComponent(workitem).split('!')[0]);
  return [201, 'OK'];
}

DBOS.setConfig({
  name: 'bench',
  systemDatabaseUrl: process.env.DATABASE_URL,
  logLevel: 'error',
  runAdminServer: false,
});
await DBOS.launch();
http
  .createServer((request, response) => {
    handle(request).then(
      ([status, text]) => response.writeHead(status).end(text),
      (error) => response.writeHead(500).end(String(error)),
    );
  })
  .listen(PORT, '127.0.0.1');
process.on('disconnect', () => process.exit(1));
