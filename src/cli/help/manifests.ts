import { configOption, datastoreAccess, fileOptions, writeOptions } from './datastore-access.js';

const fileDescription = `Valid resource types are node, bgpPeer, hostEndpoint, workloadEndpoint, ipPool,
  policy and profile.

  A file may hold one resource, a list of resources, or several YAML documents.
  A directory stands for the .yaml, .yml and .json files in it.  All of it is read
  and checked before anything is written, and all of it is written at once: when
  one resource is wrong, nothing is changed.
`;

export const createHelp = `${datastoreAccess}Usage:
  calicoctl create (--filename=<FILENAME>)... [--recursive] [--skip-exists]
                   [--dry-run] [--no-atomic] [--output=<OUTPUT>]
                   [--config=<CONFIG>]

Examples:
  # Create a policy using the data in policy.yaml.
  calicoctl create -f ./policy.yaml

  # Create a policy based on the JSON passed into stdin.
  cat policy.json | calicoctl create -f -

Options:
  -h --help                    Show this screen.
${fileOptions('create')}     --skip-exists             Skip over and treat as successful any attempts to
                               create an entry that already exists.
${writeOptions}${configOption}
Description:
  The create command is used to create a set of resources by filename or stdin.
  JSON and YAML formats are accepted.

  ${fileDescription}
  Attempting to create a resource that already exists is treated as an error
  unless the --skip-exists option is set.
`;

export const applyHelp = `${datastoreAccess}Usage:
  calicoctl apply (--filename=<FILENAME>)... [--recursive] [--dry-run]
                  [--no-atomic] [--output=<OUTPUT>]
                  [--config=<CONFIG>]

Examples:
  # Apply a policy using the data in policy.yaml.
  calicoctl apply -f ./policy.yaml

  # Apply a policy based on the JSON passed into stdin.
  cat policy.json | calicoctl apply -f -

Options:
  -h --help                    Show this screen.
${fileOptions('apply')}${writeOptions}${configOption}
Description:
  The apply command is used to create or replace a set of resources by filename
  or stdin.  JSON and YAML formats are accepted.

  ${fileDescription}
  A resource that does not exist is created; one that exists is replaced.  When
  replacing, the complete resource must be given: there is no merging.
`;

export const replaceHelp = `${datastoreAccess}Usage:
  calicoctl replace (--filename=<FILENAME>)... [--recursive] [--dry-run]
                    [--no-atomic] [--output=<OUTPUT>]
                    [--config=<CONFIG>]

Examples:
  # Replace a policy using the data in policy.yaml.
  calicoctl replace -f ./policy.yaml

  # Replace a policy based on the JSON passed into stdin.
  cat policy.json | calicoctl replace -f -

Options:
  -h --help                    Show this screen.
${fileOptions('replace')}${writeOptions}${configOption}
Description:
  The replace command is used to replace a set of resources by filename or
  stdin.  JSON and YAML formats are accepted.

  ${fileDescription}
  Attempting to replace a resource that does not exist is treated as an error.
  The complete resource must be given: there is no merging.
`;
