import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { TEMPLATE } from './cluster.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** A Postgres on which databases can be made; null when there is none on this machine. */
    postgres: string | null;
  }
}

/** Whether there is a Postgres to test on. Suites that need one run only if so; the run says when there is none. */
export const hasPostgres = (): boolean => inject('postgres') !== null;

export type Database = {
  readonly url: string;
  /** One statement on a connection of its own. */
  readonly query: (
    text: string,
    values?: readonly unknown[],
  ) => Promise<readonly { readonly [column: string]: unknown }[]>;
  readonly drop: () => Promise<void>;
};

/** A database of one's own; `empty`: without tables. */
export async function freshDatabase(options: { readonly empty?: boolean } = {}): Promise<Database> {
  const server = inject('postgres');
  if (server === null) throw new Error('There is no Postgres to test on; ask hasPostgres() first');
  const name = `rota_${randomBytes(6).toString('hex')}`;
  await once(
    server,
    options.empty === true ? `create database ${name}` : `create database ${name} template ${TEMPLATE}`,
  );
  const url = new URL(server);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    query: (text, values) => once(url.href, text, values),
    drop: async () => {
      await once(server, `drop database if exists ${name} with (force)`);
    },
  };
}

async function once(url: string, text: string, values: readonly unknown[] = []): ReturnType<Database['query']> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text, [...values])).rows;
  } finally {
    await client.end();
  }
}
