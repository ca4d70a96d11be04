#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

/// What a service wrote to the file that its standard error is kept in, told to the journal line by
/// line. Not by a stream of the journal's: then the last lines would not be here for print.
namespace openxpc::supervise {

/// A line and the priority that it names itself by "<N>", as syslog(3) counts; 6 where it names
/// none.
struct journal_line {
  int priority = 6;
  std::string_view text;
};
journal_line parse_journal_line(std::string_view line);

/// Writes down beside a new file that nothing of it was told yet: where xpcd is killed between a
/// line and its note, the next one tells that line once more rather than never.
void begin_telling(int borrowed_new_file) noexcept;

/// How much of the file was told, as an xpcd before this one wrote it down beside it; all of it
/// where the file system keeps no such notes.
off_t told_part_of(int borrowed_file) noexcept;

/// Tells the lines behind `*told`, and moves it on.
/// @param to_the_end  also what no newline ends
/// @return false when the journal takes no more just now
bool tell_journal(const std::string& label, int borrowed_file, off_t* told, bool to_the_end);

}  // namespace openxpc::supervise
