import { configOption, datastoreAccess } from './datastore-access.js';

export const ipamHelp = `${datastoreAccess}Usage:
  calicoctl ipam <command> [<args>...]

    release      Release a Calico assigned IP address.
    show         Show details of a Calico assigned IP address.
    check        Look for mistakes in the records of addresses, and mend them.
    configure    Set how addresses are given out, and reserve some.

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
  calicoctl ipam show (--ip=<IP> | --show-configuration |
                       [--show-blocks] [--show-borrowed])
                      [--output=<OUTPUT>] [--config=<CONFIG>]

Options:
  -h --help                    Show this screen.
     --ip=<IP>                 IP address to show.
     --show-blocks             Show each block of each pool as well, and which
                               node it belongs to.
     --show-borrowed           Show addresses that are in use on another node
                               than the one that their block belongs to.
     --show-configuration      Show how addresses are given out, and which are
                               reserved.
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

export const ipamConfigureHelp = `${datastoreAccess}Usage:
  calicoctl ipam configure [--strictaffinity=<BOOL>]
                           [--max-blocks-per-host=<NUMBER>]
                           [--reserve=<RESERVATION>] [--unreserve=<NAME>]
                           [--config=<CONFIG>]

Examples:
  # Nodes take addresses only from their own blocks, and own at most four.
  calicoctl ipam configure --strictaffinity=true --max-blocks-per-host=4

  # Addresses that are given out only to who asks for them.
  calicoctl ipam configure --reserve=printers=10.0.0.0/28,10.0.1.0/28

Options:
  -h --help                    Show this screen.
     --strictaffinity=<BOOL>   Whether a node may take addresses from its own
                               blocks only: true or false.
     --max-blocks-per-host=<NUMBER>
                               How many blocks of each IP version a node may
                               own; 0 for no limit.  Needs strict affinity.
     --reserve=<RESERVATION>   A name and the networks that are not given out by
                               themselves: NAME=CIDR[,CIDR...].  Addresses of
                               them that are in use stay so.
     --unreserve=<NAME>        Remove the reservation of that name.
${configOption}
Description:
  The ipam configure command changes settings of the whole cluster.  What was
  given out before stays as it is.  'calicoctl ipam show --show-configuration'
  shows them.
`;
