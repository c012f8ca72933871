import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { migrate, ownMigrations } from '../../src/store/migrate.ts';
import { startCluster, TEMPLATE } from './cluster.ts';
import type {} from './postgres.ts';

/** Files that are given a Postgres; whoever needs one elsewhere is named `….postgres.test.ts`. */
const WANTS_POSTGRES = /\/test\/store\/|\.postgres\.test\.ts$/;

/** A hundred databases come and go: nobody is to look through each of them once a minute, and plans are to be made on what a test has analysed. */
const ALONE = '-c autovacuum=off -c checkpoint_timeout=30min';

/**
 * Before all tests, where some of them want Postgres: the one DATABASE_URL names, or a throw-away cluster. A template with all tables is
 * made, of which every test file gets a copy.
 */
export async function setupPostgres(project: TestProject): Promise<() => Promise<void>> {
  if (!project.vitest.state.getPaths().some((path) => WANTS_POSTGRES.test(path))) {
    project.provide('postgres', null);
    return async () => {};
  }
  const given = process.env['DATABASE_URL'];
  const cluster =
    given === undefined || given === '' ? await startCluster(ALONE) : { url: given, stop: async () => {} };
  if (typeof cluster === 'string') {
    console.warn(`The suites on Postgres do not run: ${cluster}.`);
    project.provide('postgres', null);
    return async () => {};
  }
  const admin = new pg.Client({ connectionString: cluster.url });
  await admin.connect();
  await admin.query(`drop database if exists ${TEMPLATE}`);
  await admin.query(`create database ${TEMPLATE}`);
  await admin.end();
  const url = new URL(cluster.url);
  url.pathname = `/${TEMPLATE}`;
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  await migrate(client, ownMigrations());
  await client.end();
  project.provide('postgres', cluster.url);
  return cluster.stop;
}
