import { required } from './field.js';
import type { ValueOf } from './field.js';
import { list } from './list.js';
import { integer, protocol } from './number-fields.js';
import { record } from './record.js';
import { portName } from './text-fields.js';

/** A port of an endpoint under a name that rules can use in place of a number. */
const namedPort = record(
  {
    name: required(portName()),
    protocol: required(protocol()),
    port: required(integer('a port from 1 to 65535', port => port >= 1 && port <= 65_535)),
  },
  { struct: 'EndpointPort' },
);

export type PortSpec = ValueOf<typeof namedPort>;

/** The named ports of an endpoint; several may have the same name. */
export const namedPorts = list(namedPort);
