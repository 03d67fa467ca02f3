export const versionHelp = `Usage:
  calicoctl version

Options:
  -h --help      Show this screen.

Description:
  Display the version of calicoctl.
`;
