/*
 * How long anything that has to do with the database is waited for, in milliseconds. A socket can be silent for ever, and nothing in Node
 * bounds how long sent bytes may go unanswered, so each exchange has a limit of ours. The limits lie in each other: a lock is waited for
 * more briefly than a statement, the server gives up a statement before we give up the server, and a request outlasts both.
 */

/** A lock of a row that somebody else holds. */
export const LOCK_MS = 1_000;
/** A statement, counted by the server: steps and reads. It does not end a commit that waits for a standby. */
export const STATEMENT_MS = 5_000;
/** The answer to a statement, counted here: after that the connection is destroyed. */
export const CLIENT_MS = 6_000;
/** Nothing was answered over any connection for so long, though something was asked: it is told, and waited for as before. */
export const QUIET_MS = 2_500;
/** A request as a whole. It is then answered 503, and its work goes on. */
export const REQUEST_MS = 8_000;

/** House-keeping and migrations look at many rows, on a connection of their own. */
export const LONG_STATEMENT_MS = 30_000;
export const LONG_CLIENT_MS = 40_000;

/** A connection to one host, with authentication; also the wait for one of the pool that is in use. */
export const CONNECT_MS = 2_000;
/** All tries to get a connection together. */
export const CONNECT_ALL_MS = 6_000;

/** A server that has no connection left is asked again after so long. */
export const FULL_MS = 1_000;

/** An idle connection whose neighbour was given up is asked first whether it still works. */
export const PROBE_MS = 1_000;
/** A connection over which nothing was said for so long is probed by the system: each second, ten times. */
export const KEEP_ALIVE_MS = 10_000;
/** Unused connections are ended. */
export const IDLE_MS = 60_000;
/** A connection is made anew after so long, so that one to a server that was replaced does not stay for ever. */
export const LIFETIME_SECONDS = 1_800;

/** A transaction that was begun and is not gone on with: a node that froze in the middle of a step must not hold its locks for long. */
export const IDLE_IN_TRANSACTION_MS = 8_000;

/** No write has succeeded for so long, though one was tried: the server is not ready. */
export const UNWRITTEN_MS_MAX = 10_000;
