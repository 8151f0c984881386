# fish completion for backupctl
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
