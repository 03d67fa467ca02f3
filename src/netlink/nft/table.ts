import { NLM_F_CREATE } from '../socket.js';
import type { Request } from '../socket.js';
import { messageTypes, tableRequest } from './message.js';

const nothing = (): void => undefined;

/** Adds a table; no error when there is one. */
export function addTable(table: string): Request {
  return tableRequest(messageTypes.newTable, NLM_F_CREATE, table, nothing);
}

/** Deletes a table with all that is in it. */
export function deleteTable(table: string): Request {
  return tableRequest(messageTypes.deleteTable, 0, table, nothing);
}

/** Asks for one table; ENOENT when there is none. */
export function getTable(table: string): Request {
  return tableRequest(messageTypes.getTable, 0, table, nothing);
}
