/** The help of `calicoctl` itself; its usage section is the grammar of the global options. */
export const topLevelHelp = `Usage:
  calicoctl [options] <command> [<args>...]

    create    Create a resource by filename or stdin.
    replace   Replace a resource by filename or stdin.
    apply     Apply a resource by filename or stdin.  This creates a resource
              if it does not exist, and replaces a resource if it does exists.
    delete    Delete a resource identified by file, stdin or resource type and
              name.
    get       Get a resource identified by file, stdin or resource type and
              name.
    config    Manage system-wide and low-level node configuration options.
    ipam      IP address management.
    node      Calico node management.
    version   Display the version of calicoctl.

Options:
  -h --help               Show this screen.
  -l --log-level=<level>  Set the log level (one of panic, fatal, error,
                          warn, info, debug) [default: panic]

Description:
  The calicoctl command line tool is used to manage Calico network and security
  policy, to view and manage endpoint configuration, and to manage a Calico
  node instance.

  See 'calicoctl <command> --help' to read about a specific subcommand.
`;

/** A command that the original does not have: its name and one line about it. */
export interface AddedCommand {
  readonly name: string;
  readonly summary: string;
}

/** Columns of a line of help. */
const WIDTH = 80;
const NAME_WIDTH = 12;

/** `    name        summary`, broken at spaces as the original's list is. */
function entry({ name, summary }: AddedCommand): string {
  const margin = ' '.repeat(4 + NAME_WIDTH);
  let line = `    ${name.padEnd(NAME_WIDTH)}`;
  const lines: string[] = [];
  for (const word of summary.split(' ')) {
    if (line.length + word.length > WIDTH) {
      lines.push(line.trimEnd());
      line = margin;
    }
    line += `${word} `;
  }
  return [...lines, line.trimEnd()].map(each => `${each}\n`).join('');
}

/** The original's text, then the commands that it does not have. */
export function topLevelHelpWith(added: readonly AddedCommand[]): string {
  if (added.length === 0) return topLevelHelp;
  return `${topLevelHelp}\nMore commands:\n${added.map(entry).join('')}`;
}
