// The three-step work of goals/load.ts as a service of Restate: each participant is given the address that completes an awakeable. Runs in
// the folder Restate's SDK was installed into, on a Node of 22 or later; started by restate.ts.
import http from 'node:http';
import http2 from 'node:http2';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const { createEndpointHandler, service } = createRequire(join(process.cwd(), 'package.json'))(
  '@restatedev/restate-sdk',
);
const PORT = Number(process.env.PORT);
const STEPS = ['auto a', 'auto b', 'auto c'];
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

const work = service({
  name: 'work',
  handlers: {
    run: async (ctx, { callback, fields: given }) => {
      const workflow_id = ctx.request().id;
      let fields = given;
      for (const participant of STEPS) {
        const { id, promise } = ctx.awakeable();
        const proceed_url = `${process.env.INGRESS_URL}/restate/awakeables/${id}/resolve`;
        const message = { workflow_id, workitem_id: id, participant, status: 'active', fields, proceed_url };
        await ctx.run(participant, () => post(callback, message));
        const answer = await promise;
        fields = { ...fields, ...answer.fields };
      }
      return fields;
    },
  },
});

http2.createServer(createEndpointHandler({ services: [work] })).listen(PORT, '127.0.0.1');
process.on('disconnect', () => process.exit(1));
