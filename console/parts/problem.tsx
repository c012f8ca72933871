import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Problem } from '../api/calls.ts';
import { now } from '../live/now.ts';
import { Text } from './said.tsx';

/** A problem where it arose: what, why, and how the server's log names it. */
export function ProblemNote({
  problem,
  again,
}: {
  readonly problem: Problem;
  readonly again?: (() => void) | undefined;
}) {
  return (
    <div class="problem" role="alert">
      <p>
        <span class="code">{problem.code}</span> <Text text={problem.detail} />
      </p>
      {problem.errors.length > 0 && (
        <ul class="small">
          {problem.errors.slice(0, 20).map((error) => (
            <li>
              {error['line'] !== undefined && `line ${error['line']}, column ${error['column']}: `}
              {error['pointer'] !== undefined && (
                <>
                  <Text text={String(error['pointer'])} />:{' '}
                </>
              )}
              <Text text={String(error['detail'] ?? error['message'] ?? '')} />
            </li>
          ))}
        </ul>
      )}
      <p class="row small dim">
        {problem.status > 0 && <span>status {problem.status}</span>}
        {problem.requestId !== null && <span class="mono">request {problem.requestId}</span>}
        {problem.retryAfterSeconds !== null && <CountDown of={problem} />}
        {again !== undefined && (
          <button type="button" class="button tiny" onClick={again}>
            Try again
          </button>
        )}
      </p>
    </div>
  );
}

/** Until when the server asks to wait, a second at a time. */
function CountDown({ of }: { readonly of: Problem }) {
  const [until] = useState(() => now.peek() + (of.retryAfterSeconds ?? 0) * 1_000);
  const left = Math.max(0, Math.ceil((until - now.value) / 1_000));
  return <span>{left === 0 ? 'it may be tried again now' : `try again in ${left} s`}</span>;
}

export const Empty = ({ title, children }: { readonly title: string; readonly children?: ComponentChildren }) => (
  <div class="panel empty">
    <h2>{title}</h2>
    {children}
  </div>
);

/** What this server cannot do (yet): said, never left out. */
export const Missing = ({ what, call }: { readonly what: string; readonly call: string }) => (
  <p class="note warn small">
    {what} This server has no <code>{call}</code>.
  </p>
);
