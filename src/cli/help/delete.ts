import {
  configOption,
  datastoreAccess,
  fileOptions,
  kindWords,
  oneWordNames,
  writeOptions,
} from './datastore-access.js';

export const deleteHelp = `${datastoreAccess}Usage:
  calicoctl delete ([--scope=<SCOPE>] [--node=<NODE>] [--orchestrator=<ORCH>]
                    [--workload=<WORKLOAD>] (<KIND> [<NAME>]) |
                   (--filename=<FILE>)... [--recursive])
                   [--skip-not-exists] [--dry-run] [--no-atomic]
                   [--output=<OUTPUT>] [--config=<CONFIG>]

Examples:
  # Delete a policy using the type and name specified in policy.yaml.
  calicoctl delete -f ./policy.yaml

  # Delete a policy based on the type and name in the YAML passed into stdin.
  cat policy.yaml | calicoctl delete -f -

  # Delete policy with name "foo"
  calicoctl delete policy foo

Options:
  -h --help                    Show this screen.
  -s --skip-not-exists         Skip over and treat as successful, resources that
                               don't exist.
${fileOptions('delete')}  -n --node=<NODE>             The node (this may be the hostname of the compute
                               server if your installation does not explicitly
                               set the names of each Calico node).
     --orchestrator=<ORCH>     The orchestrator (valid for workload endpoints).
     --workload=<WORKLOAD>     The workload (valid for workload endpoints).
     --scope=<SCOPE>           The scope of the resource type.  One of global,
                               node.  This is required for BGP peers.
${writeOptions}${configOption}
Description:
  The delete command is used to delete a set of resources by filename or stdin,
  or by type and identifiers.  JSON and YAML formats are accepted for file and
  stdin format.

  The resource type is case-insensitive.  Valid types, with their short forms:

${kindWords}
${oneWordNames}
  Attempting to delete a resource that does not exist is treated as an error
  unless the --skip-not-exists option is set.

  When deleting resources from a file, only the identifiers are used, but the
  whole file must be valid; all of its resources are deleted, or none.
`;
