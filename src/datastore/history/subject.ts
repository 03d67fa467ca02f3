import { identify } from '../../resources/index.js';
import type { Kind, Metadata, Resource } from '../../resources/index.js';
import { codecOf, decodeResource, ownerOf } from '../codec/codecs.js';
import { settingKey, settingOf } from '../codec/settings.js';
import type { SettingName } from '../resource-client.js';
import type { KeyChange } from './record.js';

/** What a change is about, as a user knows it. */
export type Subject =
  /** the identifiers only */
  | { readonly kind: 'resource'; readonly resourceKind: Kind; readonly metadata: Metadata<Kind> }
  | { readonly kind: 'setting'; readonly setting: SettingName }
  /** neither: what only old agents read, or what is newer than this program */
  | { readonly kind: 'key'; readonly key: string };

export type ChangeKind = 'created' | 'updated' | 'deleted';

export interface SubjectChange {
  readonly subject: Subject;
  readonly change: ChangeKind;
}

/** What a subject is at some revision. */
export type SubjectState =
  | { readonly kind: 'absent' }
  | { readonly kind: 'resource'; readonly resource: Resource }
  /** the value of a setting, or of what cannot be read as a resource */
  | { readonly kind: 'text'; readonly text: string };

/** The subject that a key is a part of. */
export function subjectOf(key: string): Subject {
  const owner = ownerOf(key);
  if (owner !== undefined) return { kind: 'resource', resourceKind: owner.kind, metadata: owner.metadata };
  const setting = settingOf(key);
  return setting === undefined ? { kind: 'key', key } : { kind: 'setting', setting };
}

/** Endpoints of workloads come and go by themselves: they have a journal of their own. */
export function isEndpoint(subject: Subject): boolean {
  return subject.kind === 'resource' && subject.resourceKind === 'workloadEndpoint';
}

/** All keys of a subject; the first decides whether it exists. */
export function keysOfSubject(subject: Subject): readonly [string, ...string[]] {
  switch (subject.kind) {
    case 'resource':
      return codecOf(subject.resourceKind).keys(subject.metadata);
    case 'setting':
      return [settingKey(subject.setting)];
    case 'key':
      return [subject.key];
  }
}

/** The same for the same subject, and for no other: a resource's has the form `Policy(name=web)`. */
export function subjectId(subject: Subject): string {
  return subject.kind === 'resource'
    ? identify({ kind: subject.resourceKind, metadata: subject.metadata })
    : keysOfSubject(subject)[0];
}

/** The subjects of the keys, each once, in the order of the first key of each. */
export function subjectsOf(keys: Iterable<string>): readonly Subject[] {
  const found = new Map<string, Subject>();
  for (const key of keys) {
    const subject = subjectOf(key);
    const id = subjectId(subject);
    if (!found.has(id)) found.set(id, subject);
  }
  return [...found.values()];
}

/** What a commit did to subjects, out of what it did to keys. */
export function subjectChanges(changes: readonly KeyChange[]): readonly SubjectChange[] {
  const byKey = new Map(changes.map(change => [change.key, change]));
  return subjectsOf(byKey.keys()).map(subject => {
    const decisive = byKey.get(keysOfSubject(subject)[0]);
    return { subject, change: decisive === undefined ? 'updated' : changeKind(decisive) };
  });
}

function changeKind({ before, present }: KeyChange): ChangeKind {
  if (before === undefined) return 'created';
  return present ? 'updated' : 'deleted';
}

/** The subject, where its keys have these values. */
export function stateOf(subject: Subject, valueOf: (key: string) => string | undefined): SubjectState {
  const values = keysOfSubject(subject).map(valueOf);
  const [first] = values;
  if (first === undefined) return { kind: 'absent' };
  if (subject.kind !== 'resource') return { kind: 'text', text: first };
  const decoded = decodeResource(subject.resourceKind, subject.metadata, values);
  return decoded.ok
    ? { kind: 'resource', resource: decoded.resource }
    : { kind: 'text', text: values.map(value => value ?? '').join('\n') };
}
