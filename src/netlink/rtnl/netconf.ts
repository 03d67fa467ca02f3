import { forEachAttribute, readU32 } from '../codec.js';
import type { Message } from '../codec.js';

/** Something below /proc/sys/net/{ipv4,ipv6}/conf changed: forwarding, rp_filter, proxy_arp, proxy_ndp. */
export const RTM_NEWNETCONF = 80;

const NETCONFA_IFINDEX = 1;
/** as signed numbers -1 and -2: the settings of all links together, and those of links to come */
const ALL = 0xffff_ffff;
const DEFAULT = 0xffff_fffe;
/** of struct netconfmsg, padded */
const NETCONFMSG_LENGTH = 4;

/** The link whose settings changed: its index, or `all`; undefined for those of links to come. */
export function readNetconf({ view, start, end }: Message): number | 'all' | undefined {
  let index = DEFAULT;
  forEachAttribute({ view, start: start + NETCONFMSG_LENGTH, end }, (type, at) => {
    if (type === NETCONFA_IFINDEX) index = readU32(view, at);
  });
  if (index === ALL) return 'all';
  return index === DEFAULT ? undefined : index;
}
