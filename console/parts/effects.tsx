import { useEffect, useState } from 'preact/hooks';
import { isObject, type JsonObject } from '../../src/model/json.ts';
import { call, type Problem } from '../api/calls.ts';
import { objectsOf, textOf } from '../picture/standing.ts';
import type { Asked } from './action.tsx';
import { ProblemNote } from './problem.tsx';
import { Text } from './said.tsx';
import { countText } from './texts.ts';

/** How long nobody types before the server is asked, in milliseconds. */
const PAUSE_MS = 300;
const NAMED_MAX = 8;

/** What would come of a request, as the server computes it (`dry_run`): who is told, which handlers run, what ends. Null: nothing can be asked yet. */
export function Effects({ asked }: { readonly asked: Asked | null }) {
  const [found, setFound] = useState<JsonObject | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const text = JSON.stringify(asked);
  useEffect(() => {
    if (asked === null) return;
    const abort = new AbortController();
    const body = isObject(asked.body ?? null) ? (asked.body as JsonObject) : {};
    const timer = setTimeout(async () => {
      const answer = await call(asked.path, {
        method: asked.method ?? 'POST',
        body: { ...body, dry_run: true },
        signal: abort.signal,
      });
      if (abort.signal.aborted) return;
      setProblem(answer.ok ? null : answer.problem);
      if (answer.ok && isObject(answer.value)) setFound(answer.value);
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [text]);
  if (problem !== null) return <ProblemNote problem={problem} />;
  if (found === null) return <p class="effects dim">The server works out what comes of it…</p>;
  const told = namesOf(objectsOf(found['told']).map((one) => textOf(one['participant'])));
  const opened = namesOf(objectsOf(found['opened']).map((one) => textOf(one['participant'])));
  const handlers = objectsOf(found['handlers']).map((one) => textOf(one['handler']));
  const ended = Number(found['expressions_ended'] ?? 0);
  return (
    <ul class="effects" aria-live="polite">
      <li>
        {told === '' ? (
          'Nobody is at work there now'
        ) : (
          <>
            Told to stop: <Text text={told} />
          </>
        )}
      </li>
      {opened !== '' && (
        <li>
          Asked anew: <Text text={opened} />
        </li>
      )}
      {handlers.length > 0 && (
        <li>
          Handlers that run: <Text text={namesOf(handlers)} />
        </li>
      )}
      <li>
        {ended === 0
          ? 'No expression ends'
          : ended === 1
            ? 'One expression ends'
            : `${countText(ended)} expressions end`}
        ; then the workflow is <Text text={textOf(found['status'])} />
      </li>
      {found['complete'] === false && <li class="dim">This is only the beginning of it: it takes several steps.</li>}
    </ul>
  );
}

/** `alice, bob 3 times and 12 more`. */
function namesOf(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  const all = [...counts].map(([name, count]) => (count === 1 ? name : `${name} ${countText(count)} times`));
  return all.length > NAMED_MAX
    ? `${all.slice(0, NAMED_MAX).join(', ')} and ${all.length - NAMED_MAX} more`
    : all.join(', ');
}
