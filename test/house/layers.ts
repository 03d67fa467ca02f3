/** Who may import whom (docs/architecture.md draws it): the table that the layer test checks. */
export interface Layer {
  /** folders of src/ that it may import, besides itself and `base` */
  readonly imports: readonly string[];
  /** `true`: any file may do I/O; otherwise the files (paths below the folder) that may import `node:` */
  readonly io: true | readonly string[];
}

const everythingBelowFrontEnds = [
  'selector',
  'net',
  'resources',
  'policy',
  'datastore',
  'ipam',
  'netlink',
  'dataplane',
  'bgp',
];
const frontEnd: Layer = { imports: everythingBelowFrontEnds, io: true };

export const layers: Readonly<Record<string, Layer>> = {
  base: { imports: [], io: true },
  net: { imports: [], io: [] },
  selector: { imports: ['net'], io: [] },
  resources: { imports: ['selector', 'net'], io: [] },
  policy: { imports: ['selector', 'net', 'resources'], io: [] },
  datastore: { imports: ['resources', 'net'], io: ['sqlite/', 'etcd/', 'open.ts'] },
  ipam: { imports: ['datastore', 'resources', 'net'], io: [] },
  netlink: { imports: ['net'], io: true },
  dataplane: {
    imports: ['policy', 'ipam', 'resources', 'net', 'selector', 'netlink'],
    io: ['nft/apply.ts', 'nft/read-back.ts', 'endpoints/apply.ts'],
  },
  bgp: {
    imports: ['policy', 'ipam', 'resources', 'net'],
    io: [
      'bird.ts',
      'bird-config-file.ts',
      'bird-process.ts',
      'control-socket.ts',
      'gobgp.ts',
      'gobgp-program.ts',
    ],
  },
  cli: frontEnd,
  cni: frontEnd,
  docker: frontEnd,
  kubernetes: frontEnd,
  lab: frontEnd,
  web: frontEnd,
  node: { imports: [...everythingBelowFrontEnds, 'cni', 'docker', 'kubernetes', 'web'], io: true },
  bin: {
    imports: [...everythingBelowFrontEnds, 'cli', 'cni', 'docker', 'kubernetes', 'lab', 'web', 'node'],
    io: true,
  },
};

/** Finer than folders: imports that are allowed, or forbidden, for single files, with the reason. */
export const only: readonly { readonly from: string; readonly to: string; readonly reason: string }[] = [
  {
    from: 'policy/from-v1.ts',
    to: 'resources',
    reason: 'the API version is a skin: only policy/from-v1.ts knows resources; work on policy/model.ts',
  },
];

/** Where the world outside the process may be read or ended, and by whom. */
export const restricted: readonly {
  readonly pattern: RegExp;
  readonly allowed: readonly string[];
  readonly instead: string;
}[] = [
  {
    pattern: /\bprocess\.(env|exit)\b/,
    allowed: ['bin/', 'node/config.ts', 'base/run-program.ts'],
    instead: 'take a typed configuration; bin/ reads the environment once and sets the exit code',
  },
  {
    pattern: /\b(Date\.now|Math\.random|performance\.now|process\.hrtime)\b/,
    allowed: ['base/clock.ts'],
    instead: 'take a Clock (src/base/clock.ts)',
  },
];
