#compdef backupctl

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
