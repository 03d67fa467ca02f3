import { datastoreAccess } from './datastore-access.js';

export const nodeHelp = `${datastoreAccess}Usage:
  calicoctl node <command> [<args>...]

    run          Run the Calico node container image.
    status       View the current status of a Calico node.
    diags        Gather a diagnostics bundle for a Calico node.
    checksystem  Verify the compute host is able to run a Calico node instance.

Options:
  -h --help      Show this screen.

Description:
  Node specific commands for calicoctl.  These commands must be run directly on
  the compute host running the Calico node instance.

  See 'calicoctl node <command> --help' to read about a specific subcommand.
`;

export const nodeStatusHelp = `Usage:
  calicoctl node status [--output=<OUTPUT>]

Options:
  -h --help                Show this screen.
  -o --output=<OUTPUT>     Output format.  One of: ps, yaml, json.  [Default: ps]

Description:
  Check the status of the Calico node instance.  This includes the state of the
  agent and of the BGP sessions of this host.
`;

export const nodeDiagsHelp = `Usage:
  calicoctl node diags [--log-dir=<LOG_DIR>]

Options:
  -h --help               Show this screen.
     --log-dir=<LOG_DIR>  The directory containing Calico logs.
                          [default: /var/log/calico]

Description:
  This command is used to gather diagnostic information from a Calico node.
  This is usually used when trying to diagnose an issue that may be related to
  your Calico network.

  The bundle holds the state of the host's network and of the agent, and the logs.
  It does not hold configuration files, keys, or the environment.
`;

export const nodeCheckSystemHelp = `Usage:
  calicoctl node checksystem [--output=<OUTPUT>]

Options:
  -h --help                Show this screen.
  -o --output=<OUTPUT>     Output format.  One of: ps, yaml, json.  [Default: ps]

Description:
  Check the compatibility of this compute host to run a Calico node instance.
  Each feature of the kernel that is needed is tried in a network namespace that
  exists only for the check.
`;
