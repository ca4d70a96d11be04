#pragma once

#include "base/fd.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// journald, spoken to as systemd.io/JOURNAL_NATIVE_PROTOCOL has it: the few lines of it that are
/// needed, for libsystemd would be a library more in every xpcd, also where there is no journal.
/// One thread.
namespace openxpc::journal {

/// Whether what this process says goes there: standard error is a stream of journald's, which
/// JOURNAL_STREAM tells. A set-uid program takes nobody's word for that.
bool is_in_use();

/// True if `stream`, the value of JOURNAL_STREAM (nullptr: not set), means this descriptor.
bool is_stream(const char* stream, int borrowed_fd);
/// What JOURNAL_STREAM is for that descriptor.
std::string stream_of(int borrowed_fd);

using field = std::pair<std::string_view, std::string_view>;

/// One entry. A field's name is of A-Z, 0-9 and underscores; its value may be anything. Never
/// waits.
/// @return false, nothing was sent, when nobody takes it;
/// errno is EAGAIN where somebody will.
bool send(const std::vector<field>& fields);

/// The text of an entry.
std::string encode(const std::vector<field>& fields);

/// A stream whose lines become entries of `identifier`; "<N>" before a line is its priority. Empty
/// with errno when nobody takes it.
base::fd open_stream(const std::string& identifier);

}  // namespace openxpc::journal
