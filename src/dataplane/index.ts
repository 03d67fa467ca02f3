export { configureWorkloadInterface, createEndpointPlumbing } from './endpoints/index.js';
export type { EndpointPlumbing } from './endpoints/index.js';
export { createNftApplier, createNftDataplane } from './nft/index.js';
export type { FailsafePort, NftApplier, NftConfig, NftDataplane, NftDataplaneOptions, RunNft } from './nft/index.js';
export { createReconciler } from './reconcile.js';
export type { Reconcilable, Reconciler, ReconcilerOptions } from './reconcile.js';
