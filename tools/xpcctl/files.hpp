#pragma once

#include <string>
#include <string_view>

namespace xpcctl {

/// Reads a whole file, or standard input for "-".
/// @return 0 and `out`, or, said on standard error, EX_NOINPUT (cannot be opened), EX_IOERR, or
/// EX_DATAERR (more than 512 MiB)
int read_input(const std::string& file, std::string& out);

/// Writes bytes to standard output. @return 0, or EX_IOERR, said on standard error
int write_output(std::string_view bytes);

/// What a message calls the input: its file name, "standard input" for "-".
std::string name_of_input(const std::string& file);

/// Pairs of hexadecimal digits to bytes; white space between the pairs is passed over. @return
/// false, said on standard error as "offset N: reason", for anything else
bool bytes_of_hex(std::string_view text, std::string& out);
std::string hex_of_bytes(std::string_view bytes);

}  // namespace xpcctl
