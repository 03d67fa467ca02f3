import { configOption, datastoreAccess, kindWords } from './datastore-access.js';

export const historyHelp = `${datastoreAccess}Usage:
  calicoctl history ([--scope=<SCOPE>] [--node=<NODE>] [--orchestrator=<ORCH>]
                     [--workload=<WORKLOAD>] [--limit=<LIMIT>] [--include-live]
                     [<KIND> [<NAME>]] |
                    --revision=<REV>)
                    [--output=<OUTPUT>] [--config=<CONFIG>]

Examples:
  # Who changed what, the newest first?
  calicoctl history

  # What became of one policy?
  calicoctl history policy web

  # What exactly did revision 42 change?
  calicoctl history --revision=42

Options:
  -h --help                    Show this screen.
     --revision=<REV>          Show one revision: who made it, and all that it
                               changed.
     --limit=<LIMIT>           Show so many revisions at most; 0 for all.
                               [default: 50]
     --include-live            Also revisions that changed workload endpoints and
                               nothing else; they are shown anyway when the kind
                               is workloadEndpoint.
  -n --node=<NODE>             Only what belongs to the node.
     --orchestrator=<ORCH>     The orchestrator (valid for workload endpoints).
     --workload=<WORKLOAD>     The workload (valid for workload endpoints).
     --scope=<SCOPE>           The scope of the resource type.  One of global,
                               node.  This is only valid for BGP peers.
  -o --output=<OUTPUT>         Output format.  One of: ps, yaml, json.
                               [Default: ps]
${configOption}
Description:
  The history command tells which revisions of resources and of configuration
  there were, with time, user and command.  Each command that changed something
  made one.  Addresses in use and what agents report of themselves are no part
  of it.

  The resource type is case-insensitive.  Valid types, with their short forms:

${kindWords}    config (a setting, by its name)

  An identifier that is not given matches everything; a given one must be equal.

  Revisions are numbers of the datastore, so they are not consecutive.  They are
  kept for 30 days, the newest 10,000 at most, those of workload endpoints counted
  apart; see docs/history.md.
`;

export const rollbackHelp = `${datastoreAccess}Usage:
  calicoctl rollback --to=<REV> [--dry-run] [--include-live] [--no-atomic]
                     [--config=<CONFIG>]

Examples:
  # What would be done?
  calicoctl rollback --to=42 --dry-run

  # Make everything what it was at revision 42.
  calicoctl rollback --to=42

Options:
  -h --help                    Show this screen.
     --to=<REV>                The revision to go back to.
     --dry-run                 Say what would change, but write nothing.
     --include-live            Also bring back workload endpoints, nodes, and what
                               agents tell of their hosts.
     --no-atomic               Write in several transactions, for more than the
                               datastore takes in one.
${configOption}
Description:
  The rollback command makes resources and configuration what they were at a
  revision: what was created since is deleted, what was deleted is created again.
  All of it is one change, which has a revision of its own and can be rolled back
  as well.  When somebody changes the same things meanwhile, nothing is written.

  Workload endpoints and nodes tell what runs now, not what was configured: they
  are left alone unless --include-live is given.
`;
