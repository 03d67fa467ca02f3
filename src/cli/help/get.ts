import { configOption, datastoreAccess, fileOptions, kindWords, oneWordNames } from './datastore-access.js';

export const getHelp = `${datastoreAccess}Usage:
  calicoctl get ([--scope=<SCOPE>] [--node=<NODE>] [--orchestrator=<ORCH>]
                 [--workload=<WORKLOAD>] (<KIND> [<NAME>]) |
                (--filename=<FILENAME>)... [--recursive])
                [--selector=<SELECTOR>] [--output=<OUTPUT>] [--watch]
                [--config=<CONFIG>]

Examples:
  # List all policy in default output format.
  calicoctl get policy

  # List a specific policy in YAML format
  calicoctl get -o yaml policy my-policy-1

  # Watch the workload endpoints that have a label
  calicoctl get workloadEndpoints -l "role == 'db'" --watch

Options:
  -h --help                    Show this screen.
${fileOptions('get')}  -o --output=<OUTPUT FORMAT>  Output format.  One of: yaml, json, ps, wide,
                               custom-columns=..., go-template=...,
                               go-template-file=..., name   [Default: ps]
  -l --selector=<SELECTOR>     Only resources whose own labels match, such as
                               "role == 'db' && !has(canary)".
  -w --watch                   Show what there is, then each change, until it is
                               interrupted.
  -n --node=<NODE>             The node (this may be the hostname of the compute
                               server if your installation does not explicitly
                               set the names of each Calico node).
     --orchestrator=<ORCH>     The orchestrator (valid for workload endpoints).
     --workload=<WORKLOAD>     The workload (valid for workload endpoints).
     --scope=<SCOPE>           The scope of the resource type.  One of global,
                               node.  This is only valid for BGP peers.
${configOption}
Description:
  The get command is used to display a set of resources by filename or stdin,
  or by type and identifiers.  JSON and YAML formats are accepted for file and
  stdin format.

  The resource type is case-insensitive.  Valid types, with their short forms:

${kindWords}
${oneWordNames}
  An identifier that is not given matches everything; a given one must be equal.

  The output of the formats yaml and json is valid input for create, apply,
  replace and delete.
`;
