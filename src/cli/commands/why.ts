import { parseIp, protocolNumbers } from '../../net/index.js';
import { changeFor, evaluate, explain, explainBriefly } from '../../policy/index.js';
import type { Packet, Verdict } from '../../policy/index.js';
import { defineCommand, required, text } from '../command.js';
import { whyHelp } from '../help/why.js';
import { formatJson, visible } from '../output/index.js';
import type { Output } from '../output/index.js';
import { askAgent, runDirOf } from './node/agent-answer.js';
import { findPlaces, nodesOf, whyNoPlace } from './why/find-places.js';
import type { PacketEnd } from './why/find-places.js';
import { withAgentSettings } from './why/load-settings.js';
import type { LocalAgent } from './why/load-settings.js';
import { loadModel } from './why/load-model.js';
import { readService } from './why/read-service.js';
import type { Service } from './why/read-service.js';

const DEFAULT_SERVICE = 'tcp:80';
/** The first of the ports that clients use (RFC 6335). */
const CLIENT_PORT = 49_152;
/** Selectors may match many endpoints; more answers than this nobody reads. */
const MOST_ANSWERS = 50;

function packetBetween(
  source: PacketEnd,
  destination: PacketEnd,
  { protocol, port }: Service,
): Packet | undefined {
  const ipVersion = parseIp(source.address)?.version;
  if (ipVersion === undefined || parseIp(destination.address)?.version !== ipVersion) return undefined;
  const number = protocol(ipVersion);
  const isIcmp = number === protocolNumbers.icmp || number === protocolNumbers.icmpv6;
  return {
    ipVersion,
    protocol: number,
    source: source.address,
    destination: destination.address,
    ...(port === undefined ? {} : { sourcePort: CLIENT_PORT, destinationPort: port }),
    // An echo request: what `ping` sends.
    ...(isIcmp ? { icmpType: ipVersion === 4 ? 8 : 128, icmpCode: 0 } : {}),
    ...(source.place === undefined ? {} : { from: source.place }),
    ...(destination.place === undefined ? {} : { to: destination.place }),
  };
}

function packetsBetween(
  sources: readonly PacketEnd[],
  destinations: readonly PacketEnd[],
  service: Service,
): readonly Packet[] {
  return sources.flatMap(source =>
    destinations.flatMap(destination => packetBetween(source, destination, service) ?? []),
  );
}

function print(verdicts: readonly Verdict[], output: string, out: Output): void {
  if (output === 'json') {
    out.text(
      formatJson(
        verdicts.map(({ allowed, packet, path, steps, ...rest }) => {
          const because = explainBriefly({ allowed, packet, path, steps, ...rest });
          const change = changeFor({ allowed, packet, path, steps, ...rest });
          return { allowed, because, ...(change !== undefined && { change }), packet, path, steps };
        }),
      ),
    );
    return;
  }
  const answers = verdicts.map(verdict => ({ verdict, lines: explain(verdict) }));
  for (const answer of answers) {
    const twin = answers.find(other => isSameInIpv6(answer, other));
    if (answers.some(other => isSameInIpv6(other, answer))) continue;
    for (const line of answer.lines) out.line(visible(line));
    if (twin !== undefined) out.line('  the same holds for IPv6');
  }
}

interface Answer {
  readonly verdict: Verdict;
  readonly lines: readonly string[];
}

/** True when `other` says of IPv6 between the same endpoints what `answer` says of IPv4: one of them is enough. */
function isSameInIpv6(answer: Answer, other: Answer): boolean {
  const [packet, twin] = [answer.verdict.packet, other.verdict.packet];
  return (
    packet.ipVersion === 4 &&
    twin.ipVersion === 6 &&
    packet.from !== undefined &&
    packet.from === twin.from &&
    packet.to === twin.to &&
    answer.verdict.allowed === other.verdict.allowed &&
    answer.lines.slice(1).join('\n') === other.lines.slice(1).join('\n')
  );
}

/** What the agent of this host knows; nothing where none runs, or where it may not be asked. */
async function localAgent(
  env: Readonly<Record<string, string | undefined>>,
): Promise<LocalAgent | undefined> {
  const answer = await askAgent(runDirOf(env), '/status');
  // Our own agent, of this version or an older one.
  const status = answer?.status === 200 ? (JSON.parse(answer.body) as Partial<LocalAgent>) : undefined;
  if (status?.node === undefined) return undefined;
  return { node: status.node, config: status.config ?? {}, interfaces: status.interfaces ?? {} };
}

export const whyCommand = defineCommand({
  path: ['why'],
  help: whyHelp,
  options: {
    source: required('<SOURCE>'),
    destination: required('<DESTINATION>'),
    service: text('<SERVICE>'),
    output: text('--output'),
    config: text('--config'),
  },
  run: async ({ options, out, client, env }) => {
    const { source, destination, service: serviceText = DEFAULT_SERVICE, output = 'ps' } = options;
    const service = readService(serviceText);
    if (service === undefined) {
      out.line(
        `Error executing command: service '${visible(serviceText)}': expected a protocol, with a port where it has ports, such as tcp:80, udp:53, icmp or 47`,
      );
      return 1;
    }
    if (output !== 'ps' && output !== 'json') {
      out.line(`unrecognized output format '${visible(output)}'`);
      return 1;
    }
    const model = await loadModel(await client());
    const [from, to] = [findPlaces(source, model), findPlaces(destination, model)];
    for (const [words, ends] of [[source, from] as const, [destination, to] as const]) {
      if (ends.length > 0) continue;
      out.line(`Error executing command: ${whyNoPlace(words, model)}`);
      return 1;
    }
    const packets = packetsBetween(from, to, service);
    if (packets.length === 0) {
      out.line(
        `Error executing command: '${visible(source)}' and '${visible(destination)}' share no IP version`,
      );
      return 1;
    }
    const shown = packets.slice(0, MOST_ANSWERS);
    const nodes = nodesOf([...from, ...to], model);
    const agent = await localAgent(env);
    const whole = await withAgentSettings(model, await client(), { nodes, agent });
    const verdicts = shown.map(packet => evaluate(whole, packet));
    print(verdicts, output, out);
    const hidden = packets.length - verdicts.length;
    if (hidden > 0 && output === 'ps') out.line(`(and ${String(hidden)} more)`);
    return 0;
  },
});
