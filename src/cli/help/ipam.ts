import { configOption, datastoreAccess } from './datastore-access.js';

export const ipamHelp = `${datastoreAccess}Usage:
  calicoctl ipam <command> [<args>...]

    release      Release a Calico assigned IP address.
    show         Show details of a Calico assigned IP address.

Options:
  -h --help      Show this screen.

Description:
  IP Address Management specific commands for calicoctl.

  See 'calicoctl ipam <command> --help' to read about a specific subcommand.
`;

export const ipamReleaseHelp = `${datastoreAccess}Usage:
  calicoctl ipam release --ip=<IP> [--config=<CONFIG>]

Options:
  -h --help                    Show this screen.
     --ip=<IP>                 IP address to release.
${configOption}
Description:
  The ipam release command releases an IP address from the Calico IP Address
  Manager that was not cleaned up by the workload that it was assigned to.  It
  does not change the workload's endpoint.
`;

export const ipamShowHelp = `${datastoreAccess}Usage:
  calicoctl ipam show --ip=<IP> [--config=<CONFIG>]

Options:
  -h --help                    Show this screen.
     --ip=<IP>                 IP address to show.
${configOption}
Description:
  The ipam show command prints information about a given IP address, such as
  the attributes that were stored when it was assigned.
`;
