import { endpoint, nets, policy, profile, rule, selector } from '../support/policy-builders.js';
import type { Endpoint, Policy, Pool, Profile } from '../../src/policy/index.js';

/** A whole content of the model, and what the dataplane of node `here` must hold because of it. */
export interface World {
  readonly name: string;
  readonly endpoints?: readonly Endpoint[];
  readonly policies?: readonly Policy[];
  readonly profiles?: readonly Profile[];
  readonly pools?: readonly Pool[];
  readonly expected: {
    /** members by source: the selector's canonical text, or `tag NAME` */
    readonly sets?: Readonly<Record<string, readonly string[]>>;
    readonly policies?: readonly string[];
    readonly profiles?: readonly string[];
    /** by name of the interface: policies in order of evaluation, the way in / the way out */
    readonly endpoints?: Readonly<Record<string, string>>;
    readonly pools?: number;
  };
}

const web = endpoint('web', { addresses: ['10.65.0.1', 'fd80:65::1'], labels: { role: 'web' } });
const db = endpoint('db', { addresses: ['10.65.0.2'], labels: { role: 'db' } });
const farWeb = endpoint('far', { node: 'there', addresses: ['10.65.1.1'], labels: { role: 'web' } });
const fromWeb = rule('allow', { sourceSelector: selector('role == "web"') });
const database = policy('database', { selector: 'role == "db"', ingress: [fromWeb] });
const forAll = policy('all', { order: 10 });
const open = profile('open', { ingress: [rule('allow')], egress: [rule('allow')], tags: ['public'] });
const fromPublic = profile('from-public', { ingress: [rule('allow', { sourceTag: 'public' })] });

/** Each has something that makes it differ from its neighbours in one point that once was, or could be, a defect. */
export const worlds: readonly World[] = [
  { name: 'nothing', expected: {} },
  {
    name: 'a local endpoint, no policy, no profile',
    endpoints: [web],
    expected: { endpoints: { caliweb: ' / ' } },
  },
  {
    name: 'only remote endpoints: policies and sets are of no use here',
    endpoints: [farWeb],
    policies: [database, forAll],
    profiles: [open],
    expected: {},
  },
  {
    name: 'a policy by label, its set has local and remote members of both families',
    endpoints: [web, db, farWeb],
    policies: [database],
    expected: {
      sets: { 'role == "web"': ['10.65.0.1', '10.65.1.1', 'fd80:65::1'] },
      policies: ['database'],
      endpoints: { caliweb: ' / ', calidb: 'database / database' },
    },
  },
  {
    name: 'the remote member is gone',
    endpoints: [web, db],
    policies: [database],
    expected: {
      sets: { 'role == "web"': ['10.65.0.1', 'fd80:65::1'] },
      policies: ['database'],
      endpoints: { caliweb: ' / ', calidb: 'database / database' },
    },
  },
  {
    name: 'the remote member has the address of the local one',
    endpoints: [web, db, { ...farWeb, addresses: ['10.65.0.1'] }],
    policies: [database],
    expected: {
      sets: { 'role == "web"': ['10.65.0.1', 'fd80:65::1'] },
      policies: ['database'],
      endpoints: { caliweb: ' / ', calidb: 'database / database' },
    },
  },
  {
    name: 'the selected endpoint has another role: policy and set go',
    endpoints: [web, { ...db, labels: { role: 'cache' } }, farWeb],
    policies: [database],
    expected: { endpoints: { caliweb: ' / ', calidb: ' / ' } },
  },
  {
    name: 'the selected endpoint has moved away',
    endpoints: [web, { ...db, node: 'there' }, farWeb],
    policies: [database],
    expected: { endpoints: { caliweb: ' / ' } },
  },
  {
    name: 'no order is last',
    endpoints: [db],
    policies: [database, forAll],
    expected: {
      sets: { 'role == "web"': [] },
      policies: ['all', 'database'],
      endpoints: { calidb: 'all, database / all, database' },
    },
  },
  {
    name: 'a changed order is enough to change places',
    endpoints: [db],
    policies: [{ ...database, order: 9.5 }, forAll],
    expected: {
      sets: { 'role == "web"': [] },
      policies: ['all', 'database'],
      endpoints: { calidb: 'database, all / database, all' },
    },
  },
  {
    name: 'a policy of one direction leaves the other alone, with what its rules there would need',
    endpoints: [web],
    policies: [
      policy('in', {
        types: ['ingress'],
        egress: [rule('deny', { destinationSelector: selector('has(role)') })],
      }),
    ],
    expected: { policies: ['in'], endpoints: { caliweb: 'in / ' } },
  },
  {
    name: 'two policies share a set',
    endpoints: [web],
    policies: [policy('a', { ingress: [fromWeb] }), policy('b', { egress: [fromWeb, fromWeb] })],
    expected: {
      sets: { 'role == "web"': ['10.65.0.1', 'fd80:65::1'] },
      policies: ['a', 'b'],
      endpoints: { caliweb: 'a, b / a, b' },
    },
  },
  {
    name: 'one of the two is left: the set stays',
    endpoints: [web],
    policies: [policy('b', { egress: [fromWeb] })],
    expected: {
      sets: { 'role == "web"': ['10.65.0.1', 'fd80:65::1'] },
      policies: ['b'],
      endpoints: { caliweb: 'b / b' },
    },
  },
  {
    name: 'profiles with a tag between them',
    endpoints: [
      { ...web, profiles: [open.id] },
      { ...db, profiles: [fromPublic.id, open.id] },
      { ...farWeb, profiles: [open.id] },
    ],
    profiles: [open, fromPublic],
    expected: {
      sets: { 'tag public': ['10.65.0.1', '10.65.0.2', '10.65.1.1', 'fd80:65::1'] },
      profiles: ['from-public', 'open'],
      endpoints: { caliweb: ' / ', calidb: ' / ' },
    },
  },
  {
    name: 'the tag is taken from the profile',
    endpoints: [
      { ...web, profiles: [open.id] },
      { ...db, profiles: [fromPublic.id, open.id] },
    ],
    profiles: [{ ...open, tags: [] }, fromPublic],
    expected: {
      sets: { 'tag public': [] },
      profiles: ['from-public', 'open'],
      endpoints: { caliweb: ' / ', calidb: ' / ' },
    },
  },
  {
    name: 'a label with the name of the tag makes no member',
    endpoints: [
      { ...web, labels: { public: '' } },
      { ...db, profiles: [fromPublic.id] },
    ],
    profiles: [fromPublic],
    expected: {
      sets: { 'tag public': [] },
      profiles: ['from-public'],
      endpoints: { caliweb: ' / ', calidb: ' / ' },
    },
  },
  {
    name: 'a profile that nobody has written still closes its endpoint',
    endpoints: [{ ...web, profiles: [open.id] }],
    expected: { profiles: ['open'], endpoints: { caliweb: ' / ' } },
  },
  {
    name: 'a profile makes its endpoints match a policy',
    endpoints: [{ ...web, labels: {}, profiles: [open.id] }],
    profiles: [{ ...open, labels: { role: 'db' } }],
    policies: [database],
    expected: {
      sets: { 'role == "web"': [] },
      policies: ['database'],
      profiles: ['open'],
      endpoints: { caliweb: 'database / database' },
    },
  },
  {
    name: 'the same, but the endpoint’s own label wins',
    endpoints: [{ ...web, profiles: [open.id] }],
    profiles: [{ ...open, labels: { role: 'db' } }],
    policies: [database],
    expected: { profiles: ['open'], endpoints: { caliweb: ' / ' } },
  },
  {
    name: 'pools',
    pools: nets('10.65.0.0/16', 'fd80:65::/64').map(cidr => ({ cidr, natOutgoing: true })),
    expected: { pools: 2 },
  },
];
