/** What etcd takes in one transaction when it is not told otherwise (--max-txn-ops, --max-request-bytes). */
export const maxOperations = 128;
/** of keys and values; its limit of 1.5 MiB is on the whole request */
export const maxBytes = 1_400_000;
/** Entries in one answer: about a megabyte of the usual resources. */
export const pageSize = 2000;
