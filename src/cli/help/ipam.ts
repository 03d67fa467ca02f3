import { configOption, datastoreAccess } from './datastore-access.js';

export const ipamHelp = `${datastoreAccess}Usage:
  calicoctl ipam <command> [<args>...]

    release      Release a Calico assigned IP address.
    show         Show details of a Calico assigned IP address.
    check        Look for mistakes in the records of addresses, and mend them.

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
  calicoctl ipam show (--ip=<IP> | [--show-blocks] [--show-borrowed])
                      [--output=<OUTPUT>] [--config=<CONFIG>]

Options:
  -h --help                    Show this screen.
     --ip=<IP>                 IP address to show.
     --show-blocks             Show each block of each pool as well, and which
                               node it belongs to.
     --show-borrowed           Show addresses that are in use on another node
                               than the one that their block belongs to.
  -o --output=<OUTPUT>         Output format.  One of: ps, yaml, json.
                               [Default: ps]
${configOption}
Description:
  The ipam show command prints information about a given IP address, such as
  the attributes that were stored when it was assigned.

  Without an address it prints how many addresses of each pool are in use.
`;

export const ipamCheckHelp = `${datastoreAccess}Usage:
  calicoctl ipam check [--repair] [--output=<OUTPUT>] [--config=<CONFIG>]

Examples:
  # Look for leaked addresses and other mistakes.
  calicoctl ipam check

  # Mend what can be mended without asking.
  calicoctl ipam check --repair

Options:
  -h --help                    Show this screen.
     --repair                  Mend what is found: release leaked addresses,
                               allocate those in use, count anew.
  -o --output=<OUTPUT>         Output format.  One of: ps, yaml, json.
                               [Default: ps]
${configOption}
Description:
  The ipam check command compares the records of addresses with each other, with
  the endpoints, and with the nodes.  It changes nothing unless it is told to
  repair.  What was changed by others meanwhile is left alone.

  The exit code is 0 when nothing is wrong any more, else 1.
`;
