import { describe, expect, test } from 'vitest';
import { etcdConfig, namesEtcd } from './config.js';

describe('the settings of etcd', () => {
  test('mean this host when they name no place', () => {
    expect(namesEtcd({ endpoints: '', username: 'u' })).toBe(false);
    expect(etcdConfig({})).toMatchObject({ type: 'etcdv3', endpoints: ['http://127.0.0.1:2379'] });
  });

  test('take endpoints before authority, and a scheme only for the authority', () => {
    const authority = { authority: 'etcd1:2379', scheme: 'https' };
    expect(namesEtcd(authority)).toBe(true);
    expect(etcdConfig(authority).endpoints).toEqual(['https://etcd1:2379']);
    expect(etcdConfig({ authority: 'etcd1:2379' }).endpoints).toEqual(['http://etcd1:2379']);
    const endpoints = 'http://a:1,http://b:2';
    expect(etcdConfig({ ...authority, endpoints }).endpoints).toEqual(['http://a:1', 'http://b:2']);
  });

  test('take a certificate by its path before one as it is', () => {
    expect(etcdConfig({ caFile: '/ca', ca: 'PEM', cert: 'PEM', keyFile: '', key: 'PEM' })).toMatchObject({
      ca: { file: '/ca' },
      cert: { text: 'PEM' },
      key: { text: 'PEM' },
    });
    expect(etcdConfig({ certFile: '', cert: '' }).cert).toBeUndefined();
  });
});
