# Completion of xpcctl for fish: verbs, options, and the labels and files that a verb takes.
function __xpcctl_domain
    set -l words (commandline -opc)
    set -l at (contains -i -- --domain $words)
    and test (count $words) -gt $at
    and printf '%s\n' --domain $words[(math $at + 1)]
end

function __xpcctl_needs_verb
    set -l words (commandline -opc)
    set -l at 2
    while test $at -le (count $words)
        switch $words[$at]
            case --domain --request-id
                set at (math $at + 1)
            case '-*'
            case '*'
                return 1
        end
        set at (math $at + 1)
    end
end

function __xpcctl_labels
    set -l word (commandline -ct)
    set -l at (string match -r '^(?:(?:pid|user|gui)/[0-9]+|system)/' -- $word)
    xpcctl (__xpcctl_domain) list (string trim -r -c / -- $at) 2>/dev/null | awk -v at="$at" 'NR > 1 && $4 !~ "^/" {print at $4}'
    test -n "$at"; or printf '%s\n' system/ user/(id -u)/ pid/
    string match -q -r '^pid/[0-9]*$' -- $word; and string replace -f -r '^/proc/([0-9]+)$' 'pid/$1/' /proc/*
end

function __xpcctl_disabled
    xpcctl (__xpcctl_domain) print-disabled 2>/dev/null | awk '$1 == "disabled" {print $2}'
end

complete -c xpcctl -f
complete -c xpcctl -l domain -r -a '(__fish_complete_directories)' -d 'The directory of the domain'
complete -c xpcctl -l json -d 'Print data as JSON'
complete -c xpcctl -l request-id -r -d 'Repeat a change without doing it twice'
complete -c xpcctl -l help -d 'Explain'
complete -c xpcctl -n __xpcctl_needs_verb -l version -d 'Print the version'
for verb in 'bootstrap Load job descriptions' 'bootout End jobs and forget them' 'lint Check job descriptions' \
        'list List the jobs' 'print Show all that is known about a job' 'kickstart Start a job now' 'activity Run an activity of a job now' 'publish Hand an event to jobs' \
        'upgrade Go to the new version of a program' \
        'kill Send a signal to a job' 'enable Let jobs be loaded again' 'disable Let jobs not be loaded any more' \
        'print-disabled List what was enabled and disabled' 'submit Run a program as a job' \
        'remove The same as bootout' 'setenv Set a variable for jobs' 'unsetenv Take a variable away' \
        'getenv Print a variable' 'stats Show numbers about the domain' 'why-not Say why a name cannot be reached' 'systemd-export Turn a job into units of systemd' 'call Send a message to a service' \
        'decode Turn an encoded object into typed JSON' 'encode Turn typed JSON into an encoded object'
    set -l parts (string split -m 1 ' ' -- $verb)
    complete -c xpcctl -n __xpcctl_needs_verb -a $parts[1] -d $parts[2]
end
complete -c xpcctl -n '__fish_seen_subcommand_from bootout remove print kickstart upgrade disable' -a '(__xpcctl_labels)'
complete -c xpcctl -n '__fish_seen_subcommand_from activity' -a '(__xpcctl_labels)'
complete -c xpcctl -n '__fish_seen_subcommand_from activity' -l defer -d 'Put its run off'
complete -c xpcctl -n '__fish_seen_subcommand_from publish' -l list -d 'Show which jobs want its events'
complete -c xpcctl -n '__fish_seen_subcommand_from enable' -a '(__xpcctl_disabled)'
complete -c xpcctl -n '__fish_seen_subcommand_from kill' -a 'TERM KILL HUP INT QUIT USR1 USR2 STOP CONT (__xpcctl_labels)'
complete -c xpcctl -n '__fish_seen_subcommand_from kickstart' -l kill -d 'End it first'
complete -c xpcctl -n '__fish_seen_subcommand_from upgrade' -l force -d 'Even if the file is the same'
complete -c xpcctl -n '__fish_seen_subcommand_from upgrade' -l manager -d 'The service manager itself'
complete -c xpcctl -n '__fish_seen_subcommand_from upgrade' -l program -r -d 'What the manager becomes'
complete -c xpcctl -n '__fish_seen_subcommand_from kickstart' -l pid -d 'Print the process id'
complete -c xpcctl -n '__fish_seen_subcommand_from bootstrap' -l allow-any-peer -d 'Let anybody speak to it'
complete -c xpcctl -n '__fish_seen_subcommand_from lint' -l system -d 'For the domain of the whole machine'
complete -c xpcctl -n '__fish_seen_subcommand_from submit' -l label -r -d 'Its name'
complete -c xpcctl -n '__fish_seen_subcommand_from submit' -l program -r -F -d 'The program'
complete -c xpcctl -n '__fish_seen_subcommand_from submit' -l stdout -r -F -d 'Standard output'
complete -c xpcctl -n '__fish_seen_subcommand_from submit' -l stderr -r -F -d 'Standard error'
complete -c xpcctl -n '__fish_seen_subcommand_from bootstrap lint decode encode' -F
complete -c xpcctl -n '__fish_seen_subcommand_from list print-disabled stats bootstrap' -a 'system user/(id -u)'
complete -c xpcctl -n '__fish_seen_subcommand_from list' -a pid/
complete -c xpcctl -n '__fish_seen_subcommand_from systemd-export' -F -a '(__xpcctl_labels)'
complete -c xpcctl -n '__fish_seen_subcommand_from systemd-export' -l output -r -a '(__fish_complete_directories)' -d 'Write the units there'
complete -c xpcctl -n '__fish_seen_subcommand_from systemd-export' -l user -d 'For the manager of a user'
complete -c xpcctl -n '__fish_seen_subcommand_from systemd-export' -l system -d 'For the manager of the system'
complete -c xpcctl -n '__fish_seen_subcommand_from systemd-export' -l watchdog -r -d 'Seconds between signs of life'
