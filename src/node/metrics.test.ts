import { describe, expect, test } from 'vitest';
import type { EndpointId, SetId } from '../policy/index.js';
import { Measurements } from './measurements.js';
import { createMetrics } from './metrics.js';

describe('the metrics of the agent', () => {
  test('have the names of the field and the numbers of the moment, each time anew', async () => {
    const measurements = new Measurements(0);
    let answers = true;
    const set = 'web' as SetId;
    const endpoint = 'workload:here/k8s/w/eth0' as EndpointId;
    const text = await createMetrics({
      node: 'here',
      measurements,
      cluster: () => undefined,
      isInSync: () => measurements.firstApplySeconds !== undefined,
      datastoreAnswers: async () => await Promise.resolve(answers),
      routes: () => 3,
      loggedErrors: () => 1,
      table: () => ({ chains: 20, rules: 50, sets: 4, maps: 6 }),
      drops: async () => await Promise.resolve(new Map([['spoofed-source', { packets: 7, bytes: 500 }]])),
    });
    expect(await text.text()).toMatch(/^felix_resync_state 1$/m);
    measurements.calculated(
      [{ kind: 'endpoint', id: endpoint, endpoint: undefined }],
      [
        { kind: 'set-created', id: set, members: new Set() },
        { kind: 'set-changed', id: set, added: ['10.0.0.1'], removed: [] },
      ],
      0.25,
    );
    measurements.applied(0.5);
    measurements.firstApplySeconds = 1.5;
    for (const page of [await text.text(), await text.text()]) {
      expect(page.split('\n')).toEqual(
        expect.arrayContaining([
          'felix_host{host="here"} 1',
          'felix_resync_state 3',
          'felix_active_local_selectors 1',
          'felix_calc_graph_updates_processed{type="endpoint"} 1',
          'felix_int_dataplane_messages{type="set-changed"} 1',
          'felix_calc_graph_output_events 2',
          'felix_calc_graph_update_time_seconds_sum 0.25',
          'felix_int_dataplane_apply_time_seconds_count 1',
          'felix_int_dataplane_initial_resync_time_seconds 1.5',
          'felix_route_table_num_routes 3',
          'felix_log_errors 1',
          'felix_nft_rules 50',
          'felix_nft_maps 6',
          'felix_resyncs_started 0',
          'calico_repairs{what="route"} 0',
          'calico_denied_packets{reason="spoofed-source"} 7',
          'calico_denied_bytes{reason="spoofed-source"} 500',
        ]),
      );
    }
    answers = false;
    expect(await text.text()).toMatch(/^felix_resync_state 1$/m);
    measurements.calculated([], [{ kind: 'set-removed', id: set }], 0);
    expect(await text.text()).toMatch(/^felix_ipsets_calico 0$/m);
  });
});
