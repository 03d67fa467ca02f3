import type { Subject } from '../../../datastore/index.js';
import type { Identifiers } from '../named-resource.js';
import { resourceName } from '../../resource-name.js';

/** `policy/web`; of a setting `config/felix/LogSeverityScreen`, with the node before the name where it has one. */
export function subjectName(subject: Subject): string {
  switch (subject.kind) {
    case 'resource':
      return resourceName({ kind: subject.resourceKind, metadata: subject.metadata });
    case 'setting': {
      const { component, node, name } = subject.setting;
      return ['config', component, ...(node === undefined ? [] : [node]), name].join('/');
    }
    case 'key':
      return `key${subject.key}`;
  }
}

/** What the subject belongs to and is called: what a query can ask for. */
export function identifiersOf(subject: Subject): Identifiers {
  if (subject.kind === 'key') return {};
  if (subject.kind === 'resource') {
    const texts = Object.fromEntries(textsOf(subject.metadata));
    // A node belongs to itself.
    return subject.resourceKind === 'node' ? { ...texts, node: texts['name'] ?? '' } : texts;
  }
  const { node, name } = subject.setting;
  return node === undefined ? { name } : { name, node };
}

function textsOf(metadata: object): readonly (readonly [string, string])[] {
  return Object.entries(metadata).flatMap(([name, value]: [string, unknown]) =>
    typeof value === 'string' ? [[name, value] as const] : [],
  );
}
