/**
 * The configuration of a BIRD that takes its own routes out of the kernel and has no sessions: what it runs
 * before it is removed, since only it knows which routes with `proto bird` it made.
 */
export function renderNothing(): string {
  return [
    '# Written by calico-node cleanup.',
    'router id 127.0.0.1;',
    'protocol device { }',
    'protocol kernel kernel4 { scan time 2; ipv4 { export none; }; }',
    'protocol kernel kernel6 { scan time 2; ipv6 { export none; }; }',
    '',
  ].join('\n');
}
