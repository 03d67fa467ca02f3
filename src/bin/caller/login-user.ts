/**
 * Who runs this process: the user who called sudo, else the user of the process; one without a name by number,
 * such as `uid 1000`.
 */
export function loginUser(env: Readonly<Record<string, string | undefined>>): string {
  const caller = env['SUDO_USER'] ?? '';
  if (caller !== '' && process.getuid?.() === 0) return caller;
  try {
    return process.getBuiltinModule('node:os').userInfo().username;
  } catch {
    // No entry in the password file, as in many containers.
    return `uid ${String(process.getuid?.())}`;
  }
}
