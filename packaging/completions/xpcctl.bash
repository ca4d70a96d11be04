# Completion of xpcctl for bash: verbs, options, and the labels and files that a verb takes.
_xpcctl_jobs() { # WORD [--domain DIR]: the jobs of the domain that the word names, and the domains there are
  local word=$1 at=''
  shift
  case $word in
    pid/*/* | user/*/* | gui/*/* | system/*) at=${word%/*}/ ;;
    pid/*) printf '%s/\n' /proc/[0-9]* | sed 's:^/proc:pid:' ;;
  esac
  xpcctl "$@" list ${at:+"${at%/}"} 2>/dev/null | awk -v at="$at" 'NR > 1 && $4 !~ "^/" {print at $4}'
  [ -n "$at" ] || printf '%s\n' system/ "user/$UID/" pid/
}

_xpcctl() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} verb='' domain=() i
  for ((i = 1; i < COMP_CWORD; ++i)); do
    case ${COMP_WORDS[i]} in
      --domain) domain=(--domain "${COMP_WORDS[++i]}") ;;
      -*) ;;
      *) [ -n "$verb" ] || verb=${COMP_WORDS[i]} ;;
    esac
  done
  if [ "$before" = --domain ]; then
    mapfile -t COMPREPLY < <(compgen -d -- "$word")
    return
  fi
  local options="--domain --json --request-id --help" words=''
  case $verb in
    '') words="bootstrap bootout lint list print kickstart activity publish upgrade kill enable disable print-disabled submit remove setenv unsetenv getenv stats why-not systemd-export call decode encode" options+=" --version" ;;
    bootout | remove | print | kickstart | upgrade | kill | enable | disable)
      words=$(_xpcctl_jobs "$word" "${domain[@]}")
      [ "$verb" != enable ] || words=$(xpcctl "${domain[@]}" print-disabled 2>/dev/null | awk '$1 == "disabled" {print $2}')
      [ "$verb" != kickstart ] || options+=" --kill --pid"
      [ "$verb" != upgrade ] || options+=" --force --manager --program"
      [ "$verb" != kill ] || [ "$before" != kill ] || words="TERM KILL HUP INT QUIT USR1 USR2 STOP CONT"
      ;;
    list) words="system user/$UID pid/" ;;
    print-disabled | stats) words="system user/$UID" ;;
    bootstrap) options+=" --allow-any-peer" words="system user/$UID" ;;
    lint) options+=" --system" ;;
    activity)
      options+=" --defer"
      words=$(_xpcctl_jobs "$word" "${domain[@]}")
      ;;
    publish) options+=" --list" ;;
    submit) options+=" --label --program --stdout --stderr" ;;
    systemd-export)
      options+=" --output --user --system --watchdog"
      words=$(_xpcctl_jobs "$word" "${domain[@]}")
      ;;
    call) options+=" --timeout" ;;
    decode) options+=" --hex --native --compact" ;;
    encode) options+=" --hex --native" ;;
  esac
  case $word in -*) words=$options ;; esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
  # What comes behind the domain is still to be said.
  [ ${#COMPREPLY[@]} -ne 1 ] || case $COMPREPLY in */) compopt -o nospace ;; esac
  case $verb in
    bootstrap | lint | decode | encode | systemd-export)
      compopt -o filenames
      mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- "$word")
      ;;
  esac
}
complete -F _xpcctl xpcctl
