import { describe, expect, test } from 'vitest';
import { handleOf, hostInterfaceOf, parseAttachment } from './attachment.js';
import type { CniRequest } from './protocol.js';

const request: CniRequest = {
  program: 'calico',
  command: 'ADD',
  containerId: 'c1',
  netns: '/run/netns/a',
  ifName: 'eth0',
  args: '',
  path: '',
  stdin: '',
};
const pod = 'K8S_POD_NAMESPACE=ns1;K8S_POD_NAME=pod1';

describe('the host interface', () => {
  test('of a pod is the one that Calico makes, for every sandbox', () => {
    const name = hostInterfaceOf(parseAttachment({ ...request, args: pod }));
    // SHA-1 of "ns1.pod1"
    expect(name).toBe('calie822bf90b23');
    expect(hostInterfaceOf(parseAttachment({ ...request, containerId: 'c2', args: pod }))).toBe(name);
  });

  test('of other containers differs by container and by interface', () => {
    const names = [
      { ...request },
      { ...request, containerId: 'c2' },
      { ...request, ifName: 'eth1' },
      { ...request, args: pod },
      { ...request, args: pod, ifName: 'eth1' },
    ].map(each => hostInterfaceOf(parseAttachment(each)));
    expect(new Set(names).size).toBe(5);
    for (const name of names) expect(name).toMatch(/^cali[0-9a-f]{11}$/);
  });
});

describe('the handle', () => {
  test('names network and container, and each interface but the first', () => {
    expect(handleOf('net1', parseAttachment({ ...request, args: pod }))).toBe('net1.c1');
    expect(handleOf('net1', parseAttachment({ ...request, ifName: 'eth1' }))).toBe('net1.c1.eth1');
  });
});

describe('arguments of the runtime', () => {
  test('with only the name of a pod, as podman sends, make no pod', () => {
    const attachment = parseAttachment({ ...request, args: 'IgnoreUnknown=1;K8S_POD_NAME=p1' });
    expect(attachment).toMatchObject({ orchestrator: 'cni', workload: 'c1', pod: undefined });
  });

  test('that nobody knows are refused by calico-ipam unless it is told to ignore them', () => {
    const ipam: CniRequest = { ...request, program: 'calico-ipam' };
    expect(() => parseAttachment({ ...ipam, args: 'A=1' })).toThrow('ARGS: unknown args [A]');
    expect(parseAttachment({ ...ipam, args: 'IgnoreUnknown=true;A=1' }).containerId).toBe('c1');
    expect(parseAttachment({ ...request, args: 'A=1' }).containerId).toBe('c1');
  });

  test.each([
    ['K8S_POD_NAMESPACE=a/b;K8S_POD_NAME=p', 'K8S_POD_NAMESPACE="a/b" is not a Kubernetes name'],
    ['IP=10.0.0', 'IP="10.0.0" is not an IP address'],
    ['A=B=C', 'ARGS: invalid pair "A=B=C"'],
  ])('%s are refused', (args, message) => {
    expect(() => parseAttachment({ ...request, args })).toThrow(message);
  });
});
