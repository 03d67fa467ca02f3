import { configOption, datastoreAccess } from './datastore-access.js';

export const whyHelp = `${datastoreAccess}Usage:
  calicoctl why <SOURCE> <DESTINATION> [<SERVICE>] [--output=<OUTPUT>]
                [--config=<CONFIG>]

Examples:
  # Why can (or cannot) the front end reach the back end on port 80?
  calicoctl why frontend-1 backend-1 tcp:80

  # From an address outside to every endpoint with a label.
  calicoctl why 198.51.100.7 "role == 'db'" tcp:5432

Options:
  -h --help                    Show this screen.
  -o --output=<OUTPUT>         Output format.  One of: ps, json. [Default: ps]
${configOption}
Description:
  The why command tells what policy does with a packet, and which rule of which
  policy or profile decided.  It reads the resources of the datastore and works
  it out; no packet is sent.  Parameters of the agents that change a verdict
  (DefaultEndpointToHostAction, failsafe ports, InterfacePrefix and others) are
  those in the datastore; of this host its agent is asked, where it runs, for
  its parameters and interfaces.

  A source or destination is the name of a workload or endpoint, an endpoint id,
  an IP address, or a selector over labels.  A service is a protocol, with a port
  where the protocol has ports: tcp:80, udp:53, icmp, 47.  Without a service it
  is tcp, port 80.
`;
