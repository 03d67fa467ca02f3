import { describe, expect, test } from 'vitest';
import type { ClusterChange } from '../datastore/index.js';
import type { BlockRoutes } from '../ipam/index.js';
import { RoutingView } from './routing-view.js';
import type { RoutingPart } from './routing-view.js';

describe('what routing knows of the datastore', () => {
  function view(): { readonly routing: RoutingView; readonly told: readonly string[] } {
    const told: string[] = [];
    const note = (parts: ReadonlySet<RoutingPart>): void => {
      told.push([...parts].toSorted().join());
    };
    return { routing: new RoutingView('a', note), told };
  }

  const nothing = { revision: 1, inSync: true, changes: [] } as const;
  const everything = 'bgpPeer,block,ipPool,node,setting';

  const node = (name: string, gone?: 'gone' | 'unreadable'): ClusterChange => ({
    kind: 'resource',
    resourceKind: 'node',
    id: `Node(name=${name})`,
    resource:
      gone === undefined ? { apiVersion: 'v1', kind: 'node', metadata: { name }, spec: {} } : undefined,
    ...(gone === 'unreadable' ? { problem: 'no JSON' } : {}),
  });

  const block = (cidr: string): BlockRoutes => ({
    cidr,
    version: 4,
    node: 'a',
    confirmed: true,
    borrowed: [],
  });

  test('is told when both watches have shown all there is, and not before', () => {
    const { routing, told } = view();
    routing.handleBlocks({ inSync: true, changes: [{ kind: 'updated', block: block('10.0.0.0/26') }] });
    routing.handleCluster({ revision: 1, inSync: false, changes: [node('a')] });
    expect(told).toEqual([]);
    routing.handleCluster(nothing);
    expect(told).toEqual([everything]);
    expect(routing.nodes.map(({ metadata }) => metadata.name)).toEqual(['a']);
    expect(routing.blocks).toEqual([block('10.0.0.0/26')]);
  });

  test('is told with each change what it was about, and nothing of what does not concern routing', () => {
    const { routing, told } = view();
    routing.handleCluster(nothing);
    routing.handleBlocks({ inSync: true, changes: [] });
    const setting = (component: 'bgp' | 'felix', of?: string): ClusterChange => ({
      kind: 'setting',
      setting: { component, name: 'loglevel', ...(of === undefined ? {} : { node: of }) },
      value: 'debug',
    });
    const change = (...changes: readonly ClusterChange[]): void => {
      routing.handleCluster({ revision: 2, inSync: false, changes });
    };
    change(node('b'));
    change(setting('felix'), setting('bgp', 'b'));
    change(setting('bgp'), setting('bgp', 'a'));
    routing.handleBlocks({ inSync: false, changes: [{ kind: 'removed', cidr: '10.0.0.0/26' }] });
    expect(told).toEqual([everything, 'node', 'setting', 'block']);
    expect([...routing.settings, ...routing.nodeSettings]).toEqual([
      ['loglevel', 'debug'],
      ['loglevel', 'debug'],
    ]);
  });

  test('keeps a node that cannot be read any more, and forgets one that was removed', () => {
    const { routing } = view();
    routing.handleCluster({ ...nothing, changes: [node('a'), node('b')] });
    routing.handleCluster({
      revision: 2,
      inSync: false,
      changes: [node('a', 'unreadable'), node('b', 'gone')],
    });
    expect(routing.nodes.map(({ metadata }) => metadata.name)).toEqual(['a']);
  });

  test('forgets the blocks that a watch which begins anew does not show', () => {
    const { routing, told } = view();
    routing.handleCluster(nothing);
    routing.handleBlocks({ inSync: true, changes: [{ kind: 'updated', block: block('10.0.0.0/26') }] });
    routing.handleBlocks({ inSync: true, changes: [{ kind: 'updated', block: block('10.0.1.0/26') }] });
    expect(routing.blocks.map(({ cidr }) => cidr)).toEqual(['10.0.1.0/26']);
    expect(told).toEqual([everything, 'block']);
  });
});
