/**
 * What both ends of a workload's link agree on. Every workload sees the same router, whatever host it is on
 * and whichever link it has: so nothing in it must change when it moves, and no address is spent on a link.
 */

/**
 * Hardware address of the host's end of every workload link. One fixed value lets the workload hold a
 * permanent neighbour entry for its router.
 */
export const WORKLOAD_HOST_MAC = 'ee:ee:ee:ee:ee:ee';

/**
 * The workload's IPv4 router: link-local, on no interface; the host answers for it by proxy ARP, and the
 * workload needs the route `169.254.1.1 scope link` before its default route.
 */
export const WORKLOAD_GATEWAY_IPV4 = '169.254.1.1';

/** The workload's IPv6 router: the link-local address that EUI-64 (RFC 4291 appendix A) makes of the host MAC. */
export const WORKLOAD_GATEWAY_IPV6 = 'fe80::ecee:eeff:feee:eeee';

/** `proto` number of the routes that this program owns: it lists and removes those, and no others. */
export const ROUTE_PROTOCOL = 80;
