import type { IpVersion } from '../../net/index.js';

/** The version of an address or CIDR in canonical text. */
export function versionOf(text: string): IpVersion {
  return text.includes(':') ? 6 : 4;
}

/** Those of the addresses or CIDRs that are of a version. */
export function ofVersion(version: IpVersion, texts: readonly string[] = []): readonly string[] {
  return texts.filter(text => versionOf(text) === version);
}
