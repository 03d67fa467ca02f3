import { describe, expect, test } from 'vitest';
import { parseResource } from './index.js';

function problems(spec: object): readonly string[] {
  const parsed = parseResource({ apiVersion: 'v1', kind: 'policy', metadata: { name: 'p' }, spec });
  return parsed.ok ? [] : parsed.problems.map(({ path, expected }) => `${path}: ${expected}`);
}

const both = { source: {}, destination: {} };
const allow = { action: 'allow', ...both };

describe('what a policy may say beyond v1', () => {
  test.each([
    {},
    { types: ['ingress'] },
    { types: ['egress', 'ingress'] },
    { applyOnForward: true },
    { doNotTrack: true, applyOnForward: true, egress: [allow] },
    { preDNAT: true, applyOnForward: true, types: ['ingress'], ingress: [allow] },
  ])('%j is taken', spec => {
    expect(problems(spec)).toStrictEqual([]);
  });

  test.each([
    [{ types: ['Ingress'] }, 'spec.types[0]'],
    [{ types: ['ingress', 'ingress'] }, 'spec.types: each direction at most once'],
    [{ doNotTrack: true }, 'spec.applyOnForward'],
    [{ preDNAT: true }, 'spec.applyOnForward'],
    [{ preDNAT: true, doNotTrack: true, applyOnForward: true }, 'spec.preDNAT: not together'],
    [{ preDNAT: true, applyOnForward: true, egress: [allow] }, 'spec.preDNAT: no egress'],
    [{ preDNAT: true, applyOnForward: true, types: ['egress'] }, 'spec.preDNAT: no egress'],
    [
      { ingress: [{ ...allow, source: { net: '10.0.0.0/8', nets: ['10.0.0.0/8'] } }] },
      'spec.ingress[0].source.nets',
    ],
    [
      { ingress: [{ ...allow, source: { notNet: '10.0.0.0/8', notNets: ['10.0.0.0/8'] } }] },
      'spec.ingress[0].source.notNets',
    ],
  ])('%j is refused at %s', (spec, expected) => {
    expect(problems(spec)).toStrictEqual([expect.stringContaining(expected)]);
  });
});
