import { expect, test } from 'vitest';
import { makeChronicle } from '../../console/picture/chronicle.ts';
import { type Entry, type Standing, standingOf } from '../../console/picture/standing.ts';
import { entriesOf } from '../../src/events/entry.ts';
import { inspect } from '../../src/interpreter/inspect.ts';
import type { WorkflowId } from '../../src/model/ids.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { isOver } from '../../src/model/rows.ts';
import { readCases } from '../conformance/cases.ts';
import { inProcess } from '../conformance/in-process.ts';
import { parts } from '../conformance/parts.ts';
import { replay } from '../conformance/replay.ts';

/** What both ways to see a workflow have to agree about. */
const comparable = ({ status, expressions, workitems, failures }: Standing) => ({
  status,
  // The head as written becomes `participant` or `subprocess` once it is known what it is: ids tell enough.
  expressions: expressions.map(({ id }) => id).sort(),
  workitems: workitems.map(({ expressionId, participant, state }) => `${expressionId} ${participant} ${state}`).sort(),
  failures: failures.map((one) => `${one.expressionId} ${one.class} ${one.message}`).sort(),
});

test('a history folded up to its last entry is what the server shows, at every rest of every case', {
  timeout: 120_000,
}, async () => {
  const wrong: string[] = [];
  let rests = 0;
  for (const one of readCases()) {
    const player = inProcess(one, parts);
    const workflows: WorkflowId[] = [];
    const chronicles = new Map<WorkflowId, ReturnType<typeof makeChronicle>>();
    await replay(one, {
      ...player,
      launch: async (definition, fields) => {
        const id = await player.launch(definition, fields);
        if (id !== null) workflows.push(id);
        return id;
      },
      rest: async () => {
        const news = await player.rest();
        for (const id of workflows) {
          rests += 1;
          const loaded = player.world.whole(id);
          const chronicle = chronicles.get(id) ?? makeChronicle();
          chronicles.set(id, chronicle);
          chronicle.add(
            player.world.history(id).flatMap((row) => entriesOf(id, row, chronicle.last)) as readonly Entry[],
          );
          const shown = inspect(loaded, player.world.definition);
          const row = loaded.workflow;
          if (row === null) continue;
          const server = standingOf({
            status: row.status,
            updated_at: new Date(row.updatedAt).toISOString(),
            expressions: shown.expressions as unknown as JsonObject[],
            workitems: isOver(row.status)
              ? []
              : [...loaded.workitems.values()]
                  .filter(({ state }) => state !== 'closed')
                  .map(({ id: expression, participant, state }) => ({
                    expression_id: expression,
                    participant,
                    status: state,
                  })),
            errors: shown.errors.map((error) => ({
              expression_id: error.expression_id,
              expid: error.expid,
              class: error.class,
              message: error.message,
            })),
          });
          const folded = comparable(chronicle.at(chronicle.last));
          const seen = comparable(server);
          if (JSON.stringify(folded) !== JSON.stringify(seen))
            wrong.push(
              `${one.group}/${one.name}\n  folded ${JSON.stringify(folded)}\n  shown  ${JSON.stringify(seen)}`,
            );
        }
        return news;
      },
    });
  }
  expect(wrong.slice(0, 5), `${wrong.length} of ${rests} rests`).toEqual([]);
  expect(rests).toBeGreaterThan(900);
});
