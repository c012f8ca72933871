import { type Command, type CommandSpec, EXIT, UsageError } from '../command.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** `rota completion bash|zsh|fish`: prints the script that completes commands, their verbs and their flags. */
export const completion =
  (commands: () => Readonly<Record<string, CommandSpec>>): Command =>
  async ([shell = '']) => {
    switch (shell) {
      case 'bash':
        console.log(bash(commands()));
        return EXIT.done;
      case 'zsh':
        console.log(`#compdef rota\nautoload -U +X bashcompinit && bashcompinit\n${bash(commands())}`);
        return EXIT.done;
      case 'fish':
        console.log(fish(commands()));
        return EXIT.done;
      default:
        throw new UsageError(`Say which shell: rota completion ${SHELLS.join('|')}`);
    }
  };

type Commands = Readonly<Record<string, CommandSpec>>;

const flagsOf = ({ flags = {} }: CommandSpec): readonly string[] =>
  ['help', ...Object.keys(flags)].map((one) => `--${one}`);

function bash(commands: Commands): string {
  const cases = Object.entries(commands).map(
    ([name, spec]) =>
      `    ${name}) if [ "$COMP_CWORD" -eq 2 ] && [ "\${word#-}" = "$word" ]; then words="${(spec.verbs ?? []).join(' ')}"; else words="${flagsOf(spec).join(' ')}"; fi ;;`,
  );
  return `# source <(rota completion bash)
_rota() {
  local word="\${COMP_WORDS[COMP_CWORD]}" words=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="${Object.keys(commands).join(' ')} --help --version"
  else case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac; fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _rota rota`;
}

function fish(commands: Commands): string {
  const lines = Object.entries(commands).flatMap(([name, spec]) => [
    `complete -c rota -n __fish_use_subcommand -a ${name} -d '${spec.about.replaceAll("'", "\\'")}'`,
    ...(spec.verbs ?? []).map((verb) => `complete -c rota -n '__fish_seen_subcommand_from ${name}' -a ${verb}`),
    ...flagsOf(spec).map(
      (flag) => `complete -c rota -n '__fish_seen_subcommand_from ${name}' -l ${flag.slice('--'.length)}`,
    ),
  ]);
  return ['# rota completion fish | source', ...lines].join('\n');
}
