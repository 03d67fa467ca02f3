export type { Allocator, Assignment } from './allocator.js';
export { createAutoRepair, runAutoRepair } from './auto-repair.js';
export type { AutoRepairParts, RepairCandidate } from './auto-repair.js';
export type { BlockEvent, BlockRoutes } from './block-routes.js';
export { watchBlocks } from './block-routes.js';
export { checkIpam } from './check.js';
export type { IpamReport } from './check.js';
export type { IpamConfig, Reservation } from './codec.js';
export { createAllocator } from './create-allocator.js';
export { describeProblem } from './problems.js';
export type { IpamProblem } from './problems.js';
export { releaseRange } from './release.js';
export { repairIpam } from './repair.js';
export type { RepairOutcome } from './repair.js';
export {
  changeIpamConfig,
  listReservations,
  readIpamConfig,
  removeReservation,
  setReservation,
} from './settings.js';
export { showAddress, usage } from './usage.js';
export type { AddressDetails, Usage } from './usage.js';
