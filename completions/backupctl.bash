# bash completion for backupctl
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
