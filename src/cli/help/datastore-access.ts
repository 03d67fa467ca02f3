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
