import { CalicoError } from '../../base/index.js';
import { defineCommand, readManifests, required } from '../../cli/index.js';
import type { Resource } from '../../resources/index.js';
import { parseService, placeNamed, probeProgram, requireRecord, startMeasurement } from '../../lab/index.js';
import type { Effect } from '../../lab/index.js';
import { addressOfPlace } from './connect.js';
import { countOption, labContext, withLabClient } from './context.js';
import { labMeasureHelp } from './help.js';

function summary(effects: readonly Effect[]): string {
  const sorted = effects.map(effect => effect.ms).toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  return `${String(sorted.length)} changes: median ${median.toFixed(1)} ms, worst ${(sorted.at(-1) ?? 0).toFixed(1)} ms`;
}

export const labMeasureCommand = defineCommand({
  path: ['lab', 'measure'],
  help: labMeasureHelp,
  options: {
    source: required('<SOURCE>'),
    destination: required('<DESTINATION>'),
    service: required('<SERVICE>'),
    filename: required('--filename'),
    count: required('--count'),
    name: required('--name'),
  },
  run: async services => {
    const { source, destination, service, filename, count, name } = services.options;
    const { transport, port } = parseService(service);
    if (transport !== 'udp') throw new CalicoError('invalid', `'${service}': only udp:PORT can be measured`);
    const times = countOption('--count', count, 1_000);
    const context = labContext(services);
    const plan = await requireRecord(context.paths, name);
    const to = placeNamed(plan, destination);
    const address = await addressOfPlace(context, plan, to);
    const resources: readonly Resource[] = await readManifests(filename, services.stdin);
    if (resources.length === 0) throw new CalicoError('invalid', `${filename}: no resources`);
    const effects = await withLabClient(context, plan, async client => {
      const measurement = await startMeasurement({
        ...probeProgram(context.paths),
        fromNetns: placeNamed(plan, source).netns,
        toNetns: to.netns,
        address,
        port,
        clock: services.clock,
      });
      const measured: Effect[] = [];
      try {
        for (let i = 0; i < times; i++) {
          for (const verb of ['apply', 'delete'] as const) {
            const effect = await measurement.effectOf(async () => {
              await client.write(resources.map(resource => ({ verb, resource })));
            });
            services.out.line(`${verb}: ${effect.became} after ${effect.ms.toFixed(1)} ms`);
            measured.push(effect);
          }
        }
      } finally {
        await measurement.close();
      }
      return measured;
    });
    services.out.line(summary(effects));
    return 0;
  },
});
