import type { SubjectChange } from '../../../datastore/index.js';
import { subjectName } from './subject-name.js';

/** More changes than these are counted, not named. */
const MOST_NAMED = 3;

/** `policy/web updated, policy/db created`, or of many `12 created, 3 updated`. */
export function changesText(changes: readonly SubjectChange[]): string {
  if (changes.length > MOST_NAMED) return countsText(changes);
  return changes.map(({ subject, change }) => `${subjectName(subject)} ${change}`).join(', ');
}

/** `12 created, 3 updated`. */
export function countsText(changes: readonly Pick<SubjectChange, 'change'>[]): string {
  const counts = Map.groupBy(changes, ({ change }) => change);
  return [...counts].map(([change, { length }]) => `${String(length)} ${change}`).join(', ');
}
