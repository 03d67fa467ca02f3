import { configOption, datastoreAccess, fileOptions } from './datastore-access.js';

export const diffHelp = `${datastoreAccess}Usage:
  calicoctl diff ((--filename=<FILENAME>)... [--recursive] |
                 --from=<REV> [--to=<REV>])
                 [--config=<CONFIG>]

Examples:
  # What would "calicoctl apply -f policies/" change?
  calicoctl diff -f policies/

  # What has changed since revision 42?
  calicoctl diff --from=42

Options:
  -h --help                    Show this screen.
${fileOptions('compare')}     --from=<REV>              Compare what was stored at this revision.
     --to=<REV>                Compare it with this revision; without it, with
                               what is stored now.
${configOption}
Description:
  The diff command compares the resources of files with those that are stored,
  and shows what apply would change.  It changes nothing.

  With --from it compares two revisions of the history instead.

  The exit code is 0 when nothing differs, 1 when something does, and 2 when they
  could not be compared.
`;

export const validateHelp = `Usage:
  calicoctl validate (--filename=<FILENAME>)... [--recursive]

Examples:
  # Check all manifests below a directory.
  calicoctl validate -R -f manifests/

Options:
  -h --help                    Show this screen.
${fileOptions('check')}
Description:
  The validate command reads files and tells everything that is wrong with them:
  file, document, field, value, and what would be right.  It needs no datastore.
`;

export const explainHelp = `Usage:
  calicoctl explain <FIELD> [--output=<OUTPUT>]

Examples:
  # What is a policy made of?
  calicoctl explain policy

  # What may stand in the source of an ingress rule?
  calicoctl explain policy.spec.ingress.source

Options:
  -h --help                    Show this screen.
  -o --output=<OUTPUT>         Output format.  One of: ps, json (the JSON schema).
                               [Default: ps]

Description:
  The explain command tells what fields a kind of resource has, and which values
  they take.  A field is a kind, followed by the names of fields with dots between.
`;
