import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { planLab, readTopology } from '../../src/lab/index.js';
import { readDocument } from '../../src/cli/index.js';
import { load } from 'js-yaml';

const root = new URL('../..', import.meta.url).pathname;
const files = readdirSync(`${root}examples`, { recursive: true, encoding: 'utf8' }).filter(path =>
  path.endsWith('lab.yaml'),
);

describe('topologies that users are shown', () => {
  test.each(files)('can be built: examples/%s', async path => {
    const plan = planLab('lab', readTopology(await readDocument(`${root}examples/${path}`)));
    expect(plan.hosts.length).toBeGreaterThan(0);
  });

  test('can be built: the one in docs/lab.md', () => {
    const [, text = ''] = /```yaml\n(.*?)```/s.exec(readFileSync(`${root}docs/lab.md`, 'utf8')) ?? [];
    const plan = planLab('lab', readTopology(load(text)));
    expect(plan.routers.map(router => router.bgp?.daemon)).toEqual([undefined, 'frr']);
    expect(plan.hosts[1]?.ipv4).toBe('172.31.2.11');
  });
});
