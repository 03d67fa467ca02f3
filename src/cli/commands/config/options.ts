import { CalicoError } from '../../../base/index.js';
import type { ResourceClient, SettingName } from '../../../datastore/index.js';
import { parseAsNumber } from '../../../net/index.js';

type Settings = Pick<ResourceClient, 'getSetting' | 'setSetting' | 'setSettings'>;

/** A setting under the name that the user knows it by, and how it is kept (`calicoctl.md` 6.1). */
export interface ConfigOption {
  readonly name: string;
  /** whether a node may have a value of its own */
  readonly perNode: boolean;
  /** every value that it takes, where these are words */
  readonly values: readonly string[];
  get(settings: Settings, node: string | undefined): Promise<string>;
  /** `invalid` for a value that it does not take */
  set(settings: Settings, value: string, node: string | undefined): Promise<void>;
  unset(settings: Settings, node: string | undefined): Promise<void>;
}

const LOG_LEVELS = ['none', 'debug', 'info', 'warning', 'error', 'critical'];
const DEFAULT_LOG_LEVEL = 'info';
/** BIRD knows no other levels. */
const BGP_LOG_LEVELS = ['none', 'debug', 'info'];
const DEFAULT_AS_NUMBER = '64512';

const screenLevel = (node: string | undefined): SettingName => ({
  component: 'felix',
  name: 'LogSeverityScreen',
  ...(node === undefined ? {} : { node }),
});
const bgpLevel = (node: string | undefined): SettingName => ({
  component: 'bgp',
  name: 'loglevel',
  ...(node === undefined ? {} : { node }),
});
/** Where the original wrote the global level of BGP, and nobody reads it. */
const formerBgpLevel: SettingName = { component: 'felix', name: 'loglevel' };

const logLevel: ConfigOption = {
  name: 'logLevel',
  perNode: true,
  values: LOG_LEVELS,
  get: async (settings, node) => {
    const own = node === undefined ? undefined : await settings.getSetting(screenLevel(node));
    if (own !== undefined) return own;
    const global = (await settings.getSetting(screenLevel(undefined))) ?? DEFAULT_LOG_LEVEL;
    return node === undefined ? global : `${global} (inherited from global)`;
  },
  set: async (settings, value, node) => {
    if (!LOG_LEVELS.includes(value)) {
      throw new CalicoError('invalid', `error with field loglevel = '${value}'`);
    }
    const ofBgp = BGP_LOG_LEVELS.includes(value) ? value : 'none';
    await settings.setSettings([
      { setting: screenLevel(node), value },
      { setting: bgpLevel(node), value: ofBgp },
      ...(node === undefined ? [{ setting: formerBgpLevel, value: ofBgp }] : []),
    ]);
  },
  unset: async (settings, node) => {
    if (node === undefined) {
      await logLevel.set(settings, DEFAULT_LOG_LEVEL, undefined);
      return;
    }
    await settings.setSettings(
      [screenLevel(node), bgpLevel(node)].map(setting => ({ setting, value: undefined })),
    );
  },
};

/** How a stored value says on and off. */
interface Switch {
  readonly name: string;
  readonly setting: SettingName;
  readonly preset: 'on' | 'off';
  readonly on: string;
  readonly off: string;
  readonly isOn: (stored: string) => boolean;
}

function switchOption({ name, setting, preset, on, off, isOn }: Switch): ConfigOption {
  const set = async (settings: Settings, value: string): Promise<void> => {
    if (value !== 'on' && value !== 'off') throw new CalicoError('invalid', `invalid value '${value}'`);
    await settings.setSetting(setting, value === 'on' ? on : off);
  };
  return {
    name,
    perNode: false,
    values: ['on', 'off'],
    get: async settings => {
      const stored = await settings.getSetting(setting);
      if (stored === undefined) return preset;
      return isOn(stored) ? 'on' : 'off';
    },
    set,
    unset: async settings => await set(settings, preset),
  };
}

function meshIsOn(stored: string): boolean {
  try {
    const value: unknown = JSON.parse(stored);
    return typeof value === 'object' && value !== null && 'enabled' in value && value.enabled === true;
  } catch (error) {
    throw new CalicoError('corrupt', `the stored value of nodeToNodeMesh is not JSON: ${stored}`, {
      cause: error,
    });
  }
}

const nodeToNodeMesh = switchOption({
  name: 'nodeToNodeMesh',
  setting: { component: 'bgp', name: 'node_mesh' },
  preset: 'on',
  on: '{"enabled":true}',
  off: '{"enabled":false}',
  isOn: meshIsOn,
});

const ipip = switchOption({
  name: 'ipip',
  setting: { component: 'felix', name: 'IpInIpEnabled' },
  preset: 'off',
  on: 'true',
  off: 'false',
  isOn: stored => stored.toLowerCase() === 'true',
});

const globalAsNumber: SettingName = { component: 'bgp', name: 'as_num' };

const asNumber: ConfigOption = {
  name: 'asNumber',
  perNode: false,
  values: [],
  get: async settings => (await settings.getSetting(globalAsNumber)) ?? DEFAULT_AS_NUMBER,
  set: async (settings, value) => {
    const number = parseAsNumber(value);
    if (number === undefined) throw new CalicoError('invalid', 'the supplied AS number is not valid');
    await settings.setSetting(globalAsNumber, String(number));
  },
  unset: async settings => await settings.setSetting(globalAsNumber, DEFAULT_AS_NUMBER),
};

/** The settings that have a name of their own. */
export const configOptions: readonly ConfigOption[] = [logLevel, nodeToNodeMesh, asNumber, ipip];
