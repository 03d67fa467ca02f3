import { describe, expect, test } from 'vitest';
import { workloadMtu } from './workload-mtu.js';

describe('the MTU of workload links', () => {
  test('is that of the uplink where nothing is wrapped', () => {
    expect(workloadMtu(1500, [])).toBe(1500);
    expect(workloadMtu(9000, [])).toBe(9000);
  });

  test('leaves room for the largest header in use', () => {
    expect(workloadMtu(1500, ['tunl0'])).toBe(1480);
    expect(workloadMtu(1500, ['tunl0', 'vxlan.calico'])).toBe(1450);
    expect(workloadMtu(1500, ['vxlan-v6.calico', 'tunl0'])).toBe(1430);
  });

  test('is never less than IPv6 needs, unless the uplink is', () => {
    expect(workloadMtu(1300, ['vxlan.calico'])).toBe(1280);
    expect(workloadMtu(1200, ['vxlan.calico'])).toBe(1200);
  });
});
