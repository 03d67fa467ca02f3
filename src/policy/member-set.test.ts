import { describe, expect, test } from 'vitest';
import { MemberSet } from './member-set.js';

describe('the members of a set', () => {
  test('stay while one endpoint has the address', () => {
    const set = new MemberSet();
    set.addAll(['10.65.0.1']);
    set.addAll(['10.65.0.1']);
    set.takeChanges();
    set.removeAll(['10.65.0.1']);
    expect(set.takeChanges()).toEqual({ added: [], removed: [] });
    set.removeAll(['10.65.0.1']);
    expect(set.takeChanges()).toEqual({ added: [], removed: ['10.65.0.1'] });
  });

  test('report nothing when they come and go, or go and come, between two questions', () => {
    const set = new MemberSet();
    set.addAll(['10.65.0.1']);
    set.removeAll(['10.65.0.1']);
    expect(set.takeChanges()).toEqual({ added: [], removed: [] });
    set.addAll(['10.65.0.2']);
    set.takeChanges();
    set.removeAll(['10.65.0.2']);
    set.addAll(['10.65.0.2']);
    expect(set.takeChanges()).toEqual({ added: [], removed: [] });
  });
});
