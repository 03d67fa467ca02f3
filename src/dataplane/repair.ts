/** What somebody else had changed and was put right: our table, a route of ours, a setting of the kernel. */
export type RepairKind = 'table' | 'route' | 'setting';

/** Told of each repair. */
export type OnRepair = (kind: RepairKind) => void;
