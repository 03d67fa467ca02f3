import { CalicoError } from '../../base/index.js';
import { defineCommand, required } from '../../cli/index.js';
import { connectInLab, parseService, placeNamed, probeProgram, requireRecord } from '../../lab/index.js';
import type { LabContext, LabPlace, LabPlan } from '../../lab/index.js';
import { countOption, labContext, withLabClient, workloadAddresses } from './context.js';
import { labConnectHelp } from './help.js';

/** The IPv4 address under which a place of the lab is reached. */
export async function addressOfPlace(context: LabContext, plan: LabPlan, place: LabPlace): Promise<string> {
  if (place.kind === 'host') return place.host.ipv4;
  if (place.kind === 'router') return place.router.links[0]?.ipv4 ?? '';
  const addresses = (await withLabClient(context, plan, workloadAddresses)).get(place.workload.name) ?? [];
  const address = addresses.find(candidate => candidate.includes('.'));
  if (address === undefined)
    throw new CalicoError('not-found', `${place.workload.name} has no IPv4 address yet`);
  return address;
}

export const labConnectCommand = defineCommand({
  path: ['lab', 'connect'],
  help: labConnectHelp,
  options: {
    source: required('<SOURCE>'),
    destination: required('<DESTINATION>'),
    service: required('<SERVICE>'),
    timeout: required('--timeout'),
    name: required('--name'),
  },
  run: async services => {
    const { source, destination, service, timeout, name } = services.options;
    parseService(service);
    const timeoutMs = countOption('--timeout', timeout, 60_000);
    const context = labContext(services);
    const plan = await requireRecord(context.paths, name);
    const to = placeNamed(plan, destination);
    const result = await connectInLab({
      ...probeProgram(context.paths),
      fromNetns: placeNamed(plan, source).netns,
      toNetns: to.netns,
      address: await addressOfPlace(context, plan, to),
      service,
      timeoutMs,
    });
    const path = `${source} -> ${destination} ${service}`;
    switch (result.outcome) {
      case 'answered':
        services.out.line(`${path}: answered in ${result.ms.toFixed(1)} ms`);
        return 0;
      case 'silent':
        services.out.line(`${path}: no answer within ${timeout} ms: dropped on the way`);
        return 1;
      case 'refused':
        services.out.line(`${path}: refused: ${result.reason}`);
        return 1;
    }
  },
});
