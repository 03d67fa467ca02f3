import { defineCommand, flag } from '../command.js';
import { completionHelp } from '../help/completion.js';

const scripts = {
  bash: `_calicoctl() {
  local current="\${COMP_WORDS[COMP_CWORD]}"
  local -a found
  mapfile -t found < <("\${COMP_WORDS[0]}" __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD-1}" "$current" 2>/dev/null)
  if [[ "\${found[0]}" == ":files" ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
  else
    COMPREPLY=("\${found[@]}")
    # A value follows at once.
    [[ \${#found[@]} -gt 0 && "\${found[*]}" == *= ]] && compopt -o nospace 2>/dev/null
  fi
}
complete -F _calicoctl calicoctl
`,
  zsh: `#compdef calicoctl
_calicoctl() {
  local -a found
  found=("\${(@f)$("\${words[1]}" __complete -- "\${(@)words[2,CURRENT-1]}" "\${words[CURRENT]}" 2>/dev/null)}")
  if [[ "\${found[1]}" == ":files" ]]; then
    _files
  else
    compadd -- "\${(@)found:#*=}"
    compadd -S '' -- "\${(@M)found:#*=}"
  fi
}
# Sourced, or loaded by zsh itself out of fpath at the first completion, which it then has to do as well.
if [[ "\${funcstack[1]}" == _calicoctl ]]; then
  _calicoctl
else
  compdef _calicoctl calicoctl
fi
`,
  fish: `function __calicoctl_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  set -l found (command $words[1] __complete -- $words[2..-1] "$current" 2>/dev/null)
  if test "$found[1]" = ":files"
    __fish_complete_path "$current"
  else
    printf '%s\\n' $found
  end
end
complete -c calicoctl -f -a '(__calicoctl_complete)'
`,
} as const;

export const completionCommand = defineCommand({
  path: ['completion'],
  help: completionHelp,
  options: { bash: flag('bash'), zsh: flag('zsh'), fish: flag('fish') },
  run: ({ options, out }) => {
    const shell = options.bash ? 'bash' : options.zsh ? 'zsh' : 'fish';
    out.text(scripts[shell]);
    return 0;
  },
});
