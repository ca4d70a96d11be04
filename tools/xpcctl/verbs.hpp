#pragma once

#include "verb.hpp"

namespace xpcctl {

action add_activity(CLI::App& command, const settings& shared);
action add_bootout(CLI::App& command, const settings& shared);
action add_bootstrap(CLI::App& command, const settings& shared);
action add_call(CLI::App& command, const settings& shared);
action add_decode(CLI::App& command, const settings& shared);
action add_disable(CLI::App& command, const settings& shared);
action add_enable(CLI::App& command, const settings& shared);
action add_encode(CLI::App& command, const settings& shared);
action add_getenv(CLI::App& command, const settings& shared);
action add_kickstart(CLI::App& command, const settings& shared);
action add_kill(CLI::App& command, const settings& shared);
action add_lint(CLI::App& command, const settings& shared);
action add_list(CLI::App& command, const settings& shared);
action add_print(CLI::App& command, const settings& shared);
action add_print_disabled(CLI::App& command, const settings& shared);
action add_publish(CLI::App& command, const settings& shared);
action add_remove(CLI::App& command, const settings& shared);
action add_setenv(CLI::App& command, const settings& shared);
action add_stats(CLI::App& command, const settings& shared);
action add_submit(CLI::App& command, const settings& shared);
action add_systemd_export(CLI::App& command, const settings& shared);
action add_unsetenv(CLI::App& command, const settings& shared);
action add_upgrade(CLI::App& command, const settings& shared);
action add_why_not(CLI::App& command, const settings& shared);

}  // namespace xpcctl
