import { configOption } from './datastore-access.js';

export const completionHelp = `Usage:
  calicoctl completion (bash | zsh | fish)

Examples:
  # Complete command lines in this bash session.
  source <(calicoctl completion bash)

  # In every zsh, and in every fish.
  calicoctl completion zsh > "\${fpath[1]}/_calicoctl"
  calicoctl completion fish > ~/.config/fish/completions/calicoctl.fish

Options:
  -h --help      Show this screen.

Description:
  The completion command prints a script for a shell.  With it the shell completes
  commands, options, kinds, and the names of resources in the datastore.
`;

/** Of the command that the scripts call; not listed anywhere. */
export const completeHelp = `Usage:
  calicoctl __complete [--config=<CONFIG>] [<WORD>...]

Options:
  -h --help                    Show this screen.
${configOption}
Description:
  Prints what the last of the words may become, one possibility on a line, or
  ":files" where it is the name of a file.
`;
