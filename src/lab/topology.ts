import { CalicoError } from '../base/index.js';
import type { Issue } from '../base/index.js';
import type { LabTopology } from './plan.js';

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Collects what is wrong, so that a topology file is answered with all its faults at once. */
class TopologyReader {
  readonly issues: Issue[] = [];

  fault(path: string, value: unknown, expected: string): void {
    this.issues.push({ path, value: value === undefined ? 'nothing' : JSON.stringify(value), expected });
  }

  record(path: string, value: unknown, fields: readonly string[]): Record<string, unknown> {
    if (!isRecord(value)) {
      this.fault(path, value, 'a map');
      return {};
    }
    for (const key of Object.keys(value).filter(name => !fields.includes(name))) {
      this.fault(`${path}.${key}`, value[key], `one of the fields ${fields.join(', ')}`);
    }
    return value;
  }

  list(path: string, value: unknown): readonly unknown[] {
    if (Array.isArray(value)) return value;
    if (value !== undefined && value !== null) this.fault(path, value, 'a list');
    return [];
  }

  name(path: string, value: unknown): string {
    if (typeof value === 'string') return value;
    this.fault(path, value, 'a name');
    return '';
  }

  labels(path: string, value: unknown): Record<string, string> {
    if (value === undefined || value === null) return {};
    if (!isRecord(value)) {
      this.fault(path, value, 'a map of labels');
      return {};
    }
    return Object.fromEntries(
      Object.entries(value).map(([key, label]) => {
        if (typeof label === 'object') this.fault(`${path}.${key}`, label, 'a text');
        return [key, String(label)];
      }),
    );
  }
}

/** Reads a decoded topology file; throws `invalid` with an issue for each fault. */
export function readTopology(value: unknown): LabTopology {
  const reader = new TopologyReader();
  const top = reader.record('topology', value, ['hosts']);
  const hosts = reader.list('hosts', top.hosts).map((item, h) => {
    const path = `hosts[${String(h)}]`;
    const host = reader.record(path, item, ['name', 'workloads']);
    return {
      name: reader.name(`${path}.name`, host.name),
      workloads: reader.list(`${path}.workloads`, host.workloads).map((entry, w) => {
        const inner = `${path}.workloads[${String(w)}]`;
        const workload = reader.record(inner, entry, ['name', 'labels']);
        return {
          name: reader.name(`${inner}.name`, workload.name),
          labels: reader.labels(`${inner}.labels`, workload.labels),
        };
      }),
    };
  });
  if (reader.issues.length > 0) {
    const lines = reader.issues.map(issue => `${issue.path} is ${issue.value}: expected ${issue.expected}`);
    throw new CalicoError('invalid', lines.join('\n'), { issues: reader.issues });
  }
  return { hosts };
}
