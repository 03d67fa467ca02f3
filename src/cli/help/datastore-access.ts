/** Opens the help of every command that opens the datastore; the doubled "or" is the original's. */
export const datastoreAccess = `Set the Calico datastore access information in the environment variables or
or supply details in a config file.

`;

/** Ends the options of every command that opens the datastore. */
export const configOption = `  -c --config=<CONFIG>         Path to the file containing connection
                               configuration in YAML or JSON format.
                               [default: /etc/calico/calicoctl.cfg]
`;

/** The aliases that name a kind on the command line. */
export const kindWords = `    node (nodes, no, nos)
    hostEndpoint (hostEndpoints, hep, heps)
    workloadEndpoint (workloadEndpoints, wep, weps)
    profile (profiles, pro, pros)
    policy (policies, pol, pols)
    ipPool (ipPools, ipp, ipps, pool, pools)
    bgpPeer (bgpPeers, bgpp, bgpps, bp, bps)
`;

/** A form of names that the original did not have. */
export const oneWordNames = `  A resource may also be named in one word, as -o name prints it: policy/web,
  hostEndpoint/host1/eth0.
`;

/** The options of commands that take files: what is done with the resources is a verb, such as `create`. */
export function fileOptions(verb: string): string {
  const text = `File or directory to use to ${verb} the resources;`;
  return `  -f --filename=<FILENAME>     ${text}
                               may be given several times.  If set to "-" loads
                               from stdin.
  -R --recursive               Use the directories below a directory as well.
`;
}

/** The options of commands that write resources, beside those of the original. */
export const writeOptions = `     --dry-run                 Check everything, also against the datastore, and
                               say what would change, but write nothing.
     --no-atomic               Write in several transactions, for more resources
                               than the datastore takes in one.
  -o --output=<OUTPUT>         What to print.  One of: ps (a summary), name (the
                               name of each resource).  [Default: ps]
`;
