const nameOption = `     --name=<NAME>         The name of the lab. [default: lab]
`;

const needsRoot = `  A lab needs root: it makes network namespaces, and runs in them the same agent,
  BGP daemon and CNI plugin that run on real hosts.
`;

export const labGroupHelp = `Usage:
  calicoctl lab <command> [<args>...]

    up           Bring hosts and workloads up, or heal what is there.
    down         Remove everything of a lab.
    status       Show the hosts and workloads of a lab.
    exec         Run a command on a host or in a workload.
    connect      Try a connection between two places.
    fault        Make links lose packets, be late, or be cut.
    stop         Let a host fail.
    start        Let a host that failed come back.
    measure      Tell how long a policy change takes to be felt.

Options:
  -h --help      Show this screen.

Description:
  A lab is a network of hosts on this machine, made of network namespaces: to see
  Calico at work, and to try a policy before it is shipped.

  See 'calicoctl lab <command> --help' to read about a specific subcommand.
`;

export const labUpHelp = `Usage:
  calicoctl lab up [--filename=<FILENAME>] [--hosts=<N>] [--workloads=<N>]
                   [--datastore=<TYPE>] [--name=<NAME>]

Examples:
  # Three hosts with two workloads each.
  calicoctl lab up

  # The networks, routers, hosts and workloads of a file.
  calicoctl lab up -f examples/three-tier/lab.yaml

Options:
  -h --help                Show this screen.
  -f --filename=<FILENAME> A topology file (docs/lab.md).
     --hosts=<N>           How many hosts; 3 unless a file says so.
     --workloads=<N>       How many workloads on each host; 2 unless a file says so.
     --datastore=<TYPE>    sqlite, or etcd: a real server, for this lab alone.
${nameOption}
Description:
  The lab up command brings a lab up. When the lab is up already, whatever is
  missing of it is started again and the rest is left alone. When it fails or is
  interrupted, nothing of a new lab stays behind.

${needsRoot}`;

export const labDownHelp = `Usage:
  calicoctl lab down [--name=<NAME>]

Options:
  -h --help                Show this screen.
${nameOption}
Description:
  The lab down command ends the processes of a lab and removes its namespaces and
  files. It can be run at any time, also after a failure, and again.
`;

export const labStatusHelp = `Usage:
  calicoctl lab status [--output=<OUTPUT>] [--name=<NAME>]

Options:
  -h --help                Show this screen.
  -o --output=<OUTPUT>     Output format.  One of: ps, json. [default: ps]
${nameOption}
Description:
  The lab status command shows each host with its link, agent and BGP sessions, the
  routers with their sessions, and each workload with its addresses.
`;

export const labExecHelp = `Usage:
  calicoctl lab exec [--name=<NAME>] <PLACE> <COMMAND> [<ARGS>...]

Examples:
  # The routes of a host.
  calicoctl lab exec host1 ip route

  # Options of the command itself come after --.
  calicoctl lab exec front1 -- ping -c 3 10.65.0.1

Options:
  -h --help                Show this screen.
${nameOption}
Description:
  The lab exec command runs a command inside the network namespace of a host, a
  workload or a router, with the environment that makes calicoctl use the lab's datastore. Its
  exit code is that of the command.
`;

export const labConnectHelp = `Usage:
  calicoctl lab connect <SOURCE> <DESTINATION> <SERVICE> [--timeout=<MS>]
                        [--name=<NAME>]

Examples:
  # One TCP connection.
  calicoctl lab connect front1 back1 tcp:8080

Options:
  -h --help                Show this screen.
     --timeout=<MS>        How long to wait for an answer. [default: 1000]
${nameOption}
Description:
  The lab connect command makes the destination answer on the service, tcp:PORT or
  udp:PORT, and tries it from the source. Exit code 0: it answered; 1: it did not.
`;

export const labFaultHelp = `Usage:
  calicoctl lab fault [<LINK>] [--cut] [--loss=<PERCENT>] [--delay=<MS>] [--clear]
                      [--name=<NAME>]

Examples:
  # Pull the cable of a host, and put it back.
  calicoctl lab fault host2 --cut
  calicoctl lab fault host2 --clear

  # One packet in ten is lost, and all are late, on a router's link to one network.
  calicoctl lab fault spine:rack1 --loss=10% --delay=50ms

Options:
  -h --help                Show this screen.
     --cut                 The link is dead.
     --loss=<PERCENT>      The share of packets that is lost, in both directions.
     --delay=<MS>          How late packets come, in both directions.
     --clear               Take the faults away; without a link, those of all links.
${nameOption}
Description:
  The lab fault command gives a link exactly the faults that are named, in place of
  any it had, and shows the links. The link of a host has the host's name, that of a
  router to a network is <router>:<network>; <router> alone means all of its links.
`;

export const labStopHelp = `Usage:
  calicoctl lab stop <HOST> [--name=<NAME>]

Options:
  -h --help                Show this screen.
${nameOption}
Description:
  The lab stop command lets a host fail as if its power was lost: its link is cut, and
  every process on it and in its workloads is killed. Other hosts find out by themselves.
`;

export const labStartHelp = `Usage:
  calicoctl lab start <HOST> [--name=<NAME>]

Options:
  -h --help                Show this screen.
${nameOption}
Description:
  The lab start command lets a host that was stopped come back, and waits until its
  agent is ready. Its workloads and their addresses are the same as before.
`;

export const labMeasureHelp = `Usage:
  calicoctl lab measure <SOURCE> <DESTINATION> <SERVICE> --filename=<FILENAME>
                        [--count=<N>] [--name=<NAME>]

Examples:
  # How soon is the monitoring let in, and shut out again?
  calicoctl lab measure visitor front1 udp:8125 -f examples/three-tier/monitoring.yaml

Options:
  -h --help                Show this screen.
  -f --filename=<FILENAME> A policy that turns traffic between the two on or off.
     --count=<N>           How often to apply and to remove it. [default: 5]
${nameOption}
Description:
  The lab measure command lets datagrams flow from source to destination (service
  udp:PORT), applies the policy, and tells the time from the moment at which the
  change was committed to the first datagram that met the other fate; then it
  removes the policy and measures again.
`;
