import { orderText } from './cells.js';
import { defineResource } from './definition.js';
import { identifier, withDefault } from './field.js';
import { list } from './list.js';
import { flag, float } from './number-fields.js';
import { inside, reportField } from './problem.js';
import { rule } from './rule.js';
import { choice, name, selector } from './text-fields.js';

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
    types: list(choice(['ingress', 'egress'])),
    doNotTrack: flag(),
    preDNAT: flag(),
    applyOnForward: flag(),
  },
  check: ({ types = [], egress, doNotTrack, preDNAT, applyOnForward }, place) => {
    const wrong = (field: string, value: unknown, expected: string, reason: string): void => {
      const goField = `${field.charAt(0).toUpperCase()}${field.slice(1)}`;
      reportField(inside(place, field), { value, expected, name: goField, reason });
    };
    if (new Set(types).size < types.length) wrong('types', types, 'each direction at most once', 'repeated');
    if (doNotTrack === true && preDNAT === true) {
      wrong('preDNAT', true, 'not together with doNotTrack', 'a policy is one or the other');
    }
    if ((doNotTrack === true || preDNAT === true) && applyOnForward !== true) {
      const expected = 'applyOnForward: true beside doNotTrack or preDNAT, which see forwarded packets too';
      wrong('applyOnForward', applyOnForward ?? false, expected, 'must be true');
    }
    if (preDNAT === true && (egress !== undefined || types.includes('egress'))) {
      wrong('preDNAT', true, 'no egress: NAT is before routing', 'cannot have egress');
    }
  },
  identity: metadata => `Policy(name=${metadata.name})`,
  identifiers: () => ['name'],
  columns: {
    NAME: { cell: each => each.metadata.name },
    ORDER: { show: 'wide', cell: each => orderText(each.spec.order) },
    SELECTOR: { show: 'wide', cell: each => each.spec.selector },
  },
});
