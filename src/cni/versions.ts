import { CniError, cniCode } from './errors.js';

/** Every version of the CNI specification that is spoken, oldest first. */
export const supportedVersions = ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'] as const;

export type CniVersion = (typeof supportedVersions)[number];

export const newestVersion: CniVersion = '1.1.0';

/** The specification takes a configuration without a version for one of 0.2.0. */
const impliedVersion: CniVersion = '0.2.0';

/** The `cniVersion` of a network configuration; fails with code 1 when it is not spoken. */
export function versionOf(config: Readonly<Record<string, unknown>>): CniVersion {
  const given = config['cniVersion'] ?? '';
  if (given === '') return impliedVersion;
  const version = supportedVersions.find(each => each === given);
  if (version === undefined) {
    const text = typeof given === 'string' ? given : JSON.stringify(given);
    throw new CniError(
      cniCode.incompatibleVersion,
      `unsupported CNI version ${text}; supported: ${supportedVersions.join(', ')}`,
    );
  }
  return version;
}

/** The version to put into an answer about input that may be anything: what it says, else the newest. */
export function versionForAnswer(stdin: string): string {
  return /"cniVersion"\s*:\s*"([0-9.]{1,20})"/.exec(stdin)?.[1] ?? newestVersion;
}

/** Commands that came with a later version of the specification. */
const sinceVersion: Readonly<Record<string, CniVersion>> = { CHECK: '0.4.0', STATUS: '1.1.0', GC: '1.1.0' };

/** Fails with code 1 when the configuration's version does not know the command. */
export function expectCommandOf(version: CniVersion, command: string): void {
  const since = sinceVersion[command];
  if (since === undefined || supportedVersions.indexOf(version) >= supportedVersions.indexOf(since)) return;
  throw new CniError(
    cniCode.incompatibleVersion,
    `config version does not allow ${command}: cniVersion is ${version}, ${command} needs ${since}`,
  );
}

/** The answer to VERSION. */
export function formatVersions(stdin: string): string {
  return `${JSON.stringify({ cniVersion: versionForAnswer(stdin), supportedVersions })}\n`;
}
