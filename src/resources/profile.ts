import { joined } from './cells.js';
import { defineResource } from './definition.js';
import { identifier } from './field.js';
import { list } from './list.js';
import { rule } from './rule.js';
import { labels, name } from './text-fields.js';

/** Rules, tags and labels for the endpoints that name it; asked when no policy decides. */
export const profile = defineResource({
  kind: 'profile',
  goName: 'Profile',
  description: 'rules, tags and labels for the endpoints that name it; asked when no policy decides',
  words: ['profile', 'profiles', 'pro', 'pros'],
  metadata: { name: identifier(name()), tags: list(name()), labels: labels() },
  spec: { ingress: list(rule), egress: list(rule) },
  identity: metadata => `Profile(name=${metadata.name})`,
  identifiers: () => ['name'],
  columns: {
    NAME: { cell: each => each.metadata.name },
    TAGS: { show: 'wide', cell: each => joined(each.metadata.tags) },
    LABELS: {
      show: 'extra',
      cell: each =>
        joined(
          Object.entries(each.metadata.labels ?? {})
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([key, value]) => `${key}=${value}`),
        ),
    },
  },
});
