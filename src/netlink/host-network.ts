/**
 * What the rest of the program asks of the kernel's network configuration. All of it is synchronous and
 * takes microseconds; failures are CalicoErrors that name the operation, the object and the kernel's own
 * words. Removal of what is not there is no error; adding replaces.
 */
export interface LinkInfo {
  readonly index: number;
  readonly name: string;
  readonly mac: string;
  readonly mtu: number;
  readonly up: boolean;
  /** has a carrier: for a veth, both ends are up */
  readonly running: boolean;
  readonly kind: string | undefined;
}

export interface PacketCount {
  readonly packets: number;
  readonly bytes: number;
}

/** What has come in and gone out by a link since it was made, as its own end counts. */
export interface LinkTraffic {
  readonly received: PacketCount;
  readonly sent: PacketCount;
}

export interface AddressInfo {
  readonly interfaceIndex: number;
  /** `address/length` */
  readonly address: string;
  /** `RT_SCOPE_*`: 0 universe, 253 link, 254 host */
  readonly scope: number;
}

export interface RouteInfo {
  /** canonical CIDR; `0.0.0.0/0` and `::/0` for a default route */
  readonly destination: string;
  readonly gateway: string | undefined;
  readonly interfaceIndex: number | undefined;
  readonly protocol: number;
  readonly scope: number;
  readonly table: number;
  readonly type: 'unicast' | 'local' | 'blackhole' | 'unreachable' | 'prohibit' | 'other';
  readonly metric: number;
}

export interface RouteRequest {
  readonly destination: string;
  readonly gateway?: string;
  readonly interfaceIndex?: number;
  /** default 80: ours */
  readonly protocol?: number;
  readonly scope?: 'link' | 'universe';
  readonly onlink?: boolean;
  readonly type?: 'unicast' | 'blackhole';
  readonly metric?: number;
  /** preferred source address */
  readonly source?: string;
}

export interface VethRequest {
  readonly hostName: string;
  readonly hostMac: string;
  readonly containerName: string;
  /** undefined: one that the kernel makes up */
  readonly containerMac?: string;
  /** path of the network namespace that gets the container end, born there with its final name */
  readonly containerNetns: string;
  readonly mtu?: number;
}

/** A VXLAN device between this host and those that its owner tells it of. */
export interface VxlanRequest {
  readonly name: string;
  /** VXLAN network identifier, up to 24 bits: all ends have the same */
  readonly vni: number;
  /** UDP port of all ends */
  readonly port: number;
  /** this host's address in the outer packets */
  readonly local: string;
  /** this end's address in the inner frames */
  readonly mac: string;
  /** only for a device that has to be made */
  readonly mtu: number;
}

/** A neighbour that was set for good. */
export interface NeighbourInfo {
  readonly interfaceIndex: number;
  readonly address: string;
  readonly mac: string;
}

/** Frames for that address leave a VXLAN device inside packets to that host. */
export interface ForwardingEntry {
  readonly mac: string;
  readonly host: string;
}

/** One thing that happened, with the state after it (before it, for what is gone). In the kernel's order. */
export type NetworkEvent =
  | { readonly kind: 'link' | 'link-gone'; readonly link: LinkInfo }
  | { readonly kind: 'address' | 'address-gone'; readonly address: AddressInfo }
  /**
   * The kernel does not announce the IPv4 routes that vanish with their link or when it goes down: whoever
   * keeps a list must drop them at that link's event. Nor does it announce the route that gave way to one
   * which `replaces` the first with the same destination and metric.
   */
  | { readonly kind: 'route'; readonly route: RouteInfo; readonly replaces: boolean }
  | { readonly kind: 'route-gone'; readonly route: RouteInfo }
  /**
   * Forwarding, rp_filter, proxy_arp or proxy_ndp of a link, by its index, or of all together, was written. The
   * kernel announces no other setting.
   */
  | { readonly kind: 'settings'; readonly link: number | 'all' };

export interface NetworkChange {
  readonly links: boolean;
  readonly addresses: boolean;
  readonly routes: boolean;
  /** events were lost: everything should be read again */
  readonly overrun: boolean;
  /** all that was queued, in order; incomplete after an overrun */
  readonly events: readonly NetworkEvent[];
}

/**
 * One network namespace, by default that of the process. Create with `openHostNetwork`, close when done: it
 * holds a socket and, for another namespace, that namespace.
 */
export interface HostNetwork {
  /** The network of another namespace, opened in some 20 us; closed on its own. */
  enter(netns: string): HostNetwork;
  links(): readonly LinkInfo[];
  linkByName(name: string): LinkInfo | undefined;
  /** by name of the link */
  traffic(): ReadonlyMap<string, LinkTraffic>;
  addresses(): readonly AddressInfo[];
  /** both families, all tables */
  routes(): readonly RouteInfo[];
  /** The configured route that an address falls under; undefined when there is none, or one that drops. */
  routeTo(address: string): RouteInfo | undefined;
  /** both ends exist afterwards, down; `already-exists` when one of the names is taken */
  createVeth(request: VethRequest): { readonly host: LinkInfo; readonly containerIndex: number };
  /** The IP-in-IP device of that name, made where it is missing; `unsupported` where the kernel has none. */
  createIpip(name: string): LinkInfo;
  /**
   * The VXLAN device of that name with these properties, made or made anew where it has others. `already-exists`
   * where something else has the name; `unsupported` where the kernel has none.
   */
  ensureVxlan(request: VxlanRequest): LinkInfo;
  setLinkMtu(index: number, mtu: number): void;
  setLinkUp(index: number): void;
  setLinkDown(index: number): void;
  /** The kernel takes some 20 ms over a veth: the promise is for those who want to wait. */
  deleteLink(index: number): Promise<void>;
  /** The same for links that are seldom deleted: the process waits. */
  deleteLinkNow(index: number): void;
  /** `address/length`; an IPv6 address is usable at once (no duplicate address detection) */
  addAddress(index: number, address: string, scope?: 'link' | 'universe'): void;
  /** `address/length` */
  deleteAddress(index: number, address: string): void;
  /** A route with the same destination and metric gives way, whatever its protocol. */
  replaceRoute(route: RouteRequest): void;
  /** Deletes only a route of that protocol (default ours) that has everything the request names. */
  deleteRoute(route: RouteRequest): void;
  /** a permanent neighbour entry */
  replaceNeighbour(index: number, address: string, mac: string): void;
  deleteNeighbour(index: number, address: string): void;
  /** Lets the link answer neighbours who ask for an address that is not the host's, or no more. */
  setProxyNeighbour(index: number, address: string, wanted: boolean): void;
  /** those that were set for good, of all links */
  permanentNeighbours(): readonly NeighbourInfo[];
  /** what a VXLAN device knows of the hosts behind it */
  forwarding(index: number): readonly ForwardingEntry[];
  replaceForwarding(index: number, entry: ForwardingEntry): void;
  deleteForwarding(index: number, entry: ForwardingEntry): void;
  /**
   * Deletes every tracked connection with one of the addresses as source or destination, before or after NAT,
   * in one walk over the table (some 50 ms for 100,000 connections); returns how many.
   */
  forgetConnections(addresses: readonly string[]): number;
  /** `['ipv4', 'conf', 'cali1', 'proxy_arp']`, below /proc/sys/net of this object's namespace */
  writeSysctl(path: readonly string[], value: string): void;
  /** without white space around it; undefined when there is no such setting */
  readSysctl(path: readonly string[]): string | undefined;
  /**
   * Calls back (coalesced, once per turn of the event loop) when links, their settings, addresses or routes
   * changed, also by this object. What `onChange` throws becomes an uncaught exception.
   */
  watch(onChange: (change: NetworkChange) => void): { close(): void };
  /** Closes the sockets; a deletion under way still finishes. Watches are closed too. */
  close(): void;
}
