/** Says "this datastore may be used": while it says anything but `true`, agents wait and keep what is in force. */
export const readyKey = '/calico/v1/Ready';

/** A datastore in which nobody has said anything may be used. */
export function meansReady(value: string | undefined): boolean {
  return value === undefined || value.trim().toLowerCase() === 'true';
}
