import type { ClusterEvent, SettingName } from '../datastore/index.js';
import type { BlockEvent, BlockRoutes } from '../ipam/index.js';
import type { Resource, ResourceOf } from '../resources/index.js';

type RoutedKind = 'node' | 'bgpPeer' | 'ipPool';

const ROUTED_KINDS: ReadonlySet<string> = new Set<RoutedKind>(['node', 'bgpPeer', 'ipPool']);

/** What the ways between hosts depend on, as it is now: a live view. */
export interface RoutingContent {
  readonly nodes: readonly ResourceOf<'node'>[];
  readonly peers: readonly ResourceOf<'bgpPeer'>[];
  readonly pools: readonly ResourceOf<'ipPool'>[];
  readonly blocks: readonly BlockRoutes[];
  /** global settings of the component `bgp`, by name */
  readonly settings: ReadonlyMap<string, string>;
  /** those of this node */
  readonly nodeSettings: ReadonlyMap<string, string>;
}

/** What an event was about. */
export type RoutingPart = RoutedKind | 'setting' | 'block';

/**
 * Gathers from the two watches, of the cluster and of its blocks, what all routing is made of, and tells of every
 * change in it. Nothing is told before both know the whole content: half a picture would take working routes away.
 */
export class RoutingView implements RoutingContent {
  readonly #nodeName: string;
  readonly #changed: (parts: ReadonlySet<RoutingPart>) => void;
  readonly #resources = new Map<string, Resource>();
  readonly #blocks = new Map<string, BlockRoutes>();
  readonly #settings = new Map<string, string>();
  readonly #nodeSettings = new Map<string, string>();
  #clusterInSync = false;
  #blocksInSync = false;

  /** `changed` hears what was touched; the first time everything is. */
  constructor(nodeName: string, changed: (parts: ReadonlySet<RoutingPart>) => void) {
    this.#nodeName = nodeName;
    this.#changed = changed;
  }

  get nodes(): readonly ResourceOf<'node'>[] {
    return this.#ofKind('node');
  }

  get peers(): readonly ResourceOf<'bgpPeer'>[] {
    return this.#ofKind('bgpPeer');
  }

  get pools(): readonly ResourceOf<'ipPool'>[] {
    return this.#ofKind('ipPool');
  }

  get blocks(): readonly BlockRoutes[] {
    return [...this.#blocks.values()];
  }

  get settings(): ReadonlyMap<string, string> {
    return this.#settings;
  }

  get nodeSettings(): ReadonlyMap<string, string> {
    return this.#nodeSettings;
  }

  handleCluster(event: ClusterEvent): void {
    const touched = new Set<RoutingPart>();
    for (const change of event.changes) {
      if (change.kind === 'setting') {
        if (this.#keepSetting(change.setting, change.value)) touched.add('setting');
      } else if (isRouted(change.resourceKind)) {
        touched.add(change.resourceKind);
        if (change.resource !== undefined) this.#resources.set(change.id, change.resource);
        // What cannot be read keeps its last good form: unreadable data of one node takes no route down.
        else if (change.problem === undefined) this.#resources.delete(change.id);
      }
    }
    const isFirst = event.inSync && !this.#clusterInSync;
    this.#clusterInSync ||= event.inSync;
    this.#tell(touched, isFirst);
  }

  handleBlocks(event: BlockEvent): void {
    // All there is: what an earlier watch told and this one does not, is gone.
    if (event.inSync) this.#blocks.clear();
    for (const change of event.changes) {
      if (change.kind === 'removed') this.#blocks.delete(change.cidr);
      else this.#blocks.set(change.block.cidr, change.block);
    }
    const isFirst = event.inSync && !this.#blocksInSync;
    this.#blocksInSync ||= event.inSync;
    this.#tell(new Set(['block']), isFirst);
  }

  #tell(touched: ReadonlySet<RoutingPart>, isFirst: boolean): void {
    if (!this.#clusterInSync || !this.#blocksInSync) return;
    const parts = isFirst ? new Set<RoutingPart>([...touched, ...EVERYTHING]) : touched;
    if (parts.size > 0) this.#changed(parts);
  }

  #keepSetting({ component, node, name }: SettingName, value: string | undefined): boolean {
    if (component !== 'bgp') return false;
    if (node !== undefined && node !== this.#nodeName) return false;
    const target = node === undefined ? this.#settings : this.#nodeSettings;
    if (value === undefined) target.delete(name);
    else target.set(name, value);
    return true;
  }

  #ofKind<K extends RoutedKind>(kind: K): readonly ResourceOf<K>[] {
    return [...this.#resources.values()].filter(
      (resource): resource is ResourceOf<K> => resource.kind === kind,
    );
  }
}

const EVERYTHING: readonly RoutingPart[] = ['node', 'bgpPeer', 'ipPool', 'setting', 'block'];

function isRouted(kind: string): kind is RoutedKind {
  return ROUTED_KINDS.has(kind);
}
