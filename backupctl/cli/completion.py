"""Completion: what a shell offers after the words typed so far, and the scripts that make it ask.

The scripts are ours and not click's: those leave variables behind in the shell, cut descriptions at a comma, and
know neither ``--output=j`` nor which values are files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from click.shell_completion import CompletionItem, ShellComplete, split_arg_string

if TYPE_CHECKING:
    from collections.abc import Sequence

    import click

_BASH: Final = r"""# bash completion for backupctl
_backupctl() {
    local line
    local -a lines
    COMPREPLY=()
    mapfile -t lines < <(_BACKUPCTL_COMPLETE=bash "${1/#\~/$HOME}" "${COMP_LINE:0:COMP_POINT}" 2>/dev/null </dev/null)
    case ${lines[0]} in
        files) compopt -o default ;;
        folders) compopt -o dirnames ;;
        words)
            for line in "${lines[@]:1}"; do
                line=${line%%$'\t'*}
                [[ $line == --*=* && $COMP_WORDBREAKS == *=* ]] && line=${line#*=}
                COMPREPLY+=("$line")
            done
            ;;
    esac
}

complete -o nosort -F _backupctl backupctl
"""

_ZSH: Final = r"""#compdef backupctl

_backupctl() {
    local line help
    local -a before lines described
    before=(${~words[1]} "${(@Q)words[2,CURRENT-1]}")
    lines=("${(@f)$(_BACKUPCTL_COMPLETE=zsh "${before[@]}" "$PREFIX" 2>/dev/null </dev/null)}")
    case ${lines[1]} in
        files) compset -P '--*='; _files ;;
        folders) compset -P '--*='; _files -/ ;;
        words)
            for line in "${(@)lines[2,-1]}"; do
                help=${line#*$'\t'}
                described+=("${${line%%$'\t'*}//:/\\:}${help:+:$help}")
            done
            _describe -V 'backupctl' described
            ;;
    esac
}

if [[ ${zsh_eval_context[-1]} == loadautofunc ]]; then
    _backupctl "$@"
else
    compdef _backupctl backupctl
fi
"""

_FISH: Final = r"""# fish completion for backupctl
function __backupctl_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l program (string replace -r '^~' $HOME -- $words[1])
    set -l lines (env _BACKUPCTL_COMPLETE=fish $program $words[2..-1] "$current" 2>/dev/null </dev/null)
    set -l option (string match -r '^--[^=]*=' -- "$current")
    set -l begun (string replace -r '^--[^=]*=' '' -- "$current")
    switch "$lines[1]"
        case files
            for path in (__fish_complete_path "$begun")
                echo "$option$path"
            end
        case folders
            for path in (__fish_complete_directories "$begun")
                echo "$option$path"
            end
        case words
            for line in $lines[2..-1]
                echo $line
            end
    end
end

complete --command backupctl --no-files --keep-order --arguments '(__backupctl_complete)'
"""

SCRIPTS: Final = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}


def answer(command: click.Command, shell: str, argv: Sequence[str]) -> str:
    """Return what a script asks for: ``words``, ``files`` or ``folders``, then a word and its help on each line.

    bash sends its whole line, as it cuts words at ``=`` and ``:``; the others send words, the last one incomplete.
    """
    *before, incomplete = _words(argv) if shell == "bash" else argv or ("",)
    items = ShellComplete(command, {}, str(command.name), "").get_completions(before, incomplete)
    kinds = {item.type for item in items}
    for kind, answered in (("file", "files"), ("dir", "folders")):
        if kind in kinds:
            return f"{answered}\n"
    option, equals, begun = incomplete.partition("=") if incomplete.startswith("--") else ("", "", incomplete)
    start, prefix = (begun, option + equals) if equals else (incomplete, "")
    offered = [item for item in items if str(item.value).startswith(start)]
    return "".join(["words\n", *(f"{prefix}{item.value}\t{_in_brief(item)}\n" for item in offered)])


def _words(argv: Sequence[str]) -> list[str]:
    line = "".join(argv[:1])
    words = split_arg_string(line)
    return [*words[1:], ""] if line[-1:].isspace() or len(words) < 2 else words[1:]


def _in_brief(item: CompletionItem[str]) -> str:
    """Return the help on one line, without the environment names and defaults behind it."""
    return " ".join((item.help or "").partition("  [")[0].split())
