export type {
  AddressInfo,
  HostNetwork,
  LinkInfo,
  LinkTraffic,
  NetworkChange,
  NetworkEvent,
  RouteInfo,
  RouteRequest,
  VethRequest,
} from './host-network.js';
export { netnsExists } from './netns.js';
export { openTap } from './tap.js';
export type { Tap } from './tap.js';
export { openHostNetwork } from './open-host-network.js';
export { addChain, deleteChain } from './nft/chain.js';
export type { NftChain } from './nft/chain.js';
export { addCounter, deleteCounter } from './nft/counter.js';
export type { NftVerdict } from './nft/data.js';
export { addElements, deleteElements, elementPlace, flushElements } from './nft/elements.js';
export type { NftElement } from './nft/elements.js';
export { masked } from './nft/expressions/bitwise.js';
export { cmp } from './nft/expressions/cmp.js';
export { count } from './nft/expressions/count.js';
export { connectionState } from './nft/expressions/ct.js';
export type { Expression } from './nft/expressions/expression.js';
export { sourceType } from './nft/expressions/fib.js';
export { limit } from './nft/expressions/limit.js';
export { load } from './nft/expressions/load.js';
export { log } from './nft/expressions/log.js';
export { lookup, lookupVerdict } from './nft/expressions/lookup.js';
export { masquerade } from './nft/expressions/masquerade.js';
export { meta, setMark } from './nft/expressions/meta.js';
export { nat } from './nft/expressions/nat.js';
export { notrack } from './nft/expressions/notrack.js';
export { payload } from './nft/expressions/payload.js';
export { outsideRange } from './nft/expressions/range.js';
export { verdict } from './nft/expressions/verdict.js';
export type { BatchFailure, Nftables } from './nft/nftables.js';
export { openNftables } from './nft/open-nftables.js';
export { addRule, deleteRule, flushChain } from './nft/rule.js';
export type { NftRuleInfo, RulePlace } from './nft/rule.js';
export { addSet, deleteSet } from './nft/set.js';
export type { NewSet, NftKeyType, ReadSet } from './nft/set.js';
export { addTable, deleteTable } from './nft/table.js';
export type { Request } from './socket.js';
export { kernelError } from './kernel-error.js';
