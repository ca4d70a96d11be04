#compdef xpcctl
# Completion of xpcctl for zsh: verbs, options, and the labels and files that a verb takes.
_xpcctl_labels() {
  local -a labels
  local at=''
  case $PREFIX in
    pid/*/*|user/*/*|gui/*/*|system/*) at=${PREFIX%/*}/ ;;
    pid/*) compadd -S '' -- ${${(f)"$(print -l /proc/[0-9]*)"}/#\/proc/pid}/ ;;
  esac
  labels=(${(f)"$(xpcctl $domain list ${at%/} 2>/dev/null | awk -v at=$at 'NR > 1 && $4 !~ "^/" {print at $4}')"})
  compadd -- $labels
  [[ -n $at ]] || compadd -S '' -- system/ user/$UID/ pid/
}

_xpcctl_disabled() {
  local -a labels
  labels=(${(f)"$(xpcctl $domain print-disabled 2>/dev/null | awk '$1 == "disabled" {print $2}')"})
  _describe -t labels label labels
}

_xpcctl() {
  local -a verbs domain
  local state line
  typeset -A opt_args
  verbs=(
    'bootstrap:load job descriptions' 'bootout:end jobs and forget them'
    'lint:check job descriptions' 'list:list the jobs'
    'print:show all that is known about a job' 'kickstart:start a job now' 'activity:run an activity of a job now'
    'publish:hand an event to jobs'
    'upgrade:go to the new version of a program'
    'kill:send a signal to a job' 'enable:let jobs be loaded again'
    'disable:let jobs not be loaded any more' 'print-disabled:list what was enabled and disabled'
    'submit:run a program as a job' 'remove:the same as bootout'
    'setenv:set a variable for jobs' 'unsetenv:take a variable away' 'getenv:print a variable'
    'stats:show numbers about the domain' 'why-not:say why a name cannot be reached' 'systemd-export:turn a job into units of systemd' 'call:send a message to a service'
    'decode:turn an encoded object into typed JSON' 'encode:turn typed JSON into an encoded object'
  )
  _arguments -C '--domain[the directory of the domain]:directory:_files -/' \
    '--json[print data as JSON]' '--request-id[repeat a change without doing it twice]:id:' '--help[explain]' '--version[print the version]' \
    '1: :->verb' '*:: :->argument'
  # Those of a verb take the place of these.
  [[ -n ${opt_args[--domain]} ]] && domain=(--domain ${opt_args[--domain]})
  case $state in
    verb) _describe -t verbs verb verbs ;;
    argument)
      case $line[1] in
        bootstrap) _arguments '--allow-any-peer[let anybody speak to it]' '1: :{_values domain system user/$UID; _files}' '*:file:_files' ;;
        lint) _arguments '--system[for the domain of the whole machine]' '*:file:_files' ;;
        decode|encode) _files ;;
        bootout|remove|print|disable) _xpcctl_labels ;;
        enable) _xpcctl_disabled ;;
        activity) _arguments '--defer[put its run off]' '1: :_xpcctl_labels' '2:identifier:' ;;
        publish) _arguments '--list[show which jobs want its events]' '1:stream:' '2:name:' '3:json:' ;;
        kickstart) _arguments '--kill[end it first]' '--pid[print the process id]' '*: :_xpcctl_labels' ;;
        upgrade) _arguments '--force[even if the file is the same]' '--manager[the service manager itself]' \
          '--program[what it becomes]:file:_files' '*: :_xpcctl_labels' ;;
        kill) _arguments '1:signal:(TERM KILL HUP INT QUIT USR1 USR2 STOP CONT)' '2: :_xpcctl_labels' ;;
        submit) _arguments '--label[its name]:label:' '--program[the program]:file:_files' \
          '--stdout[standard output]:file:_files' '--stderr[standard error]:file:_files' ;;
        systemd-export) _arguments '--output[write the units there]:directory:_files -/' \
          '(--system)--user[for the manager of a user]' '(--user)--system[for the manager of the system]' \
          '--watchdog[seconds between signs of life]:seconds:' '*: :{_files; _xpcctl_labels}' ;;
        list) _values domain system user/$UID pid/ ;;
        print-disabled|stats) _values domain system user/$UID ;;
      esac ;;
  esac
}

_xpcctl "$@"
