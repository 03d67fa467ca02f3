import { asObject, member, wrong } from './json.js';
import type { Json } from './json.js';

/** `labels`, `cni.labels` (CNI conventions) and Mesos network_info, each a map or a list of {key, value}. */
export function labelsOf(args: Json): Readonly<Record<string, string>> {
  const mesos = member(args, 'org.apache.mesos');
  const network = mesos === undefined ? undefined : member(mesos, 'network_info');
  const sources: readonly (readonly [string, unknown])[] = [
    ['args.labels', args['labels']],
    ['args.cni.labels', member(args, 'cni')?.['labels']],
    ['args["org.apache.mesos"].network_info.labels', network && member(network, 'labels')?.['labels']],
  ];
  return Object.fromEntries(sources.flatMap(([path, value]) => readLabels(path, value)));
}

function readLabels(path: string, value: unknown): readonly (readonly [string, string])[] {
  if (value === undefined || value === null) return [];
  const pairs: readonly (readonly [unknown, unknown])[] = Array.isArray(value)
    ? value.map((entry: unknown) => [asObject(entry)?.['key'], asObject(entry)?.['value']])
    : Object.entries(asObject(value) ?? { '': value });
  return pairs.map(([key, text]) => {
    if (typeof key !== 'string' || key === '' || typeof text !== 'string') {
      throw wrong(path, value, 'a map of texts, or a list of {"key": …, "value": …}');
    }
    return [key, text];
  });
}
