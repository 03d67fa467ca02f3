import { orderText } from './cells.js';
import { defineResource } from './definition.js';
import { identifier, withDefault } from './field.js';
import { list } from './list.js';
import { float } from './number-fields.js';
import { rule } from './rule.js';
import { name, selector } from './text-fields.js';

/** Rules for the endpoints that a selector picks; lower orders come first, none comes last. */
export const policy = defineResource({
  kind: 'policy',
  goName: 'Policy',
  description:
    'rules for the endpoints that a selector picks, in ascending order; whatever no rule allows is denied',
  words: ['policy', 'policies', 'pol', 'pols'],
  metadata: { name: identifier(name()) },
  spec: {
    order: float(),
    ingress: list(rule),
    egress: list(rule),
    selector: withDefault(selector(), ''),
  },
  identity: metadata => `Policy(name=${metadata.name})`,
  identifiers: () => ['name'],
  columns: {
    NAME: { cell: each => each.metadata.name },
    ORDER: { show: 'wide', cell: each => orderText(each.spec.order) },
    SELECTOR: { show: 'wide', cell: each => each.spec.selector },
  },
});
