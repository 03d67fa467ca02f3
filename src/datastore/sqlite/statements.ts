import type { DatabaseSync, StatementSync } from 'node:sqlite';

export type Statements = Readonly<Record<keyof typeof sql, StatementSync>>;

const keyColumns = "key, '' AS value, create_rev AS createRevision, mod_rev AS modRevision";
const columns = keyColumns.replace("'' AS value", 'value');

const sql = {
  beginRead: 'BEGIN',
  beginWrite: 'BEGIN IMMEDIATE',
  commit: 'COMMIT',
  rollback: 'ROLLBACK',
  meta: 'SELECT epoch, rev AS revision, compacted FROM meta',
  setRevision: 'UPDATE meta SET rev = ?',
  setCompacted: 'UPDATE meta SET compacted = ?',
  get: `SELECT ${columns} FROM kv WHERE key = ?`,
  getKey: `SELECT ${keyColumns} FROM kv WHERE key = ?`,
  list: `SELECT ${columns} FROM kv WHERE key >= ? AND key < ? ORDER BY key`,
  listFrom: `SELECT ${columns} FROM kv WHERE key >= ? ORDER BY key`,
  listKeys: `SELECT ${keyColumns} FROM kv WHERE key >= ? AND key < ? ORDER BY key`,
  listKeysFrom: `SELECT ${keyColumns} FROM kv WHERE key >= ? ORDER BY key`,
  expired: 'SELECT key FROM kv WHERE expires <= ?',
  put: `INSERT INTO kv VALUES (:key, :value, :revision, :revision, 1, :expires) ON CONFLICT(key) DO UPDATE
    SET value = excluded.value, mod_rev = excluded.mod_rev, version = version + 1, expires = excluded.expires
    RETURNING create_rev AS createRevision`,
  delete: 'DELETE FROM kv WHERE key = ?',
  appendLog: 'INSERT INTO log VALUES (?, ?, ?, ?, ?)',
  log: `SELECT rev AS revision, key, value, create_rev AS createRevision FROM log
    WHERE rev > ? AND rev <= ? ORDER BY rev, n`,
  trim: 'DELETE FROM log WHERE rev <= ?',
} as const;

/** The statements, each prepared when it is first needed: a short command needs few of them. */
export function prepareStatements(connection: DatabaseSync): Statements {
  const prepared = new Map<string, StatementSync>();
  const statement = (name: string, text: string): StatementSync => {
    const made = prepared.get(name) ?? connection.prepare(text);
    prepared.set(name, made);
    return made;
  };
  const getters = Object.entries(sql).map(
    ([name, text]) => [name, { get: () => statement(name, text) }] as const,
  );
  // fromEntries forgets the keys; they are those of `sql`.
  return Object.defineProperties({}, Object.fromEntries(getters)) as Statements;
}
