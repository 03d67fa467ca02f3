import { describe, expect, test } from 'vitest';
import { ResourceView } from './resource-view.js';
import type { Entry, WatchChange } from './store.js';

const entry = (key: string, value: string, modRevision = 1): Entry => ({
  key,
  value,
  createRevision: 1,
  modRevision,
});
const put = (key: string, value: string): WatchChange => ({ kind: 'put', entry: entry(key, value) });

const policy = '/calico/v1/policy/tier/default/policy/p';
const profile = '/calico/v1/policy/profile/p';
const whole = [
  entry(policy, '{"selector":""}'),
  entry(`${profile}/tags`, '["t"]'),
  entry(`${profile}/labels`, '{"a":"b"}'),
  entry(`${profile}/rules`, '{}'),
  entry('/calico/v1/config/LogSeverityScreen', 'info'),
];

describe('a view of the resources in a store', () => {
  test('tells after a new listing only what is different, whatever the revisions are', () => {
    const view = new ResourceView();
    expect(view.replace(whole)).toHaveLength(3);
    expect(view.replace(whole.map(each => ({ ...each, modRevision: 9 })))).toEqual([]);
    const changed = whole.map(each => (each.key.endsWith('labels') ? { ...each, value: '{"a":"c"}' } : each));
    expect(view.replace(changed)).toMatchObject([
      { id: 'Profile(name=p)', resource: { metadata: { tags: ['t'], labels: { a: 'c' } } } },
    ]);
    expect(view.replace([])).toEqual([
      { kind: 'setting', setting: { component: 'felix', name: 'LogSeverityScreen' }, value: undefined },
      { kind: 'resource', resourceKind: 'policy', id: 'Policy(name=p)', resource: undefined },
      { kind: 'resource', resourceKind: 'profile', id: 'Profile(name=p)', resource: undefined },
    ]);
  });

  test('puts a resource together from keys that arrive in any order and at any time', () => {
    const view = new ResourceView();
    expect(view.apply([put(`${profile}/rules`, '{}'), put(`${profile}/labels`, '{"a":"b"}')])).toEqual([]);
    expect(view.apply([put(`${profile}/tags`, '["t"]')])).toMatchObject([
      { resource: { metadata: { tags: ['t'], labels: { a: 'b' } } } },
    ]);
    expect(view.apply([put(`${profile}/tags`, '[]'), put(`${profile}/labels`, '{}')])).toEqual([
      {
        kind: 'resource',
        resourceKind: 'profile',
        id: 'Profile(name=p)',
        resource: { apiVersion: 'v1', kind: 'profile', metadata: { name: 'p' }, spec: {} },
      },
    ]);
  });

  test('tells the last of several changes of one key, and none of a key that comes and goes', () => {
    const view = new ResourceView();
    const gone: WatchChange = { kind: 'delete', key: policy, revision: 2 };
    expect(
      view.apply([put(policy, '{"selector":"has(a)"}'), put(policy, '{"selector":"has(b)"}')]),
    ).toMatchObject([{ resource: { spec: { selector: 'has(b)' } } }]);
    expect(view.apply([gone])).toMatchObject([{ resource: undefined }]);
    expect(view.apply([put(policy, '{}'), gone])).toEqual([]);
  });
});
