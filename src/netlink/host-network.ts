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
  /** operational state: carrier and peer are there */
  readonly running: boolean;
  readonly kind: string | undefined;
}

export interface AddressInfo {
  readonly interfaceIndex: number;
  /** `address/length` */
  readonly address: string;
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
  /** path of the network namespace that gets the container end, born there with its final name */
  readonly containerNetns: string;
  readonly mtu?: number;
}

/** One network namespace, by default that of the process. Create with `openHostNetwork`, close when done. */
export interface HostNetwork {
  links(): readonly LinkInfo[];
  linkByName(name: string): LinkInfo | undefined;
  addresses(): readonly AddressInfo[];
  routes(): readonly RouteInfo[];
  /** both ends exist afterwards, down; returns both ends */
  createVeth(request: VethRequest): { readonly host: LinkInfo; readonly containerIndex: number };
  setLinkUp(index: number): void;
  setLinkDown(index: number): void;
  /** The kernel takes some 20 ms over a veth: the promise is for those who want to wait. */
  deleteLink(index: number): Promise<void>;
  /** `address/length` */
  addAddress(index: number, address: string, scope?: 'link' | 'universe'): void;
  replaceRoute(route: RouteRequest): void;
  deleteRoute(route: RouteRequest): void;
  /** a permanent neighbour entry */
  replaceNeighbour(index: number, address: string, mac: string): void;
  /** `ipv4.conf.cali1.proxy_arp`; the namespace is this object's; dots inside an interface name are fine */
  writeSysctl(path: readonly string[], value: string): void;
  readSysctl(path: readonly string[]): string | undefined;
  /**
   * Calls back (coalesced, once per turn of the event loop) when links, addresses or routes changed;
   * `overrun` says that events were lost and everything should be read again.
   */
  watch(onChange: (change: { readonly links: boolean; readonly routes: boolean; readonly overrun: boolean }) => void): {
    close(): void;
  };
  close(): void;
}
