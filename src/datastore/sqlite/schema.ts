import type { DatabaseSync } from 'node:sqlite';
import { CalicoError } from '../../base/index.js';

/** Marks the file as ours in its header: "Cali". */
const applicationId = 0x43616c69;

const schemaVersion = 2;

/**
 * kv is the content; log holds what each revision changed (value and create_rev NULL: deleted) for the
 * watches; revisions up to `compacted` are no longer in it. Another epoch means another history, as after a
 * restore. Revision 1 is the empty store, so that 0 can mean "absent".
 */
const firstTables = `
CREATE TABLE meta(
  id INTEGER PRIMARY KEY CHECK(id = 1), epoch TEXT NOT NULL, rev INTEGER NOT NULL, compacted INTEGER NOT NULL
) STRICT;
CREATE TABLE kv(
  key TEXT PRIMARY KEY, value TEXT NOT NULL, create_rev INTEGER NOT NULL, mod_rev INTEGER NOT NULL,
  version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE log(
  rev INTEGER, n INTEGER, key TEXT NOT NULL, value TEXT, create_rev INTEGER, PRIMARY KEY(rev, n)
) STRICT, WITHOUT ROWID;
PRAGMA application_id = ${String(applicationId)};
`;

/** What each version after the first has changed. A key with `expires` (Unix time in ms) goes by itself then. */
const changes: readonly string[] = [
  `ALTER TABLE kv ADD COLUMN expires INTEGER;
  CREATE INDEX expiring ON kv(expires) WHERE expires IS NOT NULL;`,
];

/** Makes the tables in an empty file, brings older ones up to date, and refuses files not ours or too new. */
export function prepareSchema(connection: DatabaseSync, file: string): void {
  if (numberOf(connection, 'PRAGMA user_version') < schemaVersion) update(connection, file);
  if (numberOf(connection, 'PRAGMA application_id') !== applicationId) throw foreign(file);
  const version = numberOf(connection, 'PRAGMA user_version');
  if (version > schemaVersion) {
    throw new CalicoError(
      'unsupported',
      `datastore ${file}: has format ${String(version)}, this program knows up to ${String(schemaVersion)}; ` +
        'use the version of the program that wrote it',
    );
  }
}

function update(connection: DatabaseSync, file: string): void {
  connection.exec('BEGIN IMMEDIATE');
  try {
    // Two processes may open a store at once: the second finds the first one's tables here.
    let version = numberOf(connection, 'PRAGMA user_version');
    if (version === 0) {
      if (numberOf(connection, 'SELECT count(*) FROM sqlite_schema') > 0) throw foreign(file);
      connection.exec(firstTables);
      connection.prepare('INSERT INTO meta VALUES (1, ?, 1, 0)').run(crypto.randomUUID());
      version = 1;
    } else if (numberOf(connection, 'PRAGMA application_id') !== applicationId) throw foreign(file);
    for (const change of changes.slice(version - 1)) connection.exec(change);
    connection.exec(`PRAGMA user_version = ${String(Math.max(version, schemaVersion))}`);
    connection.exec('COMMIT');
  } catch (error) {
    if (connection.isTransaction) connection.exec('ROLLBACK');
    throw error;
  }
}

function foreign(file: string): CalicoError {
  return new CalicoError(
    'corrupt',
    `datastore ${file}: is a database of another program; move it away, or check CALICO_STATE_DIR`,
  );
}

function numberOf(connection: DatabaseSync, sql: string): number {
  const [value] = Object.values(connection.prepare(sql).get() ?? {});
  return typeof value === 'number' ? value : 0;
}
